// Batches with conditions, as a whole and, from version 3 on, through cursors.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BatchCond } from '@libsql/hrana-client';

import { column, freshStream, isProtobuf, version } from '../support/hrana.js';

const schema = 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)';

/** A write as clients make it: between BEGIN and COMMIT, and undone if any step fails. */
async function transaction(stream, useCursor, ...statements) {
  const batch = stream.batch(useCursor);
  let last = batch.step();
  const results = [last.run('BEGIN IMMEDIATE')];
  for (const statement of [...statements, 'COMMIT']) {
    const step = batch.step().condition(BatchCond.ok(last));
    results.push(step.query(statement));
    last = step;
  }
  results.push(batch.step().condition(BatchCond.not(BatchCond.ok(last))).run('ROLLBACK'));
  const outcomes = Promise.allSettled(results);
  await batch.execute();
  return outcomes;
}

for (const useCursor of [false, true]) {
  const options = { skip: useCursor && version < 3 };
  const kind = useCursor ? 'a batch through a cursor' : 'a batch';

  test(`batches: ${kind} writes and reads its own writes`, options, async () => {
    const stream = await freshStream(schema);
    const all = 'SELECT name FROM t ORDER BY id';
    const results = await transaction(stream, useCursor, ['INSERT INTO t VALUES (1, ?)', ['a']], "INSERT INTO t VALUES (2, 'b')", all);
    const [, first, second, rows, commit, rollback] = results.map((result) => result.value);
    assert.deepEqual([first.affectedRowCount, second.affectedRowCount], [1, 1]);
    // The client takes the rowid in a cursor's Protobuf for unsigned, and so for another number.
    if (!(useCursor && isProtobuf)) assert.deepEqual([first.lastInsertRowid, second.lastInsertRowid], [1n, 2n]);
    assert.deepEqual(rows.rows.map((row) => row.name), ['a', 'b']);
    assert.equal(commit.affectedRowCount, 0);
    assert.equal(rollback, undefined);
  });

  test(`batches: ${kind} that fails changes nothing`, options, async () => {
    const stream = await freshStream(schema);
    const results = await transaction(stream, useCursor, "INSERT INTO t VALUES (1, 'a')", "INSERT INTO t VALUES (2, 'a')", 'SELECT 1');
    assert.equal(results[2].reason.code, 'SQLITE_CONSTRAINT');
    assert.match(results[2].reason.message, /UNIQUE constraint failed: t\.name/);
    assert.deepEqual(results.slice(3, 5).map((result) => result.value), [undefined, undefined]);
    assert.equal(results[5].status, 'fulfilled');
    assert.deepEqual(await column(stream, 'SELECT * FROM t'), []);
  });

  test(`batches: ${kind} with every condition`, options, async () => {
    const stream = await freshStream();
    const batch = stream.batch(useCursor);
    const [right, wrong] = [batch.step(), batch.step()];
    const outcomes = Promise.allSettled([right.run('SELECT 1'), wrong.run('SELECT missing')]);
    const { ok, error, not, and, or, isAutocommit } = BatchCond;
    const conditions = [
      [ok(right), true],
      [ok(wrong), false],
      [error(right), false],
      [error(wrong), true],
      [not(ok(wrong)), true],
      [and(batch, [ok(right), error(wrong)]), true],
      [and(batch, [ok(right), ok(wrong)]), false],
      [and(batch, []), true],
      [or(batch, [ok(wrong), error(wrong)]), true],
      [or(batch, [ok(wrong), error(right)]), false],
      [or(batch, []), false],
    ];
    if (version >= 3) conditions.push([isAutocommit(batch), true], [not(isAutocommit(batch)), false]);
    const values = conditions.map(([condition]) => batch.step().condition(condition).queryValue("SELECT 'ran'"));
    await batch.execute();
    assert.equal((await outcomes)[1].reason.code, 'SQLITE_ERROR');
    const ran = (await Promise.all(values)).map((result) => result?.value === 'ran');
    assert.deepEqual(ran, conditions.map(([, wanted]) => wanted));
  });

  test(`batches: ${kind} of 1,000 statements`, options, async () => {
    const stream = await freshStream(schema);
    const batch = stream.batch(useCursor);
    const inserts = Array.from({ length: 1000 }, (_, i) => batch.step().run(['INSERT INTO t VALUES (?, ?)', [i, `n${i}`]]));
    await batch.execute();
    assert.deepEqual((await Promise.all(inserts)).map((result) => result.affectedRowCount), Array(1000).fill(1));
    assert.deepEqual(await column(stream, 'SELECT count(*) FROM t'), [1000]);
  });

  test(`large: 100,000 rows of ${kind}`, options, async () => {
    const stream = await freshStream();
    const batch = stream.batch(useCursor);
    const query = batch.step().query(`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
      SELECT i, 'row ' || i AS name, i / 2.0 FROM n`);
    await batch.execute();
    const { rows } = await query;
    assert.equal(rows.length, 100_000);
    assert.ok(rows.every((row, i) => row.i === i && row.name === `row ${i}` && row[2] === i / 2));
  });
}
