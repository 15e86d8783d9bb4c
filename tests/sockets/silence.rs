//! Clients that say nothing, or take nothing: each is let go, with what it made the server hold.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::raw::{RawSocket, frame};
use crate::harness::socket::Socket;
use crate::harness::{ENDLESS, TestServer, eventually};
use crate::program::{self, Program};

async fn until_gone(server: &TestServer) {
    eventually(async || server.in_use() == Default::default()).await;
}

fn execute(stream: i32, sql: &str) -> Value {
    json!({ "type": "execute", "stream_id": stream, "stmt": { "sql": sql } })
}

/// A peer that has gone without a word: its machine has no power, or a firewall forgot it.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_answer_pings_is_closed_and_one_that_does_is_not() {
    let server = TestServer::impatient().await;
    let mut there = Socket::ready(&server).await;
    let mut gone = RawSocket::open(&server, "hrana3").await;
    gone.text(r#"{"type":"hello","jwt":null}"#).await;
    gone.text(
        r#"{"type":"request","request_id":1,"request":{"type":"open_stream","stream_id":1}}"#,
    )
    .await;
    let begin = execute(1, "BEGIN IMMEDIATE");
    gone.text(&json!({ "type": "request", "request_id": 2, "request": begin }).to_string()).await;
    let started = Instant::now();
    let listening = tokio::spawn(async move {
        // Pings are answered while somebody waits for messages.
        let heard = tokio::time::timeout(Duration::from_secs(2), there.hear()).await;
        assert!(heard.is_err(), "{heard:?}");
        assert_eq!(there.execute("SELECT 1").await["type"], "execute");
    });
    let closed = gone.closed().await;
    assert_eq!(closed, Some((1001, "the client was silent for too long".to_owned())));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    // What it held is free.
    assert_eq!(server.execute("CREATE TABLE t(a)").await["cols"], json!([]));
    listening.await.unwrap();
    drop(gone);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_us_is_not_silent() {
    let server = TestServer::impatient().await;
    let mut socket = Socket::ready(&server).await;
    // The first takes 1.5 s, three times as long as a client may be silent. Nothing else is read meanwhile.
    let count = i32::try_from(hranad::limits::SOCKET_OUTSTANDING_MAX).unwrap() + 10;
    socket.request(0, execute(1, ENDLESS)).await;
    for id in 1..count {
        socket.request(id, execute(1, "SELECT 1")).await;
    }
    for id in 0..count {
        let answer = socket.hear().await;
        let kind = if id == 0 { "response_error" } else { "response_ok" };
        assert!(answer["request_id"] == id && answer["type"] == kind, "{answer}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_no_replies_is_let_go() {
    let server = TestServer::impatient().await;
    let mut socket = Socket::ready(&server).await;
    let large = json!({ "type": "request", "request_id": 1, "request": execute(1, "SELECT zeroblob(4000000)") });
    let message = Message::text(large.to_string());
    while socket.frames.send(message.clone()).await.is_ok() {}
    drop(socket);
    until_gone(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_client_that_takes_no_reply_is_let_go() {
    // The endless statement goes on until the buffers of the system are full, however slow the machine is.
    let server = TestServer::start_with(&["--client-silence", "0.5"]).await;
    let mut sockets = Vec::new();
    for path in ["/v3/pipeline", "/v3/cursor"] {
        let body = match path {
            "/v3/pipeline" => {
                json!({ "requests": [{ "type": "execute", "stmt": { "sql": "SELECT zeroblob(12000000)" } }] })
            }
            _ => {
                json!({ "batch": { "steps": [{ "stmt": { "sql": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c" } }] } })
            }
        };
        let body = body.to_string();
        let address = server.address();
        let mut socket = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all((head + &body).as_bytes()).await.unwrap();
        sockets.push(socket);
    }
    until_gone(&server).await;
    drop(sockets);
    server.stop().await;
}

/// The reason reaches also a client that is still talking.
#[tokio::test(flavor = "multi_thread")]
async fn a_close_arrives_whatever_the_client_goes_on_to_say() {
    let server = TestServer::start().await;
    for (name, bytes) in [
        ("a reserved opcode", [0x83, 0x80, 0, 0, 0, 0]),
        ("no mask", [0x81, 4, b'{', b'"', b'"', b'}']),
    ] {
        let mut socket = RawSocket::open(&server, "hrana3").await;
        socket.text(r#"{"type":"hello","jwt":null}"#).await;
        socket.request(1, json!({ "type": "open_stream", "stream_id": 1 })).await;
        socket.request(2, execute(1, "SELECT zeroblob(900000)")).await;
        for _ in 0..3 {
            socket.arrival().await;
        }
        // The beginning of a large reply has arrived; most of it is still on its way.
        assert!(socket.try_raw(&bytes).await);
        // Some may not be taken any more.
        let _ = socket.try_raw(&vec![b'x'; 300_000]).await;
        eventually(async || server.in_use() == Default::default()).await;
        let (code, reason) = socket.closed().await.expect(name);
        assert_eq!(code, 1002, "{name}: {reason}");
    }
    server.stop().await;
}

/// A server as a process of its own, whose memory is nobody else's; and a socket with 200 streams.
async fn crowd(directory: &Path) -> (Program, RawSocket) {
    let mut command = program::command();
    command.args(["--listen", "127.0.0.1:0", "--client-silence", "2", "--data-dir"]).arg(directory);
    let program = Program::run(command);
    let mut socket = RawSocket::open_at(program.address(), "hrana3").await;
    socket.text(r#"{"type":"hello","jwt":null}"#).await;
    for id in 1..=200 {
        socket.request(id, json!({ "type": "open_stream", "stream_id": id })).await;
    }
    (program, socket)
}

/// The most memory that the process has had, in MiB.
fn most_memory(program: &Program) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_nobody_takes_do_not_pile_up() {
    let directory = tempfile::tempdir().unwrap();
    let (program, mut socket) = crowd(directory.path()).await;
    for id in 1..=200 {
        socket.request(id, execute(id, "SELECT zeroblob(8000000)")).await;
    }
    // It says something all the time, but takes nothing.
    while socket.try_raw(&frame(0x89, b"still here")).await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // All together are 1,600 MB.
    let memory = most_memory(&program);
    assert!(memory < 500, "{memory} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_do_not_pile_up() {
    let directory = tempfile::tempdir().unwrap();
    let (program, mut socket) = crowd(directory.path()).await;
    socket.request(0, execute(1, ENDLESS)).await;
    let text = format!("SELECT 1 -- {}", "x".repeat(10_000_000));
    let asking = async {
        for id in 1..100 {
            socket.request(id, execute(1, &text)).await;
        }
    };
    // The server stops to read long before that.
    let asked = tokio::time::timeout(Duration::from_secs(3), asking).await;
    assert!(asked.is_err(), "all was read");
    let memory = most_memory(&program);
    assert!(memory < 300, "{memory} MiB");
}
