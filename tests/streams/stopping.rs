//! Statements that end before their time: by the limit, by their own will, or because their client has gone.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{batch, execute, post};
use crate::harness::{ENDLESS, Http, TestServer, eventually};

/// Their insertion takes a second, more or less.
const ROWS: u32 = 1_000_000;

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

/// SQLite looks at the clock every so many operations, and that may be when all is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_was_stopped_has_changed_nothing() {
    let server = TestServer::start_with(&["--statement-timeout", "0.000001"]).await;
    server.execute("CREATE TABLE t(a)").await;
    let mut done = Vec::new();
    let mut stopped = 0;
    for number in 0..900 {
        // Each with some more operations than the one before.
        let (rows, sums) = (10 + number / 30, " + x".repeat(number % 30));
        let sql = format!(
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < {rows})
             INSERT INTO t SELECT {number} FROM c WHERE x{sums} >= {rows}"
        );
        let outcome = server.execute(&sql).await;
        match outcome["code"].as_str() {
            None => done.push(number.to_string()),
            Some(code) => {
                assert_eq!(code, "SQLITE_INTERRUPT", "{outcome}");
                stopped += 1;
            }
        }
    }
    assert!(stopped > 100 && done.len() > 100, "{stopped} stopped, {} done", done.len());
    let server = server.restart().await;
    let mut stream = server.stream();
    let there = stream.value("SELECT group_concat(DISTINCT a) FROM t").await;
    assert_eq!(there, done.join(","));
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
    let server = TestServer::start_with(&["--write-wait", "0.2"]).await;
    server.execute("CREATE TABLE t(a)").await;
    let endless = format!("INSERT INTO t {ENDLESS}");
    let pipeline = json!({ "requests": [execute("BEGIN IMMEDIATE"), execute(&endless)] });
    let sequence = json!({ "requests": [{ "type": "sequence", "sql": endless }] });
    let batch = json!({ "batch": batch(&["BEGIN IMMEDIATE", &endless]) });
    let insert = "INSERT INTO t VALUES(1)";
    for (http, path, body) in [
        (Http::One, "/v2/pipeline", &pipeline),
        (Http::Two, "/v3/pipeline", &pipeline),
        (Http::Two, "/v3/pipeline", &sequence),
        (Http::One, "/v1/batch", &batch),
        (Http::One, "/v3/cursor", &batch),
        (Http::Two, "/v3/cursor", &batch),
        (Http::One, "/v1/execute", &json!({ "stmt": { "sql": endless } })),
        (Http::Two, "/", &json!({ "statements": [endless] })),
    ] {
        // It has the write lock when another writer is refused; then its client goes away.
        let is_busy = async || server.execute(insert).await["code"] == "SQLITE_BUSY";
        tokio::select! {
            answer = server.send(http, post(&server, path, body)) => panic!("{path}: {answer:?}"),
            () = eventually(is_busy) => {}
        }
        eventually(async || server.execute(insert).await["affected_row_count"] == 1).await;
    }
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
            "POST /v2/pipeline HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
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

/// One that was short is executed on the thread that has read it, and cannot be begun again: its transaction would be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_write_that_turns_out_long_in_its_transaction_leaves_its_thread_to_others() {
    let server = TestServer::start().await;
    server.create_database("calm").await;
    let insert = |rows: u32| {
        let sql =
            "INSERT INTO t WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c LIMIT ?)
                   SELECT x FROM c";
        let args = [json!({ "type": "integer", "value": rows.to_string() })];
        json!({ "type": "execute", "stmt": { "sql": sql, "args": args } })
    };
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a); BEGIN").await;
    for _ in 0..3 {
        stream.request(insert(1)).await;
    }
    let is_over = AtomicBool::new(false);
    let long = async {
        let result = stream.request(insert(ROWS)).await;
        is_over.store(true, Relaxed);
        result
    };
    let calm = async {
        let select = json!({ "requests": [execute("SELECT 1")] }).to_string();
        for _ in 0..20 {
            sleep(Duration::from_millis(2)).await;
            assert_eq!(server.post("/db/calm/v2/pipeline", select.clone()).await.status, 200);
        }
        assert!(!is_over.load(Relaxed), "nobody was served beside it");
    };
    let (result, ()) = tokio::join!(long, calm);
    assert_eq!(result["response"]["result"]["affected_row_count"], ROWS);
    stream.execute("COMMIT").await;
    assert_eq!(stream.value("SELECT count(*) FROM t").await, (ROWS + 3).to_string());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_statement_has_its_own_time() {
    let server = TestServer::start_with(&["--statement-timeout", "0.2"]).await;
    let steps = batch(&["SELECT 1", ENDLESS, "SELECT 2", ENDLESS, "SELECT 3"]);
    let result = server.stream().request(json!({ "type": "batch", "batch": steps })).await;
    let result = &result["response"]["result"];
    for (step, value) in [(0, "1"), (2, "2"), (4, "3")] {
        assert_eq!(result["step_results"][step]["rows"][0][0]["value"], value);
    }
    for step in [1, 3] {
        assert_eq!(result["step_errors"][step]["code"], "SQLITE_INTERRUPT");
    }
    let sequence = server.stream().sequence(&format!("SELECT 1; {ENDLESS}; SELECT 2")).await;
    assert_eq!(sequence["error"]["code"], "SQLITE_INTERRUPT");
    let stmt = json!({ "stmt": { "sql": ENDLESS } }).to_string();
    let answer = server.post("/v1/execute", stmt).await;
    assert_eq!(
        (answer.failure(408).is_empty(), &answer.json()["code"]),
        (false, &json!("SQLITE_INTERRUPT"))
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_runs_too_long_leaves_its_transaction_open() {
    let server = TestServer::start_with(&["--statement-timeout", "0.2"]).await;
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES(1)").await;
    assert_eq!(stream.execute(ENDLESS).await["code"], "SQLITE_INTERRUPT");
    assert_eq!(stream.value("SELECT count(*) FROM t").await, "1");
    stream.execute("COMMIT").await;
    assert_eq!(server.execute("SELECT count(*) FROM t").await["rows"][0][0]["value"], "1");
    server.stop().await;
}
