//! Good requests, broken in every place: cut short, and with one byte changed.

use hrana_protocol::http::{CursorReqBody, PipelineReqBody};
use hrana_protocol::{Encoding, protobuf};
use serde::Serialize;
use serde_json::{Value, json};

use super::check_unharmed;
use crate::harness::TestServer;

/// Requests of every kind, none of which writes.
fn pipeline() -> Value {
    let value = json!({ "type": "float", "value": 1.5 });
    let named = json!([{ "name": "a", "value": { "type": "blob", "base64": "AP8" } }]);
    json!({ "baton": null, "requests": [
        { "type": "store_sql", "sql_id": 1, "sql": "SELECT 1" },
        { "type": "execute", "stmt": { "sql": "SELECT ?", "args": [value], "want_rows": true } },
        { "type": "execute", "stmt": { "sql": "SELECT :a", "named_args": named } },
        { "type": "batch", "batch": batch() },
        { "type": "sequence", "sql": "SELECT 1; SELECT 2" },
        { "type": "describe", "sql_id": 1 },
        { "type": "close_sql", "sql_id": 1 },
        { "type": "close" },
    ] })
}

fn batch() -> Value {
    let condition = json!({ "type": "and", "conds": [
        { "type": "ok", "step": 0 },
        { "type": "not", "cond": { "type": "error", "step": 0 } },
    ] });
    json!({ "steps": [
        { "stmt": { "sql": "SELECT 1" } },
        { "condition": condition, "stmt": { "sql": "SELECT 2", "args": [] } },
    ] })
}

fn encode<T: Serialize + protobuf::Encode>(encoding: Encoding, message: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    encoding.encode(message, &mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_broken_anywhere_is_refused_or_understood() {
    let server = TestServer::start().await;
    let whole: PipelineReqBody = serde_json::from_value(pipeline()).unwrap();
    let cursor = CursorReqBody { baton: None, batch: serde_json::from_value(batch()).unwrap() };
    for (path, body) in [
        ("/v3/pipeline", encode(Encoding::Json, &whole)),
        ("/v3-protobuf/pipeline", encode(Encoding::Protobuf, &whole)),
        ("/v3/cursor", encode(Encoding::Json, &cursor)),
        ("/v3-protobuf/cursor", encode(Encoding::Protobuf, &cursor)),
    ] {
        for place in 0..body.len() {
            let short = body[..place].to_vec();
            let mut changed = body.clone();
            // Not the same change everywhere, and never none.
            changed[place] ^= 1 << (place % 8);
            for broken in [short, changed] {
                let answer = server.post(path, broken).await;
                if answer.status != 200 {
                    answer.failure(400);
                }
            }
        }
        check_unharmed(&server, path).await;
    }
    server.stop().await;
}
