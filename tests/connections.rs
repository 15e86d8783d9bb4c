//! Connections of clients that ask for nothing are let go; those of clients that wait for an answer are not.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hyper::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::harness::{ENDLESS, TestServer};

/// How long clients may be silent here.
const SILENCE: Duration = Duration::from_millis(500);

/// More than that, on a busy machine too.
const LATE: Duration = Duration::from_secs(10);

/// Reads until the server closes; what it said, if it has closed in time.
async fn until_closed(socket: &mut TcpStream) -> Option<String> {
    let mut said = Vec::new();
    timeout(LATE, socket.read_to_end(&mut said)).await.ok()?.ok()?;
    Some(String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_to_the_end_of_a_head_is_let_go() {
    let server = TestServer::impatient().await;
    let check = async |name: &str, said: &str| {
        let mut socket = TcpStream::connect(server.address()).await.unwrap();
        socket.write_all(said.as_bytes()).await.unwrap();
        let started = Instant::now();
        assert_eq!(until_closed(&mut socket).await.as_deref(), Some(""), "{name}");
        // A part of it may be over before the server looks first.
        assert!(started.elapsed() > SILENCE / 2, "{name}: {:?}", started.elapsed());
    };
    join_all([
        check("nothing", ""),
        check("one byte", "P"),
        check("half of how HTTP/2 begins", "PRI * HTTP/2.0\r\n"),
        check("half a head", "GET /version HTTP/1.1\r\nhost: localhost\r\n"),
    ])
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_now_and_then_does_not_keep_a_connection() {
    let server = TestServer::impatient().await;
    let socket = TcpStream::connect(server.address()).await.unwrap();
    let (mut listens, mut speaks) = socket.into_split();
    let speaking = tokio::spawn(async move {
        speaks.write_all(b"GET /version HTTP/1.1\r\nx: ").await.unwrap();
        while speaks.write_all(b"x").await.is_ok() {
            sleep(SILENCE / 10).await;
        }
    });
    let mut said = Vec::new();
    // A reset is an end as well.
    let _ = timeout(LATE, listens.read_to_end(&mut said)).await.expect("it is still open");
    assert_eq!(said, b"");
    speaking.abort();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_kept_for_later_is_let_go_but_not_between_requests() {
    let server = TestServer::impatient().await;
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let started = Instant::now();
    let mut answer = [0; 4096];
    while started.elapsed() < SILENCE * 3 {
        socket.write_all(b"GET /version HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let length = socket.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200 "));
        sleep(SILENCE / 5).await;
    }
    assert_eq!(until_closed(&mut socket).await.as_deref(), Some(""));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_an_answer_is_not_silent() {
    let server = TestServer::impatient().await;
    let execute = json!({ "type": "execute", "stmt": { "sql": ENDLESS } });
    let pipeline = json!({ "requests": [execute, { "type": "close" }] });
    // Its first lines come at once, and nothing for long then.
    let cursor = json!({ "batch": { "steps": [{ "stmt": { "sql": ENDLESS } }] } });
    let ask = async |path: &str, body: String| {
        let answer = server.request(Method::POST, path, &[], body).await;
        (answer.status, String::from_utf8(answer.body.to_vec()).unwrap())
    };
    let (pipeline, cursor) = tokio::join!(
        ask("/v2/pipeline", pipeline.to_string()),
        ask("/v3/cursor", cursor.to_string())
    );
    for (status, body) in [pipeline, cursor] {
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("SQLITE_INTERRUPT"), "{body}");
    }
    server.stop().await;
}
