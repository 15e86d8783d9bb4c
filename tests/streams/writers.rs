//! The queue of writers of one database, and readers beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::execute;
use crate::harness::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn writers_take_turns_and_readers_do_not_wait() {
    let server = TestServer::start().await;
    server.execute("CREATE TABLE t(a)").await;
    let server = Arc::new(server);
    let mut writers = JoinSet::new();
    for n in 0..60 {
        let server = Arc::clone(&server);
        writers.spawn(async move {
            let mut stream = server.stream();
            let insert = format!("BEGIN IMMEDIATE; INSERT INTO t VALUES({n})");
            assert_eq!(stream.sequence(&insert).await["type"], "ok");
            let started = Instant::now();
            server.execute("SELECT count(*) FROM t").await;
            assert!(started.elapsed() < Duration::from_secs(2), "a reader waited for writers");
            assert_eq!(stream.sequence("COMMIT").await["type"], "ok");
        });
    }
    writers.join_all().await;
    assert_eq!(server.execute("SELECT count(*) FROM t").await["rows"][0][0]["value"], "60");
    Arc::into_inner(server).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_waits_too_long_is_told_so() {
    let server = TestServer::start_with(&["--write-wait", "0.2"]).await;
    let mut holder = server.stream();
    holder.sequence("CREATE TABLE t(a); BEGIN IMMEDIATE").await;
    let error = server.execute("INSERT INTO t VALUES(1)").await;
    assert_eq!(error["code"], "SQLITE_BUSY");
    assert!(error["message"].as_str().unwrap().contains("database is locked"), "{error}");
    holder.sequence("COMMIT").await;
    assert_eq!(server.execute("INSERT INTO t VALUES(1)").await["affected_row_count"], 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_snapshot_cannot_write() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a); BEGIN; SELECT * FROM t").await;
    server.execute("INSERT INTO t VALUES(1)").await;
    let error = stream.execute("INSERT INTO t VALUES(2)").await;
    assert_eq!(error["code"], "SQLITE_BUSY");
    assert_eq!(error["extended_code"], "SQLITE_BUSY_SNAPSHOT");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_keeps_its_snapshot() {
    let server = TestServer::start().await;
    let mut reader = server.stream();
    reader.sequence("CREATE TABLE t(a); BEGIN; SELECT count(*) FROM t").await;
    server.execute("INSERT INTO t VALUES(1)").await;
    assert_eq!(reader.value("SELECT count(*) FROM t").await, "0");
    reader.execute("COMMIT").await;
    assert_eq!(reader.value("SELECT count(*) FROM t").await, "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_vanish_while_they_wait_leave_the_queue() {
    let server = TestServer::start().await;
    let mut holder = server.stream();
    holder.sequence("CREATE TABLE t(a); BEGIN IMMEDIATE").await;
    let requests = [execute("BEGIN IMMEDIATE"), execute("INSERT INTO t VALUES('late')")];
    let body = json!({ "requests": requests }).to_string();
    let length = body.len();
    let head = format!(
        "POST /v2/pipeline HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n"
    );
    for _ in 0..10 {
        let mut socket = TcpStream::connect(server.address()).await.unwrap();
        socket.write_all((head.clone() + &body).as_bytes()).await.unwrap();
    }
    holder.sequence("INSERT INTO t VALUES('first'); COMMIT").await;
    let inserted = server.execute("INSERT INTO t VALUES('last')").await;
    assert_eq!(inserted["affected_row_count"], 1);
    let all = server.execute("SELECT group_concat(a) FROM t").await;
    assert_eq!(all["rows"][0][0]["value"], "first,last");
    server.stop().await;
}
