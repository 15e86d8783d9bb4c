//! Plays a script over a WebSocket.

use hrana_protocol::{CursorEntry, Encoding, Version};
use serde_json::{Value, json};

use super::cursor;
use super::ways::{Grouping, Way};
use crate::harness::TestServer;
use crate::harness::socket::{Closed, Socket};

fn subprotocol(way: Way) -> &'static str {
    match (way.version, way.encoding) {
        (_, Encoding::Protobuf) => "hrana3-protobuf",
        (Version::Hrana3, _) => "hrana3",
        (Version::Hrana2, _) => "hrana2",
        // What a client gets that offers none.
        (Version::Hrana1, _) => "",
    }
}

/// The request as one of stream 1.
fn on_stream(request: &Value) -> Value {
    let mut request = request.clone();
    request["stream_id"] = 1.into();
    request
}

/// How the server closes a socket of version 1 on which nobody said hello before this request.
pub(super) async fn refusal(server: &TestServer, request: &Value) -> (u16, String) {
    let mut socket = Socket::open(server, "hrana1").await;
    socket.request(1, on_stream(request)).await;
    socket.closed().await
}

pub(super) async fn play(
    way: Way,
    server: &TestServer,
    database: &str,
    requests: &[&Value],
) -> Result<Vec<Value>, Closed> {
    let path = format!("/db/{database}/");
    let mut socket = Socket::ready_on(server, &path, subprotocol(way)).await;
    let mut results = Vec::new();
    for group in way.groups(requests) {
        if way.grouping == Grouping::Cursors && group[0]["type"] == "batch" {
            results.push(through_cursor(&mut socket, &group[0]["batch"]).await);
            continue;
        }
        for (id, request) in (0..).zip(group) {
            socket.request(id, on_stream(request)).await;
        }
        // What needs no stream is answered at once, before requests that were sent earlier.
        let mut answers = vec![Value::Null; group.len()];
        for _ in group {
            let answer = socket.try_hear().await?;
            let id = usize::try_from(answer["request_id"].as_u64().unwrap()).unwrap();
            assert!(answers[id].is_null(), "{} was answered twice", group[id]);
            answers[id] = result(answer);
        }
        results.extend(answers);
    }
    Ok(results)
}

/// The `StreamResult` that HTTP would have in the place of this answer.
fn result(mut answer: Value) -> Value {
    if answer["type"] == "response_ok" {
        json!({ "type": "ok", "response": answer["response"].take() })
    } else {
        json!({ "type": "error", "error": answer["error"].take() })
    }
}

/// Reads a batch through a cursor, some entries at a time.
async fn through_cursor(socket: &mut Socket, batch: &Value) -> Value {
    let open = json!({ "type": "open_cursor", "stream_id": 1, "cursor_id": 1, "batch": batch });
    socket.request(1, open).await;
    let opened = result(socket.hear().await);
    let mut entries: Vec<CursorEntry> = Vec::new();
    if opened["type"] == "ok" {
        loop {
            let fetch = json!({ "type": "fetch_cursor", "cursor_id": 1, "max_count": 3 });
            let mut fetched = socket.ask(fetch).await;
            let more: Vec<_> = serde_json::from_value(fetched["entries"].take()).unwrap();
            assert!(more.len() <= 3);
            entries.extend(more);
            if fetched["done"] == true {
                break;
            }
        }
    }
    let closed = socket.ask(json!({ "type": "close_cursor", "cursor_id": 1 })).await;
    assert_eq!(closed, json!({ "type": "close_cursor" }));
    if opened["type"] == "error" {
        return opened;
    }
    cursor::fold(batch["steps"].as_array().unwrap().len(), entries)
}
