"""libsql-client 0.3.1: over HTTP, which is version 1 of Hrana without transactions, and over WebSocket, version 2."""

import asyncio
import unittest

import libsql_client
from libsql_client import LibsqlError

from server import MANY, MANY_ROWS, TRANSPORT, create_database, database_url

SCHEMA = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)"
IS_SOCKET = TRANSPORT == "ws"


class LibsqlClient(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.url = create_database()
        self.client = self.connect()

    def connect(self):
        client = libsql_client.create_client(self.url)
        self.addAsyncCleanup(client.close)
        return client

    async def column(self, sql, args=None, through=None):
        return [row[0] for row in (await (through or self.client).execute(sql, args)).rows]

    async def fails(self, awaitable, code, message):
        with self.assertRaisesRegex(LibsqlError, message) as context:
            await awaitable
        self.assertEqual(context.exception.code, code)

    async def there_and_back(self, values):
        for value in values:
            result = await self.client.execute("SELECT ? AS a", [value])
            self.assertEqual(result[0]["a"], value)
            self.assertIs(type(result[0]["a"]), type(value))


class Values(LibsqlClient):
    async def test_of_every_type_there_and_back(self):
        texts = ["", "Grüße, 世界 🎉", "it's\n\"\\"]
        numbers = [0, 0.5, -0.25, 1e300, 5e-324, 0.1, 9007199254740991.0, 2.2250738585072011e-308]
        await self.there_and_back([*texts, *numbers, None])

    async def test_blobs(self):
        await self.there_and_back([b"", b"\x00", b"\x00\x01", b"\x00\x01\xff", bytes(range(256)) * 300])


class Int64(LibsqlClient):
    async def test_integers_of_64_bits(self):
        await self.there_and_back([2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)])


class Basics(LibsqlClient):
    async def test_named_arguments(self):
        result = await self.client.execute("SELECT :a AS x, @b AS y, $c", {"a": 1, "@b": 2, "c": True})
        self.assertEqual(result.columns, ("x", "y", "$c"))
        self.assertEqual(result[0].astuple(), (1, 2, 1))

    async def test_a_write_says_what_it_did(self):
        await self.client.execute(SCHEMA)
        result = await self.client.execute("INSERT INTO t VALUES (1, 'a'), (9223372036854775807, 'b')")
        self.assertEqual((result.rows_affected, result.last_insert_rowid), (2, 2**63 - 1))
        returned = await self.client.execute("UPDATE t SET name = 'c' WHERE id = 1 RETURNING name")
        self.assertEqual((returned.rows_affected, returned[0]["name"]), (1, "c"))


class Errors(LibsqlClient):
    async def test_they_have_their_codes(self):
        await self.client.batch([SCHEMA, "INSERT INTO t VALUES (1, 'a')"])
        fails, execute = self.fails, self.client.execute
        unique = "UNIQUE constraint failed: t.name"
        await fails(execute("INSERT INTO t VALUES (2, 'a')"), "SQLITE_CONSTRAINT", unique)
        await fails(execute("SELECT * FROM nowhere"), "SQLITE_ERROR", "no such table: nowhere")
        await fails(execute("SELEKT 1"), "SQLITE_ERROR", 'near "SELEKT": syntax error')
        await fails(execute("SELECT 1; SELECT 2"), "SQL_MANY_STATEMENTS", "")
        await fails(execute(""), "SQL_NO_STATEMENT", "")
        self.assertEqual(await self.column("SELECT 1"), [1])

    async def test_a_database_that_does_not_exist_is_named(self):
        async with libsql_client.create_client(database_url("no-such-database")) as client:
            with self.assertRaisesRegex(LibsqlError, "no-such-database"):
                await client.execute("SELECT 1")

    @unittest.skipIf(IS_SOCKET, "over WebSocket there are streams")
    async def test_a_transaction_cannot_begin_in_one_request(self):
        # Without streams the only transaction is the one of a batch; the client says so by itself.
        with self.assertRaises(LibsqlError) as context:
            self.client.transaction()
        self.assertEqual(context.exception.code, "TRANSACTIONS_NOT_SUPPORTED")

    async def test_a_begin_that_nothing_follows_locks_nobody_out(self):
        await self.client.batch([SCHEMA])
        await self.client.execute("BEGIN IMMEDIATE")
        await asyncio.wait_for(self.client.execute("INSERT INTO t VALUES (1, 'a')"), 5)
        self.assertEqual(await self.column("SELECT name FROM t"), ["a"])


