//! What tokens open, over every way to a database, and until when.

mod matrix;
mod rotation;

use bytes::Bytes;
use hrana_protocol::Encoding;
use hrana_protocol::http::{PipelineReqBody, PipelineRespBody};
use hyper::Method;
use serde_json::{Value, json};

use crate::harness::TestServer;
use crate::harness::socket::Socket;

/// A way to send a statement: a URL, or a subprotocol of WebSocket.
#[derive(Clone, Copy, Debug)]
enum Way {
    Http(&'static str),
    Socket(&'static str),
}

const WAYS: [Way; 12] = [
    Way::Http("v1/execute"),
    Way::Http("v1/batch"),
    Way::Http("v2/pipeline"),
    Way::Http("v3/pipeline"),
    Way::Http("v3/cursor"),
    Way::Http("v3-protobuf/pipeline"),
    // Before Hrana.
    Way::Http(""),
    // Nothing offered, as old clients do.
    Way::Socket(""),
    Way::Socket("hrana1"),
    Way::Socket("hrana2"),
    Way::Socket("hrana3"),
    Way::Socket("hrana3-protobuf"),
];

/// What comes of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The caller may use the database, but not for this.
    Forbidden,
    /// The caller is told no more than that, and why.
    Stranger(String),
}

/// Sends a statement to a database.
async fn attempt(server: &TestServer, way: Way, database: &str, token: &str, sql: &str) -> Outcome {
    match way {
        Way::Http(url) => over_http(server, url, database, token, sql).await,
        Way::Socket(subprotocol) => over_socket(server, subprotocol, database, token, sql).await,
    }
}

async fn over_http(
    server: &TestServer,
    url: &str,
    database: &str,
    token: &str,
    sql: &str,
) -> Outcome {
    let stmt = json!({ "sql": sql });
    let batch = json!({ "steps": [{ "stmt": stmt }] });
    let body = match url {
        "v1/execute" => json!({ "stmt": stmt }),
        "v1/batch" | "v3/cursor" => json!({ "batch": batch }),
        "" => json!({ "statements": [sql] }),
        _ => {
            let execute = json!({ "type": "execute", "stmt": stmt });
            json!({ "requests": [execute, { "type": "close" }] })
        }
    };
    let mut bytes = body.to_string().into_bytes();
    if url.contains("protobuf") {
        let body: PipelineReqBody = serde_json::from_value(body).unwrap();
        bytes.clear();
        Encoding::Protobuf.encode(&body, &mut bytes);
    }
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    let path = format!("/db/{database}/{url}");
    let answer = server.request(Method::POST, &path, &headers, Bytes::from(bytes)).await;
    match answer.status.as_u16() {
        200 if url.contains("protobuf") => {
            let reply: PipelineRespBody = Encoding::Protobuf.decode(&answer.body).unwrap();
            outcome(&serde_json::to_string(&reply).unwrap())
        }
        200 => outcome(answer.text()),
        403 => Outcome::Forbidden,
        status => Outcome::Stranger(answer.failure(status)),
    }
}

async fn over_socket(
    server: &TestServer,
    subprotocol: &str,
    database: &str,
    token: &str,
    sql: &str,
) -> Outcome {
    let path = format!("/db/{database}/");
    let mut socket = Socket::try_open(server, &path, subprotocol).await.unwrap();
    let request = |id: u32, request: Value| json!({ "type": "request", "request_id": id, "request": request });
    let execute = json!({ "type": "execute", "stream_id": 1, "stmt": { "sql": sql } });
    for message in [
        json!({ "type": "hello", "jwt": token }),
        request(1, json!({ "type": "open_stream", "stream_id": 1 })),
        request(2, execute),
    ] {
        // Whoever is refused may find the socket closed; why, is heard below.
        let _ = socket.try_say(message).await;
    }
    loop {
        match socket.try_hear().await {
            Err(closed) => return Outcome::Stranger(closed.reason),
            Ok(answer) if answer["request_id"] == 2 => return outcome(&answer.to_string()),
            Ok(_) => {}
        }
    }
}

/// Only errors have one of these fields, however they are told.
fn outcome(answer: &str) -> Outcome {
    let is_error = answer.contains(r#""message":"#) || answer.contains(r#""error":"#);
    if is_error { Outcome::Forbidden } else { Outcome::Done }
}

/// Has the server make a token. `path` is of a database or a group.
async fn mint(server: &TestServer, path: &str, query: &str, body: Value) -> String {
    let path = format!("/v1/{path}/auth/tokens?{query}");
    let answer = server.platform(Method::POST, &path, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["jwt"].as_str().unwrap().to_owned()
}

async fn rotate(server: &TestServer, path: &str) {
    let path = format!("/v1/{path}/auth/rotate");
    let answer = server.platform(Method::POST, &path, Value::Null).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
