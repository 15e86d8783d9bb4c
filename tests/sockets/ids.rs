//! Ids of clients' own choice: too many of them, twice the same, of nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::socket::Socket;
use crate::harness::{ENDLESS, TestServer, eventually};

fn execute(stream: i32, sql: &str) -> Value {
    json!({ "type": "execute", "stream_id": stream, "stmt": { "sql": sql } })
}

/// Asks the same of many ids, as fast as answers come, and returns the codes of the errors.
async fn ask_all(socket: &mut Socket, ids: std::ops::Range<i32>, request: &str) -> Vec<Value> {
    let mut codes = Vec::new();
    let ids: Vec<_> = ids.collect();
    for some in ids.chunks(200) {
        for id in some {
            socket.request(*id, json!({ "type": request, "stream_id": id })).await;
        }
        for id in some {
            let answer = socket.hear().await;
            assert_eq!(answer["request_id"], *id, "{answer}");
            codes.push(answer["error"]["code"].clone());
        }
    }
    codes
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_streams_on_one_socket() {
    let server = TestServer::start().await;
    let mut socket = Socket::ready(&server).await;
    let max = hranad::limits::STREAMS_PER_SOCKET_MAX;
    let codes = ask_all(&mut socket, 2..10_001, "open_stream").await;
    assert!(codes[..max - 1].iter().all(Value::is_null));
    assert!(codes[max - 1..].iter().all(|code| code == "OVERLOADED"));

    // A client does not wait for the answer before it uses a stream, so this fails and closes nothing.
    for request in [
        execute(9999, "SELECT 1"),
        json!({ "type": "open_cursor", "stream_id": 9999, "cursor_id": 1, "batch": { "steps": [] } }),
        json!({ "type": "fetch_cursor", "cursor_id": 1, "max_count": 1 }),
    ] {
        let error = socket.ask(request).await;
        assert_eq!(error["code"], "OVERLOADED", "{error}");
        assert!(error["message"].as_str().unwrap().contains("4096"), "{error}");
    }
    let closed = socket.ask(json!({ "type": "close_cursor", "cursor_id": 1 })).await;
    assert_eq!(closed["type"], "close_cursor");
    assert!(ask_all(&mut socket, 9000..10_000, "close_stream").await.iter().all(Value::is_null));
    assert_eq!(socket.execute("SELECT 1").await["type"], "execute");
    // Room for one makes room for one.
    assert!(ask_all(&mut socket, 2..3, "close_stream").await[0].is_null());
    let codes = ask_all(&mut socket, 9000..9002, "open_stream").await;
    assert_eq!(codes, [Value::Null, "OVERLOADED".into()]);
    drop(socket);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_a_closed_socket_are_gone() {
    let server = TestServer::start().await;
    let tasks = tokio::runtime::Handle::current().metrics();
    let before = tasks.num_alive_tasks();
    let mut socket = Socket::ready(&server).await;
    ask_all(&mut socket, 2..1000, "open_stream").await;
    socket.execute("CREATE TABLE t(a)").await;
    for id in 2..6 {
        socket.ask(execute(id, "BEGIN")).await;
        socket.ask(execute(id, "SELECT * FROM t")).await;
    }
    assert!(tasks.num_alive_tasks() > before + 999);
    drop(socket);
    eventually(async || tasks.num_alive_tasks() <= before).await;
    assert_eq!(server.in_use(), Default::default());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_used_twice_and_ids_of_nothing() {
    let server = TestServer::start().await;
    let batch = json!({ "steps": [] });
    let open = |cursor: i32, stream: i32| json!({ "type": "open_cursor", "stream_id": stream, "cursor_id": cursor, "batch": batch });
    let store = json!({ "type": "store_sql", "sql_id": 1, "sql": "SELECT 1" });
    let cases = [
        (vec![open(1, 1)], open(1, 2), "Cursor 1 already exists"),
        (vec![open(1, 1)], open(2, 1), "Stream 1 already has an open cursor"),
        (vec![open(1, 1)], execute(1, "SELECT 1"), "Stream 1 has an open cursor"),
        (vec![], open(1, 5), "Stream 5 not found"),
        (vec![], json!({ "type": "close_cursor", "cursor_id": 1 }), "Cursor 1 not found"),
        (vec![store.clone()], store.clone(), "SQL text 1 already exists"),
        (vec![], json!({ "type": "open_stream", "stream_id": 1 }), "Stream 1 already exists"),
        (vec![], json!({ "type": "describe", "stream_id": -1, "sql": "" }), "Stream -1 not found"),
        (vec![], json!({ "type": "get_autocommit", "stream_id": i32::MAX }), "not found"),
    ];
    for (before, request, reason) in cases {
        let mut socket = Socket::ready(&server).await;
        socket.ask(json!({ "type": "open_stream", "stream_id": 2 })).await;
        for request in before {
            assert!(socket.ask(request).await["type"].is_string());
        }
        socket.request(1, request.clone()).await;
        let (code, said) = socket.closed().await;
        assert!(code == 1002 && said.contains(reason), "{request}: {code} {said}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_used_twice_or_be_of_nothing() {
    let server = TestServer::start().await;
    let mut socket = Socket::ready(&server).await;
    // The same request id, twice at once.
    for sql in ["SELECT 1", "SELECT 2"] {
        socket.request(i32::MIN, execute(1, sql)).await;
    }
    for value in ["1", "2"] {
        let answer = socket.hear().await;
        assert_eq!(answer["request_id"], i32::MIN);
        assert_eq!(answer["response"]["result"]["rows"][0][0]["value"], value);
    }
    let closed = socket.ask(json!({ "type": "close_sql", "sql_id": 77 })).await;
    assert_eq!(closed["type"], "close_sql");
    let unknown = json!({ "type": "execute", "stream_id": 1, "stmt": { "sql_id": 77 } });
    assert_eq!(socket.ask(unknown).await["code"], "SQL_STORE_NOT_FOUND");
    // A cursor that could not be opened is still one, until it is closed.
    let steps = json!([{ "stmt": { "sql_id": 77 } }]);
    let open = json!({ "type": "open_cursor", "stream_id": 1, "cursor_id": 0, "batch": { "steps": steps } });
    assert_eq!(socket.ask(open).await["code"], "SQL_STORE_NOT_FOUND");
    let fetch = json!({ "type": "fetch_cursor", "cursor_id": 0, "max_count": 1 });
    assert_eq!(socket.ask(fetch).await["code"], "SQL_STORE_NOT_FOUND");
    socket.ask(json!({ "type": "close_cursor", "cursor_id": 0 })).await;
    assert_eq!(socket.execute("SELECT 1").await["type"], "execute");
    server.stop().await;
}

/// Its steps together are 8 GB of text, which exists once.
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_text_in_every_step_of_a_batch() {
    let server = TestServer::start().await;
    let mut socket = Socket::ready(&server).await;
    let text = format!("SELECT 1 -- {}", "x".repeat(8_000_000));
    socket.ask(json!({ "type": "store_sql", "sql_id": 1, "sql": text })).await;
    let skipped = json!({ "stmt": { "sql_id": 1 }, "condition": { "type": "error", "step": 0 } });
    let mut steps = vec![json!({ "stmt": { "sql_id": 1 } })];
    steps.resize(1000, skipped);
    let batch = json!({ "type": "batch", "stream_id": 1, "batch": { "steps": steps } });
    let results = socket.ask(batch).await["result"]["step_results"].take();
    assert_eq!(results[0]["rows"][0][0]["value"], "1");
    assert!(results[1].is_null() && results[999].is_null());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_closed_while_it_works_does_not_outlive_its_socket() {
    let server = TestServer::start_with(&["--write-wait", "60"]).await;
    let mut socket = Socket::ready(&server).await;
    socket.execute("CREATE TABLE t(a)").await;
    socket.request(1, execute(1, &format!("INSERT INTO t {ENDLESS}"))).await;
    socket.request(2, json!({ "type": "close_stream", "stream_id": 1 })).await;
    eventually(async || server.in_use().statements == 1).await;
    drop(socket);
    let insert = server.execute("INSERT INTO t VALUES(1)");
    let inserted = tokio::time::timeout(Duration::from_secs(5), insert).await.unwrap();
    assert_eq!(inserted["affected_row_count"], 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_wait_for_another_hold_up_nobody() {
    let server = TestServer::start().await;
    let mut socket = Socket::ready(&server).await;
    socket.execute("CREATE TABLE t(a)").await;
    socket.execute("BEGIN IMMEDIATE").await;
    let waiting = 100..200;
    ask_all(&mut socket, waiting.clone(), "open_stream").await;
    for id in waiting.clone() {
        socket.request(id, execute(id, "INSERT INTO t VALUES(1)")).await;
    }
    // All of them wait for the transaction of stream 1, which needs what they need to go on.
    ask_all(&mut socket, 2..3, "open_stream").await;
    for (id, stream, sql) in [(1, 2, "SELECT count(*) FROM t"), (2, 1, "SELECT 1")] {
        socket.request(id, execute(stream, sql)).await;
        assert_eq!(socket.hear().await["request_id"], id, "{sql}");
    }
    // They all become durable with it.
    socket.request(3, execute(1, "COMMIT")).await;
    for _ in waiting.chain([3]) {
        assert_eq!(socket.hear().await["type"], "response_ok");
    }
    assert_eq!(
        socket.execute("SELECT count(*) FROM t").await["result"]["rows"][0][0]["value"],
        "100"
    );
    server.stop().await;
}
