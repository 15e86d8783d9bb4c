//! What a client may send before it has shown a token, and what becomes of its streams when it shows another one.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::TestServer;
use crate::harness::raw::{RawSocket, frame};
use crate::harness::socket::Socket;

async fn token(server: &TestServer, path: &str) -> Value {
    let answer = server.platform(Method::POST, path, Value::Null).await;
    answer.json()["jwt"].clone()
}

async fn hello(socket: &mut Socket, jwt: &Value) {
    socket.say(json!({ "type": "hello", "jwt": jwt })).await;
    assert_eq!(socket.hear().await["type"], "hello_ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_database_ends_the_streams_of_the_first() {
    let server = TestServer::start_with(&["--auth", "required"]).await;
    let mut tokens = Vec::new();
    for name in ["first", "second"] {
        server.create_database(name).await;
        tokens.push(token(&server, &format!("/v1/databases/{name}/auth/tokens")).await);
    }
    // The URL names no database, so the token says which one it is.
    let mut socket = Socket::open(&server, "hrana3").await;
    hello(&mut socket, &tokens[0]).await;
    let open = json!({ "type": "open_stream", "stream_id": 1 });
    assert_eq!(socket.ask(open.clone()).await["type"], "open_stream");
    assert_eq!(socket.execute("CREATE TABLE secret (a)").await["type"], "execute");
    // Renewing a token for the same database changes nothing.
    hello(&mut socket, &tokens[0]).await;
    assert_eq!(socket.execute("SELECT * FROM secret").await["type"], "execute");

    hello(&mut socket, &tokens[1]).await;
    // Otherwise the first token could be rotated without an effect on this stream.
    let path = "/v1/databases/first/auth/rotate";
    assert_eq!(server.platform(Method::POST, path, Value::Null).await.status, 200);
    assert_eq!(socket.ask(open).await["type"], "open_stream");
    let answer = socket.execute("SELECT * FROM secret").await;
    assert!(answer["message"].as_str().unwrap().contains("no such table"), "{answer}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_ends_its_socket_unless_it_is_renewed() {
    let server = TestServer::start_with(&["--auth", "required"]).await;
    let short = token(&server, "/v1/databases/default/auth/tokens?expiration=2s").await;
    let long = token(&server, "/v1/databases/default/auth/tokens?expiration=1d").await;
    let (mut ends, mut stays) =
        (Socket::open(&server, "hrana2").await, Socket::open(&server, "hrana2").await);
    hello(&mut ends, &short).await;
    hello(&mut stays, &short).await;
    hello(&mut stays, &long).await;
    let (code, reason) = ends.closed().await;
    assert_eq!(code, 1008);
    assert!(reason.contains("expired"), "{reason}");
    let opened = stays.ask(json!({ "type": "open_stream", "stream_id": 1 })).await;
    assert_eq!(opened["type"], "open_stream");
    assert_eq!(stays.execute("SELECT 1").await["type"], "execute");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_hello_little_is_kept_in_memory_and_after_it_as_much_as_ever() {
    let server = TestServer::start().await;
    let mut stranger = RawSocket::open(&server, "hrana3").await;
    // The beginning of a message that may be that large, after hello.
    let large = frame(0x81, &vec![b' '; 60 << 20]);
    stranger.try_raw(&large[..1 << 20]).await;
    let closed = stranger.closed().await.unwrap();
    assert_eq!(closed, (1009, "before hello there may be 64 KiB".to_owned()));

    // Whoever says hello need not wait for the answer.
    let mut socket = RawSocket::open(&server, "hrana3").await;
    socket.text(&json!({ "type": "hello", "jwt": null }).to_string()).await;
    socket.request(1, json!({ "type": "open_stream", "stream_id": 1 })).await;
    let sql = format!("SELECT length('{}')", "a".repeat(1 << 20));
    let execute = json!({ "type": "execute", "stream_id": 1, "stmt": { "sql": sql } });
    socket.request(2, execute).await;
    let (mut frames, _writing) = socket.into_split();
    let mut answers = Vec::new();
    for _ in 0..3 {
        let answer: Value = serde_json::from_slice(&frames.next().await.unwrap().payload).unwrap();
        answers.push(answer);
    }
    assert_eq!(answers[0]["type"], "hello_ok");
    assert_eq!(answers[2]["response"]["result"]["rows"][0][0]["value"], "1048576");
    server.stop().await;
}
