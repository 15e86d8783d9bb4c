//! Streams over HTTP as their users notice them: batons, expiry, the queue of writers, clients that vanish.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::TestServer;

const ENDLESS: &str =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c";

fn execute(sql: &str) -> Value {
    json!({ "type": "execute", "stmt": { "sql": sql } })
}

/// Waits until `condition` holds, as long as a test can bear.
async fn eventually<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < Duration::from_secs(20), "it never came true");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baton_works_once_and_a_repeated_request_gets_the_same_reply() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.execute("CREATE TABLE t(a)").await;
    let baton = stream.baton.clone();
    let insert = json!([execute("INSERT INTO t VALUES(1)")]);
    let first = server.pipeline(baton.as_deref(), insert.clone()).await;
    let again = server.pipeline(baton.as_deref(), insert).await;
    assert_eq!(first.body, again.body);
    assert_eq!(server.execute("SELECT count(*) FROM t").await["rows"][0][0]["value"], "1");

    let other = server.pipeline(baton.as_deref(), json!([execute("SELECT 2")])).await;
    assert!(other.failure(400).contains("already been used"));
    // The stream itself is well.
    stream.baton = first.json()["baton"].as_str().map(str::to_owned);
    assert_eq!(stream.value("SELECT count(*) FROM t").await, "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_to_commit_and_close_can_be_had_again() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES(1)").await;
    let end = json!([execute("COMMIT"), { "type": "close" }]);
    let first = server.pipeline(stream.baton.as_deref(), end.clone()).await;
    let again = server.pipeline(stream.baton.as_deref(), end).await;
    assert_eq!(first.body, again.body);
    assert_eq!(first.json()["results"][0]["type"], "ok");
    assert_eq!(first.json()["baton"], Value::Null);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baton_is_good_on_its_own_database_only() {
    let server = TestServer::start().await;
    server.create_database("other").await;
    let mut stream = server.stream();
    stream.execute("SELECT 1").await;
    let body = json!({ "baton": stream.baton, "requests": [execute("SELECT 1")] }).to_string();
    let answer = server.post("/db/other/v3/pipeline", body).await;
    assert!(answer.failure(400).contains("invalid baton"));
    let long = "A".repeat(32);
    for baton in ["", "x", "😀", &long] {
        let answer = server.pipeline(Some(baton), json!([execute("SELECT 1")])).await;
        assert!(answer.failure(400).contains("invalid baton"), "{baton}");
    }
    assert_eq!(stream.value("SELECT 1").await, "1");
    server.stop().await;
}

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
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let kept = stream.request(json!({ "type": "execute", "stmt": { "sql_id": 1 } })).await;
    assert_eq!(kept["response"]["result"]["rows"][0][0]["value"], "kept");
    server.stop().await;
}

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
async fn a_statement_that_runs_too_long_takes_its_transaction_with_it() {
    let server = TestServer::start_with(&["--statement-timeout", "0.2"]).await;
    let error = server.execute(ENDLESS).await;
    assert_eq!(error["code"], "SQLITE_INTERRUPT");
    assert!(error["message"].as_str().unwrap().contains("longer than 0.2 s"), "{error}");

    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES(1)").await;
    let insert = format!("INSERT INTO t {ENDLESS}");
    assert_eq!(stream.execute(&insert).await["code"], "SQLITE_INTERRUPT");
    for sql in ["INSERT INTO t VALUES(2)", "SELECT 1", "COMMIT", "BEGIN"] {
        assert_eq!(stream.execute(sql).await["code"], "TRANSACTION_LOST", "{sql}");
    }
    let autocommit = stream.request(json!({ "type": "get_autocommit" })).await;
    assert_eq!(autocommit["response"]["is_autocommit"], false);
    assert!(stream.execute("ROLLBACK").await["rows"].is_array());
    assert_eq!(stream.value("SELECT count(*) FROM t").await, "0");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_was_asked_for_is_no_loss() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES(1); BEGIN").await;
    let error = stream.execute("INSERT OR ROLLBACK INTO t VALUES(1)").await;
    assert_eq!(error["extended_code"], "SQLITE_CONSTRAINT_UNIQUE");
    assert_eq!(stream.value("SELECT count(*) FROM t").await, "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_stops_its_statement() {
    let server = TestServer::start_with(&["--write-wait", "60"]).await;
    server.execute("CREATE TABLE t(a)").await;
    let requests = [execute("BEGIN IMMEDIATE"), execute(&format!("INSERT INTO t {ENDLESS}"))];
    let body = json!({ "requests": requests }).to_string();
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let head =
        format!("POST /v2/pipeline HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(body.as_bytes()).await.unwrap();
    // The statement has the write lock now, or will have it before the next one asks.
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(socket);
    let started = Instant::now();
    assert_eq!(server.execute("INSERT INTO t VALUES(2)").await["affected_row_count"], 1);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_endless_statements_of_one_tenant_leave_threads_to_another() {
    let server = TestServer::start_with(&["--statement-timeout", "3", "--threads", "4"]).await;
    server.create_database("calm").await;
    let body = json!({ "requests": [execute(ENDLESS)] }).to_string();
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = TcpStream::connect(server.address()).await.unwrap();
        let head = format!(
            "POST /v2/pipeline HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(body.as_bytes()).await.unwrap();
        sockets.push(socket);
    }
    let select = json!({ "requests": [execute("SELECT 1")] }).to_string();
    for _ in 0..5 {
        let started = Instant::now();
        let answer = server.post("/db/calm/v2/pipeline", select.clone()).await;
        assert_eq!(answer.status, 200);
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
    drop(sockets);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_is_left_behind_frees_its_transaction() {
    let server = TestServer::start_with(&["--transaction-idle", "30"]).await;
    server.execute("CREATE TABLE t(a)").await;
    let many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 3000000)
                SELECT n, 'some text that makes the row longer' FROM c";
    let steps =
        [json!({ "stmt": { "sql": "BEGIN IMMEDIATE" } }), json!({ "stmt": { "sql": many } })];
    let body = json!({ "batch": { "steps": steps } }).to_string();
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let head =
        format!("POST /v3/cursor HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(body.as_bytes()).await.unwrap();
    socket.readable().await.unwrap();
    drop(socket);
    eventually(async || server.execute("INSERT INTO t VALUES(1)").await["affected_row_count"] == 1)
        .await;
    server.stop().await;
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
