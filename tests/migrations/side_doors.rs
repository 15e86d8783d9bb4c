//! What a child refuses, by whatever way it comes; and what it leaves to its users.

use hyper::Method;
use serde_json::{Value, json};

use super::{ask, column, done, execute, fails, schema_of, start_with_children};
use crate::harness::socket::Socket;

/// Statements that would change the schema of a child.
const REFUSED: [&str; 22] = [
    "CREATE TABLE u (id)",
    "CREATE TABLE u AS SELECT 1",
    "CREATE TABLE IF NOT EXISTS u (id)",
    "CREATE INDEX i ON t (n)",
    "CREATE UNIQUE INDEX i ON t (n)",
    "CREATE VIEW v AS SELECT 1",
    "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE f USING fts5(x)",
    "CREATE VIRTUAL TABLE r USING rtree(id, a, b)",
    "DROP TABLE t",
    "DROP INDEX of_t",
    "ALTER TABLE t RENAME TO u",
    "ALTER TABLE t ADD COLUMN x",
    "ALTER TABLE t RENAME COLUMN n TO m",
    "ALTER TABLE t DROP COLUMN n",
    "PRAGMA user_version = 7",
    "PRAGMA application_id = 7",
    "PRAGMA writable_schema = ON",
    "INSERT INTO sqlite_schema VALUES ('table', 'u', 'u', 0, 'CREATE TABLE u (id)')",
    "UPDATE sqlite_schema SET sql = 'CREATE TABLE t (x)'",
    "DELETE FROM sqlite_schema",
    "EXPLAIN CREATE TABLE u (id)",
];

/// What they may do: their rows, and what is for themselves alone.
const ALLOWED: [&str; 12] = [
    "INSERT INTO t (n) VALUES (1)",
    "UPDATE t SET n = n + 1",
    "INSERT INTO t (n) VALUES (2) ON CONFLICT DO UPDATE SET n = 3",
    "DELETE FROM t",
    "CREATE TEMP TABLE mine (id)",
    "CREATE TEMP VIEW seen AS SELECT * FROM t",
    "CREATE TEMP TRIGGER mine AFTER INSERT ON t BEGIN DELETE FROM t; END",
    "PRAGMA user_version",
    "PRAGMA table_info(t)",
    "REINDEX",
    "ANALYZE",
    "WITH x AS (SELECT 1) SELECT * FROM x, t",
];

#[tokio::test(flavor = "multi_thread")]
async fn children_refuse_schema_changes_by_every_statement_and_transport() {
    let server = start_with_children(&[]).await;
    done(&server, "sch", "CREATE INDEX of_t ON t (n)").await;
    super::create_child(&server, "a", "sch").await;
    let before = schema_of(&server, "a").await;
    let mut socket = Socket::ready_on(&server, "/db/a/", "hrana3").await;
    for sql in REFUSED {
        let why = fails(&server, "a", sql).await;
        assert!(!why.is_empty());
        // In a batch, as a script, in the cursor, by the oldest protocols, in a transaction.
        let batch = json!({ "type": "batch", "batch": { "steps": [{ "stmt": { "sql": sql } }] } });
        let script = json!({ "type": "sequence", "sql": format!("SELECT 1; {sql}") });
        let transaction = [execute("BEGIN"), execute(sql), execute("COMMIT")];
        let requests = json!([batch, script, transaction[0], transaction[1], transaction[2]]);
        let answer = ask(&server, "a", "", requests).await.json();
        let step = &answer["results"][0]["response"]["result"]["step_errors"][0];
        assert!(step["message"].is_string(), "{sql}: {answer}");
        for index in [1, 3] {
            assert_eq!(answer["results"][index]["type"], "error", "{sql}: {answer}");
        }
        for (path, body) in [
            ("/db/a/", json!({ "statements": [sql] })),
            ("/db/a/v1/execute", json!({ "stmt": { "sql": sql } })),
            ("/db/a/v1/batch", json!({ "batch": { "steps": [{ "stmt": { "sql": sql } }] } })),
            ("/db/a/v3/cursor", json!({ "batch": { "steps": [{ "stmt": { "sql": sql } }] } })),
        ] {
            let answer = server.request(Method::POST, path, &[], body.to_string()).await;
            let text = answer.text();
            assert!(text.contains("rror"), "{path}: {sql}: {text}");
        }
        assert_eq!(socket.execute(sql).await["message"], why, "{sql}");
    }
    assert_eq!(schema_of(&server, "a").await, before);
    assert_eq!(done(&server, "a", "PRAGMA user_version").await["rows"][0][0]["value"], "0");
    for sql in ALLOWED {
        done(&server, "a", sql).await;
    }
    let after: Vec<_> = schema_of(&server, "a").await;
    let statistics = |sql: &String| sql.contains("sqlite_stat");
    let after: Vec<_> = after.into_iter().filter(|sql| !statistics(sql)).collect();
    assert_eq!(after, before);
    drop(socket);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_says_where_the_schema_is_changed() {
    let server = start_with_children(&["a"]).await;
    let why = fails(&server, "a", "CREATE TABLE u (id)").await;
    assert!(
        why.contains(
            "the schema of this database is that of the schema database sch; change it there"
        ),
        "{why}"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bookkeeping_is_seen_nowhere() {
    let server = start_with_children(&["a"]).await;
    done(&server, "sch", "ALTER TABLE t ADD COLUMN m").await;
    done(&server, "a", "INSERT INTO t (id) VALUES (1)").await;
    assert_eq!(
        column(&server, "a", "SELECT name FROM sqlite_schema WHERE sql IS NOT NULL").await,
        ["t"]
    );
    for sql in ["PRAGMA user_version", "PRAGMA application_id"] {
        assert_eq!(done(&server, "a", sql).await["rows"][0][0]["value"], "0", "{sql}");
    }
    let dump = server.get("/db/a/dump").await;
    let dump = dump.text();
    let tables = dump.matches("CREATE TABLE").count();
    assert!(tables == 1 && !dump.contains("PRAGMA default_cache_size"), "{dump}");
    let listed = server.platform(Method::GET, "/v1/databases", Value::Null).await.json();
    let names: Vec<_> =
        listed["databases"].as_array().unwrap().iter().map(|one| &one["Name"]).collect();
    assert_eq!(names, ["a", "default", "sch"]);
    let children =
        server.platform(Method::GET, "/v1/databases?schema=sch", Value::Null).await.json();
    assert_eq!(children["databases"].as_array().unwrap().len(), 1);
    assert_eq!(children["databases"][0]["schema"], "sch");
    // The mark is out of everybody's reach.
    for sql in ["PRAGMA default_cache_size", "PRAGMA default_cache_size = 5"] {
        assert!(fails(&server, "a", sql).await.contains("not available"), "{sql}");
    }
    done(&server, "sch", "ALTER TABLE t ADD COLUMN o").await;
    server.stop().await;
}
