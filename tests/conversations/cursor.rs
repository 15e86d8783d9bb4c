//! Batches through cursors: their entries, folded into the result that a pipeline would have given.

use bytes::Bytes;
use hrana_protocol::cursor::read_entry;
use hrana_protocol::http::{CursorReqBody, CursorRespBody};
use hrana_protocol::{BatchResult, CursorEntry, Encoding, Rows, StmtResult, StreamResult};
use http_body_util::Full;
use hyper::Request;
use serde_json::Value;

use super::ways::without;
use crate::harness::{Http, TestServer};

/// What entries tell of a result: they count no rows that were read or written.
pub(super) fn comparable(result: &Value) -> Value {
    let text = without(result.clone(), &["rows_read", "rows_written"]).to_string();
    serde_json::from_str(&text).unwrap()
}

/// Sends the batch of a request to the cursor endpoint; the next baton, and the `StreamResult`.
pub(super) async fn over_http(
    server: &TestServer,
    database: &str,
    (http, encoding): (Http, Encoding),
    baton: Option<String>,
    request: &Value,
) -> (Option<String>, Value) {
    let batch = serde_json::from_value(request["batch"].clone()).unwrap();
    let body = CursorReqBody { baton, batch };
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
    (head.baton, fold(steps, entries))
}

/// The `StreamResult` of a batch that entries amount to.
pub(super) fn fold(steps: usize, entries: Vec<CursorEntry>) -> Value {
    serde_json::to_value(folded(steps, entries)).unwrap()
}

fn folded(steps: usize, entries: Vec<CursorEntry>) -> StreamResult {
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
                    rows: rows.into(),
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
