//! Plays the batches of a script through cursors and folds the entries into batch results.

use bytes::Bytes;
use hrana_protocol::cursor::read_entry;
use hrana_protocol::http::{CursorReqBody, CursorRespBody};
use hrana_protocol::{BatchResult, CursorEntry, Encoding, Rows, StmtResult, StreamResult};
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use super::ways::steady;
use crate::harness::{Http, TestServer};

/// Sends batches through cursors and all else through pipelines, in both encodings.
pub(super) async fn play(
    server: &TestServer,
    database: &str,
    requests: &[Value],
    expected: &[Value],
) {
    if !requests.iter().any(|request| request["type"] == "batch") {
        return;
    }
    for (http, encoding) in [(Http::One, Encoding::Json), (Http::Two, Encoding::Protobuf)] {
        let database = format!("{database}-{}", if encoding == Encoding::Json { "j" } else { "p" });
        server.create_database(&database).await;
        let mut baton: Option<String> = None;
        for (request, expected) in requests.iter().zip(expected) {
            let result = if request["type"] == "batch" {
                let batch = &request["batch"];
                let (next, result) =
                    cursor(server, &database, (http, encoding), baton, batch).await;
                baton = next;
                result
            } else {
                let body = json!({ "baton": baton, "requests": [request] }).to_string();
                let reply = server.post(&format!("/db/{database}/v3/pipeline"), body).await.json();
                baton = reply["baton"].as_str().map(str::to_owned);
                reply["results"][0].clone()
            };
            let (result, expected) = (comparable(result), comparable(expected.clone()));
            assert_eq!(result, expected, "{encoding:?} {request}");
        }
    }
}

/// What a cursor tells of a result: it counts no rows that were read or written, and no time.
fn comparable(result: Value) -> Value {
    let text = steady(result).to_string();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("rows_read");
            fields.remove("rows_written");
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

async fn cursor(
    server: &TestServer,
    database: &str,
    (http, encoding): (Http, Encoding),
    baton: Option<String>,
    batch: &Value,
) -> (Option<String>, Value) {
    let body = CursorReqBody { baton, batch: serde_json::from_value(batch.clone()).unwrap() };
    let steps = body.batch.steps.len();
    let mut bytes = Vec::new();
    encoding.encode(&body, &mut bytes);
    let endpoint = if encoding == Encoding::Json { "v3" } else { "v3-protobuf" };
    let url = server.url(&format!("/db/{database}/{endpoint}/cursor"));
    let request = Request::post(url).body(Full::new(Bytes::from(bytes))).unwrap();
    let answer = server.send(http, request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut rest = &answer.body[..];
    let head: CursorRespBody = read_entry(encoding, &mut rest).unwrap().unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = read_entry::<CursorEntry>(encoding, &mut rest).unwrap() {
        entries.push(entry);
    }
    assert!(rest.is_empty());
    (head.baton, serde_json::to_value(fold(steps, entries)).unwrap())
}

/// The batch result that entries amount to.
fn fold(steps: usize, entries: Vec<CursorEntry>) -> StreamResult {
    let mut result = BatchResult::default();
    result.step_results.resize(steps, None);
    result.step_errors.resize(steps, None);
    let mut current = 0;
    let mut open: Option<StmtResult> = None;
    for entry in entries {
        match entry {
            CursorEntry::StepBegin { step, cols } => {
                current = step as usize;
                let rows = Rows::new(cols.len());
                open = Some(StmtResult {
                    cols,
                    rows,
                    affected_row_count: 0,
                    last_insert_rowid: None,
                    rows_read: None,
                    rows_written: None,
                    query_duration_ms: None,
                });
            }
            CursorEntry::Row { row } => {
                let rows = &mut open.as_mut().expect("a row is within a step").rows;
                row.iter().for_each(|value| rows.push(value.as_ref()));
            }
            CursorEntry::StepEnd { affected_row_count, last_insert_rowid } => {
                let mut ended = open.take().expect("a step that ends has begun");
                ended.affected_row_count = affected_row_count;
                ended.last_insert_rowid = last_insert_rowid;
                result.step_results[current] = Some(ended);
            }
            CursorEntry::StepError { step, error } => {
                open = None;
                result.step_errors[step as usize] = Some(error);
            }
            CursorEntry::Error { error } => return StreamResult::Error { error },
        }
    }
    StreamResult::Ok { response: hrana_protocol::StreamResponse::Batch { result } }
}
