//! What databases have used, and what their queries have cost.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::TestServer;

async fn get(server: &TestServer, path: &str) -> Value {
    let answer = server.platform(Method::GET, path, Value::Null).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Rows read and written.
async fn rows(server: &TestServer, database: &str) -> (u64, u64) {
    let usage = get(server, &format!("/v1/databases/{database}/usage")).await;
    let count = |name: &str| usage["database"]["usage"][name].as_u64().unwrap();
    (count("rows_read"), count("rows_written"))
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_counted_however_statements_are_sent() {
    let server = TestServer::start().await;
    server.create_database("other").await;
    assert_eq!(rows(&server, "default").await, (0, 0));
    let mut stream = server.stream();
    stream.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)").await;
    stream.execute("INSERT INTO t (b) VALUES (1), (2), (3), (4)").await;
    assert_eq!(rows(&server, "default").await, (0, 4));
    for _ in 0..3 {
        stream.execute("SELECT * FROM t").await;
    }
    stream.execute("SELECT b FROM t WHERE a = 2").await;
    assert_eq!(rows(&server, "default").await, (13, 4));
    // What fails has changed nothing, what is taken back was done.
    stream.execute("INSERT INTO t (a) VALUES (9), (1)").await;
    stream.sequence("BEGIN; UPDATE t SET b = 0 WHERE a < 3; ROLLBACK; SELECT * FROM t;").await;
    assert_eq!(rows(&server, "default").await, (17, 6));
    // One that ends in its second row has read two, or it could read without end for nothing.
    stream.execute("SELECT abs(CASE a WHEN 2 THEN -9223372036854775808 ELSE a END) FROM t").await;
    assert_eq!(rows(&server, "default").await, (19, 6));
    stream.execute("BEGIN").await;
    stream.execute("SELECT * FROM t").await;
    assert_eq!(rows(&server, "default").await, (23, 6), "also while the connection is held");
    stream.close().await;
    assert_eq!(server.get("/dump").await.status, 200);
    assert_eq!(rows(&server, "default").await, (27, 6));
    assert_eq!(rows(&server, "other").await, (0, 0));

    let usage = get(&server, "/v1/organizations/local/usage").await;
    let usage = &usage["organization"]["usage"];
    assert_eq!((&usage["rows_read"], &usage["rows_written"]), (&json!(27), &json!(6)));
    assert_eq!((&usage["databases"], &usage["groups"]), (&json!(2), &json!(1)));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_has_a_period_and_survives_a_restart() {
    let server = TestServer::start().await;
    server.execute("CREATE TABLE t (a)").await;
    server.execute("INSERT INTO t VALUES (zeroblob(100000))").await;
    let server = server.restart().await;
    assert_eq!(rows(&server, "default").await, (0, 1));
    for (period, written) in [
        ("from=2020-01-01T00:00:00Z", 1),
        ("from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z", 0),
        ("from=2999-01-01", 0),
        ("to=2999-01-01", 1),
        ("from=&to=", 1),
    ] {
        let usage = get(&server, &format!("/v1/databases/default/usage?{period}")).await;
        let usage = &usage["database"]["total"];
        assert_eq!(usage["rows_written"], written, "{period}");
        assert!(usage["storage_bytes"].as_u64().unwrap() > 100_000, "{usage}");
        assert_eq!(usage["bytes_synced"], 0);
    }
    let path = "/v1/databases/default/usage?from=yesterday";
    let answer = server.platform(Method::GET, path, Value::Null).await;
    assert!(answer.failure(400).contains("\"yesterday\" is not a date"));
    let answer = server.platform(Method::GET, "/v1/databases/none/usage", Value::Null).await;
    answer.failure(404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn top_queries_are_the_clients_own() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3);").await;
    for _ in 0..2 {
        stream.execute("SELECT a FROM t").await;
        server.execute(" SELECT a FROM t ;").await;
        server.execute(&format!("SELECT a, '{}' FROM t", "x".repeat(10_000))).await;
    }
    server.execute("SELECT 1").await;
    assert_eq!(server.get("/dump").await.status, 200);
    let path = "/v1/databases/default/usage/queries?from=2026-11-23T03:12:24Z";
    let queries = get(&server, path).await;
    let long = format!("SELECT a, '{}", "x".repeat(1013));
    let expected = json!([
        { "query": "SELECT a FROM t", "rows_read": 12, "rows_written": 0 },
        { "query": long, "rows_read": 6, "rows_written": 0 },
        { "query": "INSERT INTO t VALUES (1), (2), (3)", "rows_read": 0, "rows_written": 3 },
    ]);
    assert_eq!(queries, expected);
    let stats = get(&server, "/v1/databases/default/stats").await;
    assert_eq!(stats, json!({ "top_queries": expected }));
    let none = "/v1/databases/none/usage/queries";
    server.platform(Method::GET, none, Value::Null).await.failure(404);
    server.stop().await;
}
