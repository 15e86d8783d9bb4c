// @tursodatabase/serverless: prepared statements, batches and transactions over cursors.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { connect } from '@tursodatabase/serverless';

import { createChild, createDatabase, createSchema, freshName, serverUrl } from '../support/server.js';

const schema = 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)';

async function freshConnection(script) {
  const connection = connect({ url: await createDatabase() });
  after(() => connection.close());
  if (script) await connection.exec(script);
  return connection;
}

/** For `assert.rejects`. */
const fails = (code, message) => ({ name: 'DatabaseError', code, message });

test('basics: prepare, run, get and all', async () => {
  const connection = await freshConnection(schema);
  const insert = await connection.prepare('INSERT INTO t (name) VALUES (?)');
  assert.deepEqual(await insert.run(['a']), { changes: 1, lastInsertRowid: 1 });
  assert.deepEqual(await insert.run(['b']), { changes: 1, lastInsertRowid: 2 });
  const select = await connection.prepare('SELECT id, name FROM t WHERE id >= ? ORDER BY id');
  assert.equal(select.reader, true);
  assert.equal(insert.reader, false);
  assert.deepEqual(select.columns(), [
    { name: 'id', type: 'INTEGER' },
    { name: 'name', type: 'TEXT' },
  ]);
  assert.deepEqual(await select.all([1]), [{ id: 1, name: 'a' }, { id: 2, name: 'b' }]);
  assert.deepEqual(await select.get([2]), { id: 2, name: 'b' });
  assert.equal(await select.get([3]), undefined);
  assert.deepEqual(await select.raw().all([2]), [[2, 'b']]);
  assert.deepEqual(await select.pluck().all([1]), [1, 2]);
});

test('basics: named and numbered arguments', async () => {
  const connection = await freshConnection();
  const sql = 'SELECT :a AS a, @b AS b, $c AS c';
  for (const args of [{ a: 1, b: 'x', c: null }, { ':a': 1, '@b': 'x', $c: null }]) {
    assert.deepEqual(await connection.get(sql, args), { a: 1, b: 'x', c: null });
  }
  assert.deepEqual(await connection.get('SELECT ?2 AS b, ?1 AS a', { 1: 'x', 2: 'y' }), { b: 'y', a: 'x' });
});

test('values: of every type, there and back', async () => {
  const connection = await freshConnection();
  const roundTrip = async (value) => connection.get('SELECT ? AS v, typeof(?) AS t', [value, value]);
  assert.deepEqual(await roundTrip(''), { v: '', t: 'text' });
  assert.deepEqual(await roundTrip('Grüße, 世界 🎉'), { v: 'Grüße, 世界 🎉', t: 'text' });
  assert.deepEqual(await roundTrip(null), { v: null, t: 'null' });
  assert.deepEqual(await roundTrip(0.1), { v: 0.1, t: 'real' });
  assert.deepEqual(await roundTrip(5e-324), { v: 5e-324, t: 'real' });
  for (const length of [0, 1, 2, 3, 70_000]) {
    const bytes = Uint8Array.from({ length }, (_, index) => index * 31);
    const { v, t } = await roundTrip(bytes);
    assert.equal(t, 'blob');
    assert.deepEqual(new Uint8Array(v), bytes);
  }
});

