//! Single statements and batches: values, counts, errors, sizes.

use futures_util::future::join_all;
use libsql::{Value, named_params, params};

use crate::{column, fails, fresh, integers, open, required};

const SCHEMA: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)";

async fn there_and_back(values: impl IntoIterator<Item = Value>) {
    let db = fresh("").await;
    for value in values {
        assert_eq!(column(&db.connection, "SELECT ?", [value.clone()]).await, [value]);
    }
}

mod values {
    use super::*;

    #[tokio::test]
    async fn of_every_type_there_and_back() {
        let texts = ["", "Grüße, 世界 🎉", "it's\n\"\\"].map(|text| Value::Text(text.to_owned()));
        let reals = [0.5, 1e300, 5e-324, 0.1, 9007199254740991.0, 2.2250738585072011e-308];
        let values = texts.into_iter().chain(reals.map(Value::Real));
        there_and_back(values.chain([Value::Null, Value::Integer(-1)])).await;
    }

    #[tokio::test]
    async fn blobs() {
        let lengths = [0, 1, 2, 3, 255, 70_000];
        there_and_back(lengths.map(|length| Value::Blob(vec![0xFE; length]))).await;
    }
}

mod int64 {
    use super::*;

    #[tokio::test]
    async fn integers_of_64_bits() {
        let integers = [(1 << 53) + 1, -(1 << 53) - 1, i64::MAX, i64::MIN];
        there_and_back(integers.map(Value::Integer)).await;
    }
}

mod basics {
    use super::*;

    #[tokio::test]
    async fn arguments_by_name_and_by_position() {
        let db = fresh("").await;
        let wanted = [Value::Text("ba".to_owned())];
        assert_eq!(column(&db.connection, "SELECT ?2 || ?1", params!["a", "b"]).await, wanted);
        let named = named_params! { ":a": "a", "@b": "b" };
        assert_eq!(column(&db.connection, "SELECT @b || :a", named).await, wanted);
    }

    #[tokio::test]
    async fn a_write_says_what_it_did() {
        let db = fresh(SCHEMA).await;
        let sql = "INSERT INTO t VALUES (1, 'a'), (9223372036854775807, 'b')";
        assert_eq!(db.connection.execute(sql, ()).await.unwrap(), 2);
        assert_eq!(db.connection.changes(), 2);
        assert_eq!(db.connection.last_insert_rowid(), i64::MAX);
        let returned = column(&db.connection, "DELETE FROM t RETURNING id", ()).await;
        assert_eq!(returned, integers([1, i64::MAX]));
    }

    #[tokio::test]
    async fn prepared_statements_know_their_columns() {
        let db = fresh(SCHEMA).await;
        let insert = db.connection.prepare("INSERT INTO t (name) VALUES (?)").await.unwrap();
        for name in ["a", "b"] {
            assert_eq!(insert.execute([name]).await.unwrap(), 1);
        }
        let mut select =
            db.connection.prepare("SELECT id, name AS n FROM t WHERE id = ?").await.unwrap();
        let names: Vec<_> =
            select.columns().iter().map(|column| column.name().to_owned()).collect();
        assert_eq!(names, ["id", "n"]);
        let row = select.query_row([2]).await.unwrap();
        assert_eq!(row.get::<String>(1).unwrap(), "b");
    }
}

mod errors {
    use super::*;

    #[tokio::test]
    async fn have_their_codes() {
        let db = fresh(SCHEMA).await;
        let connection = &db.connection;
        connection.execute("INSERT INTO t VALUES (1, 'a')", ()).await.unwrap();
        let again = connection.execute("INSERT INTO t VALUES (2, 'a')", ()).await;
        fails(again, "SQLITE_CONSTRAINT", "UNIQUE constraint failed: t.name");
        let null = connection.execute("INSERT INTO t VALUES (2, NULL)", ()).await;
        fails(null, "SQLITE_CONSTRAINT", "NOT NULL constraint failed: t.name");
        let nowhere = connection.query("SELECT * FROM nowhere", ()).await;
        fails(nowhere, "SQLITE_ERROR", "no such table: nowhere");
        assert_eq!(column(connection, "SELECT id FROM t", ()).await, integers([1]));
    }

    #[tokio::test]
    async fn one_in_the_middle_of_a_result_is_told() {
        let db = fresh("").await;
        let sql = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
            SELECT CASE WHEN i < 4000 THEN i ELSE abs(-9223372036854775807 - 1) END FROM n";
        let mut rows = db.connection.query(sql, ()).await.unwrap();
        let mut count = 0;
        let error = loop {
            match rows.next().await {
                Ok(row) => {
                    count += i64::from(row.expect("an error before the end").get::<i64>(0).is_ok())
                }
                error => break error,
            }
        };
        fails(error, "SQLITE_ERROR", "integer overflow");
        assert_eq!(count, 4000);
    }

