//! What is said to a schema database, and what becomes of it: each transaction, and each request outside of one, is
//! one migration.

use serde_json::{Value, json};

use super::{ask, column, done, execute, fails, get, schema_of, start_with_children};
use crate::harness::TestServer;

async fn newest_job(server: &TestServer) -> i64 {
    get(server, "/db/sch/v1/jobs").await["migrations"][0]["job_id"].as_i64().unwrap()
}

/// Continues a stream.
async fn go_on(server: &TestServer, baton: &mut Value, requests: Value) -> Value {
    let body = json!({ "baton": baton, "requests": requests }).to_string();
    let answer = server.post("/db/sch/v3/pipeline", body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut answer = answer.json();
    *baton = answer["baton"].take();
    answer["results"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interactive_transaction_becomes_one_job_at_its_commit() {
    let server = start_with_children(&["a", "b"]).await;
    let mut baton = Value::Null;
    // As Goose does: statement by statement, with a look in between.
    for sql in
        ["BEGIN", "CREATE TABLE u (id)", "CREATE INDEX of_u ON u (id)", "INSERT INTO u VALUES (7)"]
    {
        let results = go_on(&server, &mut baton, json!([execute(sql)])).await;
        assert_eq!(results[0]["type"], "ok", "{sql}: {results}");
    }
    let inside = go_on(&server, &mut baton, json!([execute("SELECT id FROM u")])).await;
    assert_eq!(inside[0]["response"]["result"]["rows"][0][0]["value"], "7");
    assert!(fails(&server, "a", "SELECT * FROM u").await.contains("no such table"));
    assert_eq!(newest_job(&server).await, 1);
    let ended = go_on(&server, &mut baton, json!([execute("COMMIT"), { "type": "close" }])).await;
    assert_eq!(ended[0]["type"], "ok", "{ended}");
    assert_eq!(newest_job(&server).await, 2);
    for name in ["sch", "a", "b"] {
        assert_eq!(column(&server, name, "SELECT id FROM u").await, ["7"]);
    }

    for (number, begin) in
        ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE", "BEGIN CONCURRENT"].iter().enumerate()
    {
        let sql = format!("CREATE TABLE v{number} (id)");
        let requests =
            json!([execute(begin), execute(&sql), execute("COMMIT"), { "type": "close" }]);
        let answer = ask(&server, "sch", "", requests).await.json();
        let results = answer["results"].as_array().unwrap();
        assert!(results.iter().all(|result| result["type"] == "ok"), "{begin}: {answer}");
        done(&server, "a", &format!("SELECT * FROM v{number}")).await;
    }

    let mut baton = Value::Null;
    let requests = json!([execute("BEGIN"), execute("DROP TABLE u"), execute("ROLLBACK")]);
    let results = go_on(&server, &mut baton, requests).await;
    assert!(results.as_array().unwrap().iter().all(|result| result["type"] == "ok"), "{results}");
    assert_eq!(newest_job(&server).await, 5);
    assert_eq!(column(&server, "a", "SELECT id FROM u").await, ["7"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_a_batch_and_the_oldest_protocol_are_one_job_each() {
    let server = start_with_children(&["a"]).await;
    let script = json!([
        { "type": "sequence", "sql": "CREATE TABLE u (id); INSERT INTO u VALUES (1); INSERT INTO u VALUES (2);" },
        { "type": "close" },
    ]);
    let answer = ask(&server, "sch", "", script).await.json();
    assert_eq!(answer["results"][0]["type"], "ok", "{answer}");
    assert_eq!(newest_job(&server).await, 2);
    assert_eq!(column(&server, "a", "SELECT id FROM u ORDER BY id").await, ["1", "2"]);
    // The shell's batches: no step waits for another.
    let steps =
        json!([{ "stmt": { "sql": "CREATE TABLE v (id)" } }, { "stmt": { "sql": "SELECT 1" } }]);
    let batch = json!([{ "type": "batch", "batch": { "steps": steps } }, { "type": "close" }]);
    let answer = ask(&server, "sch", "", batch).await.json();
    assert_eq!(answer["results"][0]["response"]["result"]["step_errors"], json!([null, null]));
    assert_eq!(newest_job(&server).await, 3);
    let answer =
        server.post("/db/sch/", json!({ "statements": ["CREATE TABLE w (id)"] }).to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(newest_job(&server).await, 4);
    assert_eq!(schema_of(&server, "a").await, schema_of(&server, "sch").await);
    // What changes nothing is no migration.
    for sql in [
        "SELECT * FROM u",
        "PRAGMA user_version",
        "PRAGMA foreign_keys = OFF",
        "CREATE TABLE IF NOT EXISTS u (id)",
    ] {
        done(&server, "sch", sql).await;
    }
    assert_eq!(newest_job(&server).await, 4);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_changes_in_a_row_reach_every_child() {
    let server = start_with_children(&["a", "b"]).await;
    for number in 0..50 {
        done(&server, "sch", &format!("ALTER TABLE t ADD COLUMN c{number}")).await;
    }
    assert_eq!(newest_job(&server).await, 51);
    for name in ["a", "b"] {
        assert_eq!(schema_of(&server, name).await, schema_of(&server, "sch").await);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_rebuilt_below_those_that_refer_to_it() {
    let server = start_with_children(&["a"]).await;
    done(&server, "sch", "CREATE TABLE r (t INTEGER REFERENCES t (id))").await;
    done(&server, "a", "INSERT INTO t VALUES (1, 1)").await;
    done(&server, "a", "INSERT INTO r VALUES (1)").await;
    let rebuild = "CREATE TABLE new_t (id INTEGER PRIMARY KEY, n UNIQUE NOT NULL);
        INSERT INTO new_t SELECT id, n FROM t; DROP TABLE t; ALTER TABLE new_t RENAME TO t;";
    let answer = ask(
        &server,
        "sch",
        "",
        json!([{ "type": "sequence", "sql": rebuild }, { "type": "close" }]),
    )
    .await;
    assert_eq!(answer.json()["results"][0]["type"], "ok", "{answer:?}");
    assert_eq!(column(&server, "a", "SELECT t FROM r JOIN t ON t.id = r.t").await, ["1"]);
    let why = fails(&server, "sch", "DELETE FROM t").await;
    assert!(why.contains("`a`") && why.contains("table r in row 1"), "{why}");
    assert_eq!(column(&server, "a", "SELECT id FROM t").await, ["1"]);
    server.stop().await;
}
