//! Hrana over WebSocket: what a client notices that keeps the rules, and one that does not.

mod ids;
mod order;
mod silence;
mod tokens;

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use crate::harness::socket::Socket;
use crate::harness::{ENDLESS, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn streams_run_in_parallel_and_each_in_order() {
    let server = TestServer::start().await;
    let mut socket = Socket::ready(&server).await;
    socket.request(1, json!({ "type": "open_stream", "stream_id": 2 })).await;
    // Stream 2 is busy for long; stream 1 goes on.
    let endless = json!({ "type": "execute", "stream_id": 2, "stmt": { "sql": ENDLESS } });
    socket.request(2, endless).await;
    assert_eq!(socket.hear().await["request_id"], 1);
    for number in 10..60 {
        let sql = format!("SELECT {number}");
        let execute = json!({ "type": "execute", "stream_id": 1, "stmt": { "sql": sql } });
        socket.request(number, execute).await;
    }
    for number in 10..60 {
        let answer = socket.hear().await;
        assert_eq!(answer["request_id"], number);
        let rows = &answer["response"]["result"]["rows"];
        assert_eq!(rows[0][0]["value"], number.to_string());
    }
    // Closing the socket stops the endless statement, so that the server can stop.
    drop(socket);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_cursors_and_the_rest_of_version_3() {
    let server = TestServer::start().await;
    let mut socket = Socket::ready(&server).await;
    let script = "CREATE TABLE t(a); INSERT INTO t VALUES(1), (2), (3)";
    let sequence = json!({ "type": "sequence", "stream_id": 1, "sql": script });
    assert_eq!(socket.ask(sequence).await, json!({ "type": "sequence" }));
    socket.ask(json!({ "type": "store_sql", "sql_id": 5, "sql": "SELECT a FROM t" })).await;
    let stored = json!({ "type": "execute", "stream_id": 1, "stmt": { "sql_id": 5 } });
    assert_eq!(socket.ask(stored.clone()).await["result"]["rows"].as_array().unwrap().len(), 3);
    let described = socket.ask(json!({ "type": "describe", "stream_id": 1, "sql_id": 5 })).await;
    assert_eq!(described["result"]["is_readonly"], true);

    let batch = json!({ "steps": [{ "stmt": { "sql_id": 5 } }, { "stmt": { "sql": "SELECT nonsense_" } }] });
    let open = json!({ "type": "open_cursor", "stream_id": 1, "cursor_id": 9, "batch": batch });
    assert_eq!(socket.ask(open).await, json!({ "type": "open_cursor" }));
    let fetch = json!({ "type": "fetch_cursor", "cursor_id": 9, "max_count": 2 });
    let mut kinds = Vec::new();
    loop {
        let fetched = socket.ask(fetch.clone()).await;
        let entries = fetched["entries"].as_array().unwrap();
        assert!(entries.len() <= 2);
        kinds.extend(entries.iter().map(|entry| entry["type"].as_str().unwrap().to_owned()));
        if fetched["done"] == true {
            break;
        }
    }
    assert_eq!(kinds, ["step_begin", "row", "row", "row", "step_end", "step_error"]);
    let again = socket.ask(fetch).await;
    assert_eq!(again, json!({ "type": "fetch_cursor", "entries": [], "done": true }));
    assert_eq!(
        socket.ask(json!({ "type": "close_cursor", "cursor_id": 9 })).await["type"],
        "close_cursor"
    );

    socket.ask(json!({ "type": "close_sql", "sql_id": 5 })).await;
    assert_eq!(socket.ask(stored).await["code"], "SQL_STORE_NOT_FOUND");
    let autocommit = socket.ask(json!({ "type": "get_autocommit", "stream_id": 1 })).await;
    assert_eq!(autocommit["is_autocommit"], true);
    assert_eq!(
        socket.ask(json!({ "type": "close_stream", "stream_id": 1 })).await["type"],
        "close_stream"
    );
    assert_eq!(
        socket.ask(json!({ "type": "open_stream", "stream_id": 1 })).await["type"],
        "open_stream"
    );
    socket.say(json!({ "type": "hello", "jwt": server.token })).await;
    assert_eq!(socket.hear().await["type"], "hello_ok");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_rules_close_the_socket_with_code_and_reason() {
    let server = TestServer::start().await;
    let request = |request: Value| {
        json!({ "type": "request", "request_id": 1, "request": request }).to_string()
    };
    let execute = |id: i32| {
        request(json!({ "type": "execute", "stream_id": id, "stmt": { "sql": "SELECT 1" } }))
    };
    let cases = [
        (Message::text("nonsense"), 1007, "could not be read"),
        (Message::text(r#"{"type":"explode"}"#), 1007, "explode"),
        (Message::text(request(json!({ "type": "explode" }))), 1007, "explode"),
        (Message::binary(vec![1, 2, 3]), 1003, "binary"),
        (Message::text(execute(2)), 1002, "Stream 2 not found"),
        (
            Message::text(request(json!({ "type": "open_stream", "stream_id": 1 }))),
            1002,
            "already exists",
        ),
        (
            Message::text(request(json!({ "type": "close_stream", "stream_id": 5 }))),
            1002,
            "not found",
        ),
        (
            Message::text(request(
                json!({ "type": "fetch_cursor", "cursor_id": 3, "max_count": 1 }),
            )),
            1002,
            "Cursor 3",
        ),
        (
            Message::text(request(json!({ "type": "batch", "stream_id": 1, "batch": { "steps": [
            { "stmt": { "sql": "SELECT 1" }, "condition": { "type": "ok", "step": 0 } }] } }))),
            1002,
            "steps[0]",
        ),
    ];
    for (message, code, reason) in cases {
        let mut socket = Socket::ready(&server).await;
        socket.frames.send(message.clone()).await.unwrap();
        let (found, said) = socket.closed().await;
        assert!(found == code && said.contains(reason), "{message:?}: {found} {said}");
    }
    let mut socket = Socket::open(&server, "hrana3").await;
    socket.frames.send(Message::text(execute(1))).await.unwrap();
    assert_eq!(socket.closed().await, (1008, "Received a request before hello message".to_owned()));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_knows_its_own_requests() {
    let server = TestServer::start().await;
    let cases = [
        ("hrana1", json!({ "type": "sequence", "stream_id": 1, "sql": "SELECT 1" }), "hrana2"),
        ("", json!({ "type": "store_sql", "sql_id": 1, "sql": "SELECT 1" }), "hrana2"),
        ("hrana1", json!({ "type": "execute", "stream_id": 1, "stmt": { "sql_id": 1 } }), "hrana2"),
        ("hrana2", json!({ "type": "get_autocommit", "stream_id": 1 }), "hrana3"),
        ("hrana2, hrana1", json!({ "type": "close_cursor", "cursor_id": 1 }), "hrana3"),
    ];
    for (subprotocol, request, since) in cases {
        let mut socket = Socket::open(&server, subprotocol).await;
        socket.say(json!({ "type": "hello", "jwt": null })).await;
        socket.hear().await;
        let execute = json!({ "type": "open_stream", "stream_id": 1 });
        assert_eq!(socket.ask(execute).await["type"], "open_stream");
        assert_eq!(socket.execute("SELECT 1").await["type"], "execute");
        socket.request(1, request).await;
        let (code, reason) = socket.closed().await;
        assert!(code == 1002 && reason.contains(since), "{code} {reason}");
    }
    let refused = Socket::try_open(&server, "/", "graphql-ws").await;
    assert!(matches!(refused, Err(Error::Http(answer)) if answer.status() == 400));
    assert!(server.get("/").await.failure(426).contains("WebSocket"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_by_path_and_one_that_is_not_there() {
    let server = TestServer::start().await;
    server.create_database("shop").await;
    for (path, kind) in
        [("/db/shop/", "hello_ok"), ("/db/shop", "hello_ok"), ("/db/none/", "hello_error")]
    {
        let mut socket = Socket::try_open(&server, path, "hrana2").await.unwrap();
        socket.say(json!({ "type": "hello", "jwt": null })).await;
        assert_eq!(socket.hear().await["type"], kind, "{path}");
        if kind == "hello_error" {
            let (code, reason) = socket.closed().await;
            assert!(code == 1008 && reason.contains("none"), "{code} {reason}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_transaction_expires_and_the_stream_says_so_until_it_is_closed() {
    let server = TestServer::start_with(&["--transaction-idle", "0.2"]).await;
    let mut socket = Socket::ready(&server).await;
    socket.execute("CREATE TABLE t(a)").await;
    socket.execute("BEGIN IMMEDIATE").await;
    assert_eq!(server.execute("INSERT INTO t VALUES(1)").await["affected_row_count"], 1);
    for sql in ["INSERT INTO t VALUES(2)", "COMMIT"] {
        assert_eq!(socket.execute(sql).await["code"], "STREAM_EXPIRED");
    }
    assert_eq!(
        socket.ask(json!({ "type": "close_stream", "stream_id": 1 })).await["type"],
        "close_stream"
    );
    socket.ask(json!({ "type": "open_stream", "stream_id": 1 })).await;
    let count = socket.execute("SELECT count(*) FROM t").await;
    assert_eq!(count["result"]["rows"][0][0]["value"], "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_closes_frees_what_its_streams_hold() {
    let server = TestServer::start_with(&["--write-wait", "60"]).await;
    let mut socket = Socket::ready(&server).await;
    socket.execute("CREATE TABLE t(a)").await;
    socket.execute("BEGIN IMMEDIATE").await;
    let insert = format!("INSERT INTO t {ENDLESS}");
    socket
        .request(1, json!({ "type": "execute", "stream_id": 1, "stmt": { "sql": insert } }))
        .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(socket);
    let started = Instant::now();
    assert_eq!(server.execute("INSERT INTO t VALUES(1)").await["affected_row_count"], 1);
    assert!(started.elapsed() < Duration::from_secs(5));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_holds_up_nobody_else() {
    let server = TestServer::start().await;
    let mut deaf = Socket::ready(&server).await;
    let large = "SELECT zeroblob(4000000)";
    let execute = json!({ "type": "execute", "stream_id": 1, "stmt": { "sql": large } });
    let message = json!({ "type": "request", "request_id": 1, "request": execute }).to_string();
    // It asks for far more than it takes; at some point it is not even read any more.
    let asking = async {
        for _ in 0..2000 {
            deaf.frames.send(Message::text(message.clone())).await.unwrap();
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), asking).await;
    let mut other = Socket::ready(&server).await;
    assert_eq!(other.execute("SELECT 1").await["type"], "execute");
    drop(deaf);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closes_and_pings_are_answered_and_a_stopping_server_says_so() {
    let server = TestServer::start().await;
    let mut socket = Socket::ready(&server).await;
    socket.frames.send(Message::Ping(Bytes::from_static(b"there?"))).await.unwrap();
    loop {
        match socket.frames.next().await.unwrap().unwrap() {
            Message::Pong(payload) => break assert_eq!(&payload[..], b"there?"),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
    socket.frames.close(None).await.unwrap();
    while let Some(message) = socket.frames.next().await {
        assert!(matches!(message, Ok(Message::Close(_))), "{message:?}");
    }
    let mut waiting = Socket::ready(&server).await;
    let stopping = tokio::spawn(server.stop());
    assert_eq!(waiting.closed().await, (1001, "the server is stopping".to_owned()));
    drop(waiting);
    stopping.await.unwrap();
}
