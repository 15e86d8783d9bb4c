"""SQLAlchemy 2.0 with the dialect sqlalchemy-libsql 0.2.0, which is version 3 of Hrana: the ORM, and its engine."""

import unittest
from contextlib import ExitStack
from datetime import datetime
from typing import Optional

import sqlalchemy
from sqlalchemy import ForeignKey, func, inspect, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from server import MANY, MANY_ROWS, create_database


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    born: Mapped[Optional[datetime]]
    height: Mapped[Optional[float]]
    is_alive: Mapped[bool] = mapped_column(default=True)
    books: Mapped[list["Book"]] = relationship(back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")


class SqlAlchemy(unittest.TestCase):
    def setUp(self):
        url = create_database().replace("http://", "sqlite+libsql://")
        self.engine = sqlalchemy.create_engine(url)
        self.addCleanup(self.engine.dispose)
        Base.metadata.create_all(self.engine)

    def names(self):
        with Session(self.engine) as session:
            return session.scalars(select(Author.name).order_by(Author.id)).all()


class Values(SqlAlchemy):
    def test_of_objects_there_and_back(self):
        fields = {"born": datetime(1929, 10, 21, 1, 2, 3, 456), "height": 1.625}
        with Session(self.engine) as session:
            books = [Book(title="Grüße 🎉"), Book(title="")]
            session.add_all([Author(name="a", books=books, **fields), Author(name="b", is_alive=False)])
            session.commit()
        with Session(self.engine) as session:
            a, b = session.scalars(select(Author).order_by(Author.id))
            self.assertEqual({field: getattr(a, field) for field in fields}, fields)
            self.assertEqual([book.title for book in a.books], ["Grüße 🎉", ""])
            self.assertEqual((a.is_alive, b.is_alive), (True, False))
            self.assertEqual((b.born, b.height, b.books), (None, None, []))
            joined = select(Author.name, func.count()).join(Author.books).group_by(Author.id)
            self.assertEqual(session.execute(joined).all(), [("a", 2)])

    def test_blobs(self):
        # A column of them is not possible: the dialect's module lacks what SQLAlchemy makes its arguments with.
        with self.engine.connect() as connection:
            for blob in (b"", b"\x00", b"\x00\x01", bytes(range(256)) * 300):
                self.assertEqual(connection.scalar(text("SELECT :blob"), {"blob": blob}), blob)


class Int64(SqlAlchemy):
    def test_integers_of_64_bits_are_read(self):
        with self.engine.connect() as connection:
            for value in (2**53 + 1, 2**63 - 1, -(2**63)):
                sql = text("SELECT CAST(:value AS INTEGER)")
                self.assertEqual(connection.scalar(sql, {"value": str(value)}), value)


class Basics(SqlAlchemy):
    def test_a_write_says_what_it_did(self):
        with self.engine.begin() as connection:
            insert = text("INSERT INTO author (name, is_alive) VALUES (:a, 1), (:b, 1)")
            result = connection.execute(insert, {"a": "a", "b": "b"})
            self.assertEqual((result.rowcount, result.lastrowid), (2, 2))
            update = sqlalchemy.update(Author).where(Author.name == "b").values(name="c").returning(Author.id)
            self.assertEqual(connection.execute(update).all(), [(2,)])
        self.assertEqual(self.names(), ["a", "c"])


class Scripts(SqlAlchemy):
    def test_the_schema_is_read_back(self):
        inspector = inspect(self.engine)
        self.assertEqual(sorted(inspector.get_table_names()), ["author", "book"])
        types = {column["name"]: str(column["type"]) for column in inspector.get_columns("author")}
        self.assertEqual((types["born"], types["height"]), ("DATETIME", "FLOAT"))
        (key,) = inspector.get_foreign_keys("book")
        self.assertEqual((key["constrained_columns"], key["referred_table"]), (["author_id"], "author"))


class Transactions(SqlAlchemy):
    def test_an_exception_rolls_back(self):
        with self.assertRaises(ZeroDivisionError):
            with Session(self.engine) as session, session.begin():
                session.add(Author(name="a"))
                session.flush()
                self.assertEqual(session.scalars(select(Author.name)).all(), ["a"])
                1 / 0
        self.assertEqual(self.names(), [])

    def test_a_savepoint_rolls_back_alone(self):
        with Session(self.engine) as session, session.begin():
            session.add(Author(name="a"))
            session.flush()
            with session.begin_nested() as savepoint:
                session.add(Author(name="b"))
                session.flush()
                savepoint.rollback()
            session.add(Author(name="c"))
        self.assertEqual(self.names(), ["a", "c"])


class Errors(SqlAlchemy):
    def test_a_violated_constraint_is_told_with_its_code(self):
        with Session(self.engine) as session:
            session.add_all([Author(name="a"), Author(name="a")])
            # The dialect's module raises a class that SQLAlchemy does not know as a database error.
            with self.assertRaisesRegex(ValueError, "SQLITE_CONSTRAINT.*UNIQUE constraint failed: author.name"):
                session.commit()
        self.assertEqual(self.names(), [])


class Conflicts(SqlAlchemy):
    def test_of_two_that_read_and_then_write_the_second_is_told(self):
        first = self.engine.connect()
        second = self.engine.connect()
        with first, second:
            for connection in (first, second):
                connection.exec_driver_sql("BEGIN")
                self.assertEqual(connection.scalar(select(func.count()).select_from(Author)), 0)
            insert = text("INSERT INTO author (name, is_alive) VALUES (:name, 1)")
            first.execute(insert, {"name": "first"})
            first.commit()
            with self.assertRaisesRegex(ValueError, "database is locked.*SQLITE_BUSY"):
                second.execute(insert, {"name": "second"})
            second.rollback()
        self.assertEqual(self.names(), ["first"])


class Batches(SqlAlchemy):
    def test_many_rows_in_one_insert(self):
        with Session(self.engine) as session:
            session.add_all([Author(name=f"n{i}") for i in range(1000)])
            session.commit()
        self.assertEqual(self.names(), [f"n{i}" for i in range(1000)])


class Large(SqlAlchemy):
    def test_100_000_rows(self):
        with self.engine.connect() as connection:
            rows = connection.execute(text(MANY_ROWS)).all()
        self.assertEqual(len(rows), MANY)
        self.assertTrue(all(row == (i, f"row {i}") for i, row in enumerate(rows)))


class Parallel(SqlAlchemy):
    def test_50_connections_open_at_the_same_time(self):
        engine = sqlalchemy.create_engine(self.engine.url, pool_size=50)
        self.addCleanup(engine.dispose)
        with ExitStack() as stack:
            connections = [stack.enter_context(engine.connect()) for _ in range(50)]
            for i, connection in enumerate(connections):
                connection.execute(text("INSERT INTO author (name, is_alive) VALUES (:name, 1)"), {"name": f"n{i}"})
                connection.commit()
        self.assertEqual(self.names(), [f"n{i}" for i in range(50)])


if __name__ == "__main__":
    unittest.main()
