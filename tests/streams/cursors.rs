//! Cursors: results of any size, made while they are read.

use std::sync::Arc;

use bytes::Bytes;
use hrana_protocol::Encoding;
use hrana_protocol::http::CursorReqBody;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{batch, execute, post};
use crate::harness::{ENDLESS, Http, TestServer, eventually};

const ROWS: &str = "SELECT n, hex(zeroblob(100)) FROM c";

fn numbers(limit: &str) -> String {
    format!("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c {limit}) {ROWS}")
}

/// The entries of a cursor in JSON, line by line.
struct Lines {
    body: Incoming,
    read: Vec<u8>,
}

impl Lines {
    async fn open(server: &TestServer, http: Http, statements: &[&str]) -> Self {
        let body = json!({ "batch": batch(statements) });
        let answer = server.begin(http, post(server, "/v3/cursor", &body)).await;
        assert_eq!(answer.status(), 200);
        Lines { body: answer.into_body(), read: Vec::new() }
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let rest = self.read.split_off(end + 1);
                return Some(std::mem::replace(&mut self.read, rest).into());
            }
            let frame = self.body.frame().await?.unwrap();
            self.read.extend_from_slice(frame.data_ref()?);
        }
    }

    async fn entry(&mut self) -> Value {
        serde_json::from_slice(&self.next().await.expect("there is more")).unwrap()
    }

    /// Passes over `count` rows, after the entry that begins the step.
    async fn skip_rows(&mut self, count: usize) {
        for _ in 0..count {
            let line = self.next().await.expect("there is more");
            assert!(line.starts_with(br#"{"type":"row""#), "{line:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_without_end_flows_until_its_client_has_enough() {
    let server = TestServer::start().await;
    for http in [Http::One, Http::Two] {
        let mut lines = Lines::open(&server, http, &[&numbers("")]).await;
        assert!(lines.entry().await["baton"].is_string());
        assert_eq!(lines.entry().await["type"], "step_begin");
        lines.skip_rows(20_000).await;
        assert_eq!(lines.entry().await["row"][0]["value"], "20001");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_not_made_ahead_of_its_reader_and_its_stream_goes_on_after_it() {
    let server = Arc::new(TestServer::start().await);
    for http in [Http::One, Http::Two] {
        let many = numbers("LIMIT 200000");
        let mut lines = Lines::open(&server, http, &["BEGIN", &many, "SELECT 'end'"]).await;
        let baton = lines.entry().await["baton"].as_str().unwrap().to_owned();
        for expected in ["step_begin", "step_end", "step_begin"] {
            assert_eq!(lines.entry().await["type"], expected);
        }
        // The next request of the stream waits for the end of the cursor.
        let next = Arc::clone(&server);
        let next = tokio::spawn(async move {
            let requests = json!([execute("COMMIT"), { "type": "close" }]);
            next.pipeline(Some(&baton), requests).await
        });
        // What is left is more than the sockets hold: it has not been made yet.
        lines.skip_rows(120_000).await;
        assert!(!next.is_finished());
        lines.skip_rows(80_000).await;
        let mut kinds = Vec::new();
        while let Some(line) = lines.next().await {
            let entry: Value = serde_json::from_slice(&line).unwrap();
            kinds.push(entry["type"].as_str().unwrap().to_owned());
        }
        assert_eq!(kinds, ["step_end", "step_begin", "row", "step_end"]);
        assert_eq!(next.await.unwrap().json()["results"][0]["type"], "ok");
    }
    Arc::into_inner(server).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_is_left_behind_frees_its_transaction() {
    let server = TestServer::start_with(&["--transaction-idle", "30"]).await;
    server.execute("CREATE TABLE t(a)").await;
    for http in [Http::One, Http::Two] {
        let statements = ["BEGIN IMMEDIATE", "INSERT INTO t VALUES('lost')", &numbers("")];
        let mut lines = Lines::open(&server, http, &statements).await;
        let head = lines.entry().await;
        drop(lines);
        let insert = "INSERT INTO t VALUES('kept')";
        eventually(async || server.execute(insert).await["affected_row_count"] == 1).await;
        // Its stream is told what became of it.
        let again = server.pipeline(head["baton"].as_str(), json!([execute("COMMIT")])).await;
        assert!(again.failure(400).contains("disconnected during a request"));
        assert_eq!(again.json()["code"], "STREAM_EXPIRED");
    }
    let all = server.execute("SELECT group_concat(a) FROM t").await;
    assert_eq!(all["rows"][0][0]["value"], "kept,kept");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_cursor_arrives_in_one_piece_and_a_long_one_is_compressed() {
    let server = TestServer::start().await;
    for (http, encoding) in [(Http::One, Encoding::Json), (Http::Two, Encoding::Protobuf)] {
        let answer = async |sql: &str| {
            let batch = serde_json::from_value(batch(&[sql])).unwrap();
            let mut body = Vec::new();
            encoding.encode(&CursorReqBody { baton: None, batch }, &mut body);
            let path = if encoding == Encoding::Json { "v3" } else { "v3-protobuf" };
            let request = Request::post(server.url(&format!("/{path}/cursor")))
                .header("accept-encoding", "gzip")
                .body(Full::new(Bytes::from(body)));
            server.send(http, request.unwrap()).await
        };
        for sql in ["SELECT 'short'", "spam"] {
            let short = answer(sql).await;
            assert_eq!(short.header("content-length"), short.body.len().to_string(), "{sql}");
            assert_eq!(short.header("content-encoding"), "", "{sql}");
        }
        let long = answer("SELECT printf('%.*c', 9999, 'x')").await;
        assert_eq!(long.header("content-encoding"), "gzip");
        assert!(long.body.len() < 1000, "{}", long.body.len());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_baton_of_a_cursor_does_not_wait_for_a_long_statement() {
    let server = TestServer::start().await;
    for http in [Http::One, Http::Two] {
        let mut lines = Lines::open(&server, http, &[ENDLESS]).await;
        assert!(lines.entry().await["baton"].is_string());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_runs_too_long_ends_with_an_error_and_the_next_step_runs() {
    let server = TestServer::start_with(&["--statement-timeout", "0.1"]).await;
    let mut lines = Lines::open(&server, Http::One, &[&numbers(""), "SELECT 'next'"]).await;
    let baton = lines.entry().await["baton"].as_str().map(str::to_owned);
    let mut last = Value::Null;
    while let Some(line) = lines.next().await {
        if !line.starts_with(br#"{"type":"row""#) {
            last = serde_json::from_slice(&line).unwrap();
            if last["type"] == "step_error" {
                assert_eq!(
                    (&last["step"], &last["error"]["code"]),
                    (&json!(0), &json!("SQLITE_INTERRUPT"))
                );
                break;
            }
        }
    }
    assert_eq!(last["type"], "step_error");
    assert_eq!(lines.entry().await["type"], "step_begin");
    assert_eq!(lines.entry().await["row"][0]["value"], "next");
    assert_eq!(lines.entry().await["type"], "step_end");
    assert_eq!(lines.next().await, None);
    let answer = server.pipeline(baton.as_deref(), json!([execute("SELECT 1")])).await;
    assert_eq!(answer.json()["results"][0]["type"], "ok");
    server.stop().await;
}