    #[tokio::test]
    async fn a_database_that_does_not_exist_is_named() {
        let database = open(format!("{}/db/no-such-database", required("HRANAD_URL"))).await;
        let answer = database.connect().unwrap().query("SELECT 1", ()).await;
        fails(answer, "DATABASE_NOT_FOUND", "no-such-database");
    }
}

mod scripts {
    use super::*;

    #[tokio::test]
    async fn a_batch_hands_out_the_rows_of_each_statement() {
        let db = fresh(SCHEMA).await;
        let sql = "INSERT INTO t (name) VALUES ('a;'); -- one; more
            INSERT INTO t (name) VALUES ('b') RETURNING id;
            SELECT name FROM t ORDER BY id";
        let mut results = db.connection.execute_batch(sql).await.unwrap();
        let mut all = Vec::new();
        while let Some(rows) = results.next_stmt_row() {
            let Some(mut rows) = rows else { continue };
            while let Some(row) = rows.next().await.unwrap() {
                all.push(row.get_value(0).unwrap());
            }
        }
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(all, [Value::Integer(2), text("a;"), text("b")]);
    }

    #[tokio::test]
    async fn a_query_is_the_first_statement_of_its_text() {
        let db = fresh(SCHEMA).await;
        let sql = "SELECT 1 + ?; DROP TABLE t";
        assert_eq!(column(&db.connection, sql, [1]).await, integers([2]));
        assert_eq!(column(&db.connection, "SELECT id FROM t", ()).await, []);
    }
}

mod batches {
    use super::*;

    #[tokio::test]
    async fn a_transactional_batch_commits() {
        let db = fresh(SCHEMA).await;
        let sql = "INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (2, 'b')";
        db.connection.execute_transactional_batch(sql).await.unwrap();
        assert!(db.connection.is_autocommit());
        assert_eq!(column(&db.connect(), "SELECT id FROM t", ()).await, integers([1, 2]));
    }

    #[tokio::test]
    async fn a_failing_transactional_batch_changes_nothing() {
        let db = fresh(SCHEMA).await;
        let sql = "INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (2, 'a'); SELECT 1";
        let result = db.connection.execute_transactional_batch(sql).await;
        fails(result, "", "UNIQUE constraint failed: t.name");
        assert_eq!(column(&db.connection, "SELECT id FROM t", ()).await, []);
        // Nor is a transaction left in anybody's way.
        db.connect().execute("INSERT INTO t VALUES (1, 'a')", ()).await.unwrap();
    }
}

mod large {
    use super::*;

    #[tokio::test]
    async fn rows_stream_and_there_may_be_100_000() {
        let db = fresh("").await;
        let sql = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)
            SELECT i, 'row ' || i AS name FROM n";
        let mut rows = db.connection.query(sql, [100_000]).await.unwrap();
        assert_eq!(rows.column_name(1), Some("name"));
        let mut count = 0;
        while let Some(row) = rows.next().await.unwrap() {
            assert_eq!(row.get::<i64>(0).unwrap(), count);
            assert_eq!(row.get_str(1).unwrap(), format!("row {count}"));
            count += 1;
        }
        assert_eq!(count, 100_000);
        // One that nobody reads to its end is in nobody's way.
        let mut rows = db.connection.query(sql, [1_000_000_000]).await.unwrap();
        assert_eq!(rows.next().await.unwrap().unwrap().get::<i64>(0).unwrap(), 0);
        drop(rows);
        db.connect().execute_batch(SCHEMA).await.unwrap();
    }
}

mod parallel {
    use super::*;

    #[tokio::test]
    async fn fifty_calls_at_the_same_time() {
        let db = fresh(SCHEMA).await;
        let calls = (0..50).map(|id| {
            let connection = db.connect();
            async move {
                let sql = "INSERT INTO t VALUES (?, ?)";
                connection.execute(sql, params![id, format!("n{id}")]).await.unwrap();
                column(&connection, "SELECT id FROM t WHERE name = ?", [format!("n{id}")]).await
            }
        });
        let wanted: Vec<_> = (0..50).map(|id| integers([id])).collect();
        assert_eq!(join_all(calls).await, wanted);
        assert_eq!(column(&db.connection, "SELECT count(*) FROM t", ()).await, integers([50]));
    }
}
