//! Streams between two requests: what they keep, and when they expire.

use std::time::Duration;

use serde_json::{Value, json};

use super::{batch, execute, post};
use crate::harness::{Http, TestServer, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_finds_its_own_history_on_another_connection() {
    let server = TestServer::start().await;
    let mut one = server.stream();
    one.execute("CREATE TABLE t(a INTEGER PRIMARY KEY)").await;
    one.execute("INSERT INTO t VALUES(41), (42)").await;
    // Others use the connections meanwhile.
    let mut two = server.stream();
    assert_eq!(two.value("SELECT last_insert_rowid()").await, "0");
    assert_eq!(two.value("SELECT changes() + total_changes()").await, "0");
    assert_eq!(two.execute("UPDATE t SET a = a").await["last_insert_rowid"], Value::Null);
    two.execute("INSERT INTO t VALUES(7)").await;
    assert_eq!(one.value("SELECT last_insert_rowid()").await, "42");
    assert_eq!(one.value("SELECT changes()").await, "2");
    assert_eq!(one.value("SELECT total_changes()").await, "2");
    assert_eq!(two.value("SELECT last_insert_rowid()").await, "7");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_objects_and_pragmas_stay_on_their_stream() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.sequence("CREATE TEMP TABLE mine(a); PRAGMA foreign_keys = off").await;
    assert_eq!(stream.value("SELECT count(*) FROM mine").await, "0");
    assert_eq!(stream.value("PRAGMA foreign_keys").await, "0");
    let other = server.execute("SELECT * FROM mine").await;
    assert_eq!(other["message"], "SQLite error: no such table: mine");
    assert_eq!(server.execute("PRAGMA foreign_keys").await["rows"][0][0]["value"], "1");
    stream.close().await;
    for _ in 0..20 {
        assert_eq!(server.execute("PRAGMA foreign_keys").await["rows"][0][0]["value"], "1");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_transaction_is_rolled_back_and_nothing_runs_outside_it() {
    let server = TestServer::start_with(&["--transaction-idle", "0.3"]).await;
    server.execute("CREATE TABLE t(a)").await;
    let mut idle = server.stream();
    idle.sequence("BEGIN IMMEDIATE; INSERT INTO t VALUES(1)").await;
    // The next writer gets the lock when the idle one loses it.
    assert_eq!(server.execute("INSERT INTO t VALUES(2)").await["affected_row_count"], 1);
    for sql in ["INSERT INTO t VALUES(3)", "COMMIT", "SELECT 1"] {
        let answer = server.pipeline(idle.baton.as_deref(), json!([execute(sql)])).await;
        assert_eq!(answer.failure(400), "The stream has expired due to inactivity");
        assert_eq!(answer.json()["code"], "STREAM_EXPIRED");
    }
    idle.close().await;
    let rows = server.execute("SELECT group_concat(a) FROM t").await;
    assert_eq!(rows["rows"][0][0]["value"], "2");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_outside_a_transaction_does_not_expire() {
    let server = TestServer::start_with(&["--transaction-idle", "0.1"]).await;
    let mut stream = server.stream();
    stream.request(json!({ "type": "store_sql", "sql_id": 1, "sql": "SELECT 'kept'" })).await;
    // Longer than the limit, and than the server takes to look at all streams.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let kept = stream.request(json!({ "type": "execute", "stmt": { "sql_id": 1 } })).await;
    assert_eq!(kept["response"]["result"]["rows"][0][0]["value"], "kept");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_stream_refuses_everything_but_to_be_closed() {
    let server = TestServer::start_with(&["--transaction-idle", "0.3"]).await;
    let mut idle = server.stream();
    idle.sequence("CREATE TABLE t(a); BEGIN IMMEDIATE").await;
    eventually(async || server.execute("INSERT INTO t VALUES(0)").await["rows"].is_array()).await;
    let close = json!({ "type": "close" });
    let insert = json!({ "sql": "INSERT INTO t VALUES(1)" });
    for requests in [
        json!([{ "type": "sequence", "sql": insert["sql"] }]),
        json!([{ "type": "batch", "batch": { "steps": [{ "stmt": insert }] } }]),
        json!([{ "type": "describe", "sql": "SELECT 1" }]),
        json!([{ "type": "store_sql", "sql_id": 1, "sql": "SELECT 1" }]),
        json!([{ "type": "get_autocommit" }]),
        json!([execute("ROLLBACK")]),
        json!([execute("INSERT INTO t VALUES(1)"), close]),
        json!([]),
    ] {
        let answer = server.pipeline(idle.baton.as_deref(), requests.clone()).await;
        answer.failure(400);
        assert_eq!(answer.json()["code"], "STREAM_EXPIRED", "{requests}");
    }
    let body = json!({ "baton": idle.baton, "batch": batch(&["INSERT INTO t VALUES(1)"]) });
    let answer = server.send(Http::Two, post(&server, "/v3/cursor", &body)).await;
    answer.failure(400);
    assert_eq!(answer.json()["code"], "STREAM_EXPIRED");
    idle.close().await;
    assert_eq!(server.execute("SELECT sum(a) FROM t").await["rows"][0][0]["value"], "0");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_rolls_open_transactions_back() {
    let server = TestServer::start().await;
    let mut streams = [server.stream(), server.stream()];
    streams[0].sequence("CREATE TABLE t(a); BEGIN IMMEDIATE; INSERT INTO t VALUES(1)").await;
    streams[1].sequence("BEGIN; SELECT * FROM t").await;
    server.stop().await;
}
