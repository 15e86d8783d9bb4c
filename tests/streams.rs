//! Streams over HTTP as their users notice them: batons, expiry, the queue of writers, clients that vanish.

mod batons;
mod cursors;
mod parking;
mod revoked;
mod stopping;
mod writers;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use crate::harness::{ENDLESS, TestServer};

/// It has a row when it has run for ever.
fn execute(sql: &str) -> Value {
    json!({ "type": "execute", "stmt": { "sql": sql } })
}

/// A batch of these statements.
fn batch(statements: &[&str]) -> Value {
    let step = |sql: &&str| json!({ "stmt": { "sql": sql } });
    json!({ "steps": statements.iter().map(step).collect::<Vec<_>>() })
}

fn post(server: &TestServer, path: &str, body: &Value) -> Request<Full<Bytes>> {
    Request::post(server.url(path)).body(Full::new(Bytes::from(body.to_string()))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_keeps_its_head_when_a_step_turns_out_slow() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream
        .sequence("CREATE TABLE t(a); INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100000) SELECT n FROM c")
        .await;
    let steps = json!([{ "stmt": { "sql": "SELECT 1" } }, { "stmt": { "sql": "SELECT count(*) + sum(a) FROM t" } }]);
    for _ in 0..20 {
        let body = json!({ "batch": { "steps": steps } }).to_string();
        let answer = server.post("/v3/cursor", body).await;
        let lines: Vec<Value> =
            answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let kinds: Vec<_> = lines[1..].iter().map(|line| line["type"].as_str().unwrap()).collect();
        assert!(lines[0]["baton"].is_string(), "{}", lines[0]);
        assert_eq!(kinds, ["step_begin", "row", "step_end", "step_begin", "row", "step_end"]);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_transaction_ends_with_rollback_and_nothing_else() {
    let server = TestServer::start_with(&["--statement-timeout", "0.2"]).await;
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES(1)").await;
    stream.execute(&format!("INSERT INTO t {ENDLESS}")).await;
    for sql in ["EXPLAIN ROLLBACK", "PRAGMA foreign_keys = off", "ROLLBACK TO s", "DROP TABLE t"] {
        assert_eq!(stream.execute(sql).await["code"], "TRANSACTION_LOST", "{sql}");
    }
    assert!(stream.execute("/* now */ rollback;").await["rows"].is_array());
    assert_eq!(stream.value("PRAGMA foreign_keys").await, "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_change_the_schema_is_a_write_even_when_there_is_nothing_to_do() {
    let server = TestServer::start().await;
    server.execute("CREATE TABLE t(a)").await;
    let mut stream = server.stream();
    for _ in 0..3 {
        assert!(stream.execute("DROP TRIGGER IF EXISTS g").await["rows"].is_array());
    }
    stream.execute("BEGIN READONLY").await;
    let error = stream.execute("DROP TRIGGER IF EXISTS g").await;
    assert_eq!(error["code"], "SQLITE_READONLY", "{error}");
    stream.execute("ROLLBACK").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn describe_sees_what_others_changed() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a)").await;
    let describe = json!({ "type": "describe", "sql": "SELECT * FROM t" });
    stream.execute("BEGIN").await;
    stream.execute("SELECT * FROM t").await;
    stream.execute("COMMIT").await;
    server.execute("ALTER TABLE t ADD COLUMN b").await;
    let described = stream.request(describe.clone()).await;
    assert_eq!(described["response"]["result"]["cols"][1]["name"], "b");
    server.execute("DROP TABLE t").await;
    assert_eq!(stream.request(describe).await["type"], "error");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_others_stay_theirs_after_ddl() {
    let server = TestServer::start().await;
    server.stream().sequence("CREATE TABLE t(a); INSERT INTO t VALUES(1), (2), (3)").await;
    let mut fresh = server.stream();
    fresh.execute("CREATE TABLE u(a)").await;
    assert_eq!(fresh.value("SELECT changes()").await, "0");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_made_anew_elsewhere_is_seen_everywhere() {
    let server = TestServer::start().await;
    let mut streams = [server.stream(), server.stream(), server.stream()];
    server.execute("CREATE TABLE t(a)").await;
    for stream in &mut streams {
        // Each on a connection of its own, which reads the schema.
        stream.execute("BEGIN").await;
        stream.execute("SELECT * FROM t").await;
    }
    for stream in &mut streams {
        stream.execute("COMMIT").await;
    }
    server.stream().sequence("DROP TABLE t; CREATE TABLE t(a, b)").await;
    for stream in &mut streams {
        stream.execute("BEGIN IMMEDIATE").await;
        let inserted = stream.execute("INSERT INTO t VALUES(1, 2)").await;
        assert_eq!(inserted["affected_row_count"], 1, "{inserted}");
        stream.execute("COMMIT").await;
    }
    server.stop().await;
}
