"""libsql 0.1.11, the DB-API module on top of the Rust client, against a remote database: version 3 of Hrana."""

import unittest
from concurrent.futures import ThreadPoolExecutor

import libsql

from server import MANY, MANY_ROWS, SERVER_URL, create_database

SCHEMA = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)"
ALL = "SELECT id FROM t ORDER BY id"


class Libsql(unittest.TestCase):
    def setUp(self):
        self.url = create_database()
        self.connection = self.connect()

    def connect(self, **options):
        connection = libsql.connect(self.url, **options)
        self.addCleanup(connection.close)
        return connection

    def with_table(self):
        self.connection.execute(SCHEMA)
        self.connection.commit()
        return self.connection

    def fails(self, connection, sql, code, message):
        # The module has no class of its own for errors of the server; the code is in the text.
        with self.assertRaisesRegex(ValueError, f'{message}.*code: "{code}"'):
            connection.execute(sql)

    def column(self, sql, args=()):
        return [row[0] for row in self.connect().execute(sql, args).fetchall()]


class Values(Libsql):
    def there_and_back(self, values):
        for value in values:
            ((read,),) = self.connection.execute("SELECT ?", (value,)).fetchall()
            self.assertEqual(read, value)
            self.assertIs(type(read), type(value))

    def test_of_every_type_there_and_back(self):
        numbers = [0, -1, 2**31 - 1, 0.5, -0.25, 1e300, 5e-324, 0.1, 2.2250738585072011e-308]
        self.there_and_back(["", "Grüße, 世界 🎉", "it's\n\"\\", None, *numbers])

    def test_blobs(self):
        self.there_and_back([b"", b"\x00", b"\x00\x01", b"\x00\x01\xff", bytes(range(256)) * 300])


class Int64(Libsql):
    def test_integers_of_64_bits_are_read(self):
        # As arguments the module itself turns integers of more than 32 bits into floats.
        for value in (2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)):
            self.assertEqual(self.column("SELECT CAST(? AS INTEGER)", (str(value),)), [value])


class Basics(Libsql):
    def test_a_write_says_what_it_did(self):
        cursor = self.with_table().execute("INSERT INTO t VALUES (1, 'a'), (9223372036854775807, 'b')")
        self.assertEqual((cursor.rowcount, cursor.lastrowid), (2, 2**63 - 1))
        returned = self.connection.execute("UPDATE t SET name = 'c' WHERE id = 1 RETURNING name")
        self.assertEqual(returned.fetchall(), [("c",)])

    def test_cursors_hand_out_rows_one_by_one_and_name_columns(self):
        cursor = self.connection.execute('SELECT 1 AS a, 2 AS "b c" UNION ALL SELECT 3, 4 UNION ALL SELECT 5, 6')
        self.assertEqual([column[0] for column in cursor.description], ["a", "b c"])
        self.assertEqual((cursor.fetchone(), cursor.fetchmany(9)), ((1, 2), [(3, 4), (5, 6)]))
        self.assertIsNone(cursor.fetchone())


class Batches(Libsql):
    def test_executemany(self):
        self.with_table().executemany("INSERT INTO t VALUES (?, ?)", [(i, f"n{i}") for i in range(100)])
        self.connection.commit()
        self.assertEqual(self.column(ALL), list(range(100)))

    def test_a_failing_executemany_can_be_rolled_back(self):
        connection = self.with_table()
        with self.assertRaisesRegex(ValueError, "UNIQUE constraint failed: t.name"):
            connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, "a"), (2, "a")])
        connection.rollback()
        self.assertEqual(self.column(ALL), [])


class Scripts(Libsql):
    def test_executescript(self):
        self.with_table().executescript("INSERT INTO t VALUES (2, 'b;'); -- one; more\nINSERT INTO t VALUES (3, 'c')")
        self.assertEqual(self.column("SELECT name FROM t ORDER BY id"), ["b;", "c"])

    def test_a_query_is_the_first_statement_of_its_text(self):
        connection = self.with_table()
        self.assertEqual(connection.execute("SELECT 1 + ?; DROP TABLE t", (1,)).fetchall(), [(2,)])
        self.assertEqual(self.column(ALL), [])