class Batches(LibsqlClient):
    async def test_a_batch_writes_and_reads_its_own_writes(self):
        insert = "INSERT INTO t (name) VALUES (?)"
        batch = [SCHEMA, (insert, ["a"]), (insert, ["b"]), "SELECT name FROM t ORDER BY id"]
        results = await self.client.batch(batch)
        self.assertEqual([result.rows_affected for result in results[1:3]], [1, 1])
        self.assertEqual([row["name"] for row in results[3]], ["a", "b"])

    async def test_a_failing_batch_changes_nothing(self):
        await self.client.execute(SCHEMA)
        inserts = [f"INSERT INTO t VALUES ({row})" for row in ("1, 'a'", "2, 'a'", "3, 'c'")]
        await self.fails(self.client.batch(inserts), "SQLITE_CONSTRAINT", "UNIQUE constraint failed")
        self.assertEqual(await self.column("SELECT count(*) FROM t"), [0])
        # Nor is a transaction left in anybody's way.
        await self.client.execute("INSERT INTO t VALUES (1, 'a')")

    async def test_a_batch_of_1000_statements(self):
        inserts = [("INSERT INTO t VALUES (?, ?)", [i, f"n{i}"]) for i in range(1000)]
        self.assertEqual(len(await self.client.batch([SCHEMA, *inserts])), 1001)
        self.assertEqual(await self.column("SELECT count(*) FROM t"), [1000])


@unittest.skipUnless(IS_SOCKET, "without streams there are no transactions")
class Transactions(LibsqlClient):
    async def test_commit(self):
        await self.client.execute(SCHEMA)
        with self.client.transaction() as transaction:
            await transaction.execute("INSERT INTO t VALUES (1, 'a')")
            self.assertEqual(await self.column("SELECT name FROM t", through=transaction), ["a"])
            self.assertEqual(await self.column("SELECT name FROM t"), [])
            await transaction.commit()
        self.assertEqual(await self.column("SELECT name FROM t"), ["a"])

    async def test_rollback(self):
        await self.client.execute(SCHEMA)
        transaction = self.client.transaction()
        await transaction.execute("INSERT INTO t VALUES (1, 'a')")
        await transaction.rollback()
        await self.client.execute("INSERT INTO t VALUES (2, 'a')")
        self.assertEqual(await self.column("SELECT id FROM t"), [2])

    async def test_one_that_is_closed_is_rolled_back_at_once(self):
        await self.client.execute(SCHEMA)
        with self.client.transaction() as transaction:
            await transaction.execute("INSERT INTO t VALUES (1, 'a')")
        await asyncio.wait_for(self.client.execute("INSERT INTO t VALUES (2, 'a')"), 5)
        self.assertEqual(await self.column("SELECT id FROM t"), [2])

    async def test_a_failing_statement_leaves_it_usable(self):
        await self.client.execute(SCHEMA)
        with self.client.transaction() as transaction:
            await transaction.execute("INSERT INTO t VALUES (1, 'a')")
            again = transaction.execute("INSERT INTO t VALUES (1, 'b')")
            await self.fails(again, "SQLITE_CONSTRAINT", "UNIQUE constraint failed: t.id")
            await transaction.execute("INSERT INTO t VALUES (2, 'b')")
            await transaction.commit()
        self.assertEqual(await self.column("SELECT id FROM t"), [1, 2])


@unittest.skipUnless(IS_SOCKET, "without streams there are no transactions")
class Conflicts(LibsqlClient):
    async def test_of_two_that_read_and_then_write_the_second_is_told(self):
        await self.client.execute(SCHEMA)
        with self.client.transaction() as first, self.connect().transaction() as second:
            for transaction in (first, second):
                self.assertEqual(await self.column("SELECT id FROM t", through=transaction), [])
            await first.execute("INSERT INTO t VALUES (1, 'a')")
            await first.commit()
            late = second.execute("INSERT INTO t VALUES (2, 'b')")
            await self.fails(late, "SQLITE_BUSY", "database is locked")
            await second.rollback()
        self.assertEqual(await self.column("SELECT id FROM t"), [1])


class Large(LibsqlClient):
    async def test_100_000_rows(self):
        # Over WebSocket the client takes 4 MiB at most.
        sql = f"SELECT i FROM ({MANY_ROWS})" if IS_SOCKET else MANY_ROWS
        rows = (await self.client.execute(sql)).rows
        self.assertEqual(len(rows), MANY)
        wanted = (lambda i: (i,)) if IS_SOCKET else (lambda i: (i, f"row {i}"))
        self.assertTrue(all(row.astuple() == wanted(i) for i, row in enumerate(rows)))


class Parallel(LibsqlClient):
    async def test_50_calls_at_the_same_time(self):
        await self.client.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        insert = "INSERT INTO t VALUES (?) RETURNING a"
        results = await asyncio.gather(*(self.client.execute(insert, [a]) for a in range(50)))
        self.assertEqual([result[0]["a"] for result in results], list(range(50)))

    async def test_50_batches_at_the_same_time(self):
        await self.client.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        insert = "INSERT INTO t VALUES (?)"
        batches = [self.client.batch([(insert, [a]), (insert, [a + 50])]) for a in range(50)]
        await asyncio.gather(*batches)
        self.assertEqual(await self.column("SELECT count(*) FROM t"), [100])


if __name__ == "__main__":
    unittest.main()