test('int64: integers of 64 bits, as bigint', async () => {
  const connection = await freshConnection();
  connection.defaultSafeIntegers(true);
  for (const integer of [0n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    assert.deepEqual(await connection.get('SELECT ? AS v', [integer]), { v: integer });
  }
});

test('errors: they have SQLite\'s code and message, and the connection goes on', async () => {
  const connection = await freshConnection(schema);
  await connection.run("INSERT INTO t VALUES (1, 'a')");
  const duplicate = connection.run("INSERT INTO t VALUES (2, 'a')");
  await assert.rejects(duplicate, fails('SQLITE_CONSTRAINT', /UNIQUE constraint failed: t\.name/));
  await assert.rejects(connection.prepare('SELEKT 1'), { message: /near "SELEKT": syntax error/ });
  await assert.rejects(connection.all('SELECT * FROM nowhere'), fails('SQLITE_ERROR', /no such table: nowhere/));
  await assert.rejects(connection.exec('SELECT 1; SELECT missing'), fails('SQLITE_ERROR', /no such column/));
  assert.deepEqual(await connection.all('SELECT * FROM t'), [{ id: 1, name: 'a' }]);
});

test('errors: an unknown database is named in the error', async () => {
  const connection = connect({ url: `${serverUrl}/db/no-such-database` });
  await assert.rejects(connection.all('SELECT 1'), { message: /no-such-database/ });
});

for (const mode of [undefined, 'write', 'read', 'deferred', 'immediate', 'exclusive']) {
  test(`batches: batch, mode ${mode}`, async () => {
    const connection = await freshConnection(`${schema}; INSERT INTO t VALUES (1, 'a')`);
    const results = await connection.batch(
      ['SELECT name FROM t', { sql: 'SELECT ? AS two, :x AS x', args: { 1: 2, 2: 'y' } }],
      mode,
    );
    assert.deepEqual(results.map((result) => result.rows), [[{ name: 'a' }], [{ two: 2, x: 'y' }]]);
    assert.equal(connection.inTransaction, false);
  });
}

test('batches: a failing batch changes nothing, unless it has no mode', async () => {
  const connection = await freshConnection(schema);
  const statements = [
    { sql: 'INSERT INTO t VALUES (?, ?)', args: [1, 'a'] },
    { sql: 'INSERT INTO t VALUES (:id, :name)', args: { id: 2, name: 'a' } },
    "INSERT INTO t VALUES (3, 'c')",
  ];
  for (const mode of ['write', 'deferred', 'exclusive']) {
    await assert.rejects(connection.batch(statements, mode), fails('SQLITE_CONSTRAINT', /t\.name/));
    assert.equal(connection.inTransaction, false);
    assert.deepEqual(await connection.all('SELECT * FROM t'), []);
  }
  await assert.rejects(connection.batch(statements), fails('SQLITE_CONSTRAINT', /t\.name/));
  assert.deepEqual(await connection.all('SELECT id FROM t'), [{ id: 1 }, { id: 3 }]);
});

test('transactions: they commit, and roll back what throws', async () => {
  const connection = await freshConnection(schema);
  const other = connect(connection.config);
  const add = connection.transactionAsync(async (transaction, name, goesWrong) => {
    await transaction.run('INSERT INTO t (name) VALUES (?)', [name]);
    await transaction.batch([{ sql: 'INSERT INTO t (name) VALUES (?)', args: [`${name}!`] }]);
    if (goesWrong) throw new Error('changed my mind');
    return (await transaction.all('SELECT count(*) AS n FROM t'))[0].n;
  });
  assert.equal(await add('a'), 2);
  await assert.rejects(add('b', true), /changed my mind/);
  assert.equal(connection.inTransaction, false);
  assert.equal(await add.immediate('c'), 4);
  assert.deepEqual(await other.all('SELECT name FROM t ORDER BY id'), [
    { name: 'a' }, { name: 'a!' }, { name: 'c' }, { name: 'c!' },
  ]);
  await other.close();
});

test('transactions: BEGIN and COMMIT by hand keep inTransaction true to the server', async () => {
  const connection = await freshConnection(schema);
  await connection.exec('BEGIN');
  assert.equal(connection.inTransaction, true);
  await connection.run("INSERT INTO t VALUES (1, 'a')");
  assert.equal(connection.inTransaction, true);
  await connection.run('COMMIT');
  assert.equal(connection.inTransaction, false);
  await connection.exec("BEGIN; INSERT INTO t VALUES (2, 'b'); ROLLBACK");
  assert.equal(connection.inTransaction, false);
  assert.deepEqual(await connection.all('SELECT id FROM t'), [{ id: 1 }]);
});

test('conflicts: of two that read and then write, the second is told', async () => {
  const first = await freshConnection(schema);
  const second = connect(first.config);
  for (const connection of [first, second]) {
    await connection.exec('BEGIN');
    assert.deepEqual(await connection.all('SELECT * FROM t'), []);
  }
  await first.run("INSERT INTO t VALUES (1, 'a')");
  await first.exec('COMMIT');
  await assert.rejects(second.run("INSERT INTO t VALUES (2, 'b')"), fails('SQLITE_BUSY', /database is locked/));
  await second.exec('ROLLBACK');
  assert.deepEqual(await second.all('SELECT id FROM t'), [{ id: 1 }]);
  await second.close();
});

test('conflicts: a second writer waits for the first', async () => {
  const first = await freshConnection(schema);
  const second = connect(first.config);
  await first.exec('BEGIN IMMEDIATE');
  await first.run("INSERT INTO t VALUES (1, 'a')");
  const waiting = second.run("INSERT INTO t SELECT max(id) + 1, 'b' FROM t");
  await first.exec('COMMIT');
  await waiting;
  assert.deepEqual(await second.all('SELECT id FROM t'), [{ id: 1 }, { id: 2 }]);
  await second.close();
});

test('scripts: exec executes all statements', async () => {
  const connection = await freshConnection(`${schema}; -- one; more\nINSERT INTO t VALUES (1, 'a;');`);
  await assert.rejects(connection.exec("INSERT INTO t VALUES (2, 'b'); INSERT INTO nowhere VALUES (1); DELETE FROM t"));
  assert.deepEqual(await connection.all('SELECT name FROM t'), [{ name: 'a;' }, { name: 'b' }]);
});

test('large: a result of 100,000 rows, as a whole and row by row', async () => {
  const connection = await freshConnection();
  const sql = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    SELECT i, 'row ' || i AS name FROM n`;
  const rows = await connection.all(sql);
  assert.equal(rows.length, 100_000);
  let count = 0;
  for await (const row of (await connection.prepare(sql)).iterate()) {
    count += 1;
    assert.ok(row.i === count && row.name === `row ${count}`, JSON.stringify(row));
  }
  assert.equal(count, 100_000);
});

test('errors: a query that the client gives up does not harm the connection', async () => {
  const connection = await freshConnection(schema);
  const endless = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n';
  await assert.rejects(connection.all(endless, { queryTimeout: 200 }), { name: 'TimeoutError' });
  assert.deepEqual(await connection.run("INSERT INTO t VALUES (1, 'a')"), { changes: 1, lastInsertRowid: 1 });
});

test('parallel: 50 connections at once', async () => {
  const url = await createDatabase();
  const first = connect({ url });
  await first.exec('CREATE TABLE t (a INTEGER PRIMARY KEY)');
  const write = async (a) => {
    const connection = connect({ url });
    await connection.run('INSERT INTO t VALUES (?)', [a]);
    await connection.close();
  };
  await Promise.all(Array.from({ length: 50 }, (_, a) => write(a)));
  assert.deepEqual(await first.get('SELECT count(*) AS n FROM t'), { n: 50 });
  await first.close();
});

test('scripts: a schema database is migrated with its children', async () => {
  const name = freshName('schema');
  const schema = connect({ url: await createSchema(name) });
  const child = connect({ url: await createChild(freshName('child'), name) });
  after(() => Promise.all([schema.close(), child.close()]));
  await schema.exec('CREATE TABLE a (id INTEGER PRIMARY KEY); INSERT INTO a VALUES (1)');
  await schema.batch(['CREATE TABLE b (id)', 'INSERT INTO b VALUES (2)']);
  // Whether a transaction is open it asks the server.
  await schema.transaction(async () => {
    await schema.exec('CREATE TABLE c (id)');
    assert.equal((await schema.get('SELECT count(*) AS n FROM c')).n, 0);
    assert.equal((await child.get("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'c'")).n, 0);
  })();
  assert.deepEqual(await child.get('SELECT a.id AS a, b.id AS b, count(c.id) AS c FROM a, b LEFT JOIN c'), { a: 1, b: 2, c: 0 });
  const undone = schema.transaction(async () => {
    await schema.exec('DROP TABLE a');
    throw new Error('not this one');
  });
  await assert.rejects(undone(), /not this one/);
  assert.equal((await child.get('SELECT id FROM a')).id, 1);
});