class Errors(Libsql):
    def test_they_have_their_codes(self):
        connection = self.with_table()
        connection.execute("INSERT INTO t VALUES (1, 'a')")
        connection.commit()
        unique = "UNIQUE constraint failed: t.name"
        self.fails(connection, "INSERT INTO t VALUES (2, 'a')", "SQLITE_CONSTRAINT", unique)
        self.fails(connection, "SELECT * FROM nowhere", "SQLITE_ERROR", "no such table: nowhere")
        connection.rollback()
        self.assertEqual(self.column(ALL), [1])

    def test_a_database_that_does_not_exist_is_named(self):
        connection = libsql.connect(f"{SERVER_URL}/db/no-such-database/")
        with self.assertRaisesRegex(ValueError, "no-such-database"):
            connection.execute("SELECT 1")


class Transactions(Libsql):
    def test_commit(self):
        connection = self.with_table()
        connection.execute("INSERT INTO t VALUES (1, 'a')")
        self.assertTrue(connection.in_transaction)
        self.assertEqual(self.column(ALL), [])
        connection.commit()
        self.assertFalse(connection.in_transaction)
        self.assertEqual(self.column(ALL), [1])

    def test_rollback(self):
        connection = self.with_table()
        connection.execute("INSERT INTO t VALUES (1, 'a')")
        connection.rollback()
        self.assertFalse(connection.in_transaction)
        connection.execute("INSERT INTO t VALUES (2, 'a')")
        connection.commit()
        self.assertEqual(self.column(ALL), [2])

    def test_a_failing_statement_leaves_the_transaction_usable(self):
        connection = self.with_table()
        connection.execute("INSERT INTO t VALUES (1, 'a')")
        self.fails(connection, "INSERT INTO t VALUES (1, 'b')", "SQLITE_CONSTRAINT", "UNIQUE")
        connection.execute("INSERT INTO t VALUES (2, 'b')")
        connection.commit()
        self.assertEqual(self.column(ALL), [1, 2])


class Conflicts(Libsql):
    def test_of_two_that_read_and_then_write_the_second_is_told(self):
        self.with_table()
        first, second = self.connect(isolation_level=None), self.connect(isolation_level=None)
        for connection in (first, second):
            connection.execute("BEGIN")
            self.assertEqual(connection.execute(ALL).fetchall(), [])
        first.execute("INSERT INTO t VALUES (1, 'a')")
        first.execute("COMMIT")
        self.fails(second, "INSERT INTO t VALUES (2, 'b')", "SQLITE_BUSY", "database is locked")
        second.execute("ROLLBACK")
        second.execute("INSERT INTO t VALUES (3, 'c')")
        self.assertEqual(self.column(ALL), [1, 3])


class Large(Libsql):
    def test_100_000_rows(self):
        rows = self.connection.execute(MANY_ROWS).fetchall()
        self.assertEqual(len(rows), MANY)
        self.assertTrue(all(row == (i, f"row {i}") for i, row in enumerate(rows)))


class Parallel(Libsql):
    def test_50_connections_at_the_same_time(self):
        self.with_table()

        # Without transactions: the module keeps all other threads from running while it waits for the server,
        # also the one that would have to commit.
        def insert(i):
            connection = libsql.connect(self.url, isolation_level=None)
            connection.execute("INSERT INTO t VALUES (?, ?)", (i, f"n{i}"))
            (row,) = connection.execute("SELECT name FROM t WHERE id = ?", (i,)).fetchall()
            connection.close()
            return row[0]

        with ThreadPoolExecutor(50) as threads:
            self.assertEqual(list(threads.map(insert, range(50))), [f"n{i}" for i in range(50)])
        self.assertEqual(self.column("SELECT count(*) FROM t"), [50])

    def test_50_transactions_open_at_the_same_time(self):
        self.with_table()
        connections = [self.connect(isolation_level=None) for _ in range(50)]
        for connection in connections:
            connection.execute("BEGIN")
            self.assertEqual(connection.execute(ALL).fetchall(), [])
        self.connection.execute("INSERT INTO t VALUES (1, 'a')")
        self.connection.commit()
        for connection in connections:
            self.assertEqual(connection.execute(ALL).fetchall(), [])
            connection.execute("COMMIT")
            self.assertEqual(connection.execute(ALL).fetchall(), [(1,)])


if __name__ == "__main__":
    unittest.main()
