//! Plays a script over version 1, which has no streams: each statement and each batch is on its own.

use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use super::Exchange;
use super::ways::steady;
use crate::harness::{Http, TestServer};

/// Sends statements to `v1/execute`, batches to `v1/batch`, and all else as a pipeline.
pub(super) async fn play(server: &TestServer, database: &str, script: &[Exchange]) {
    for (number, Exchange { request, result: expected }) in script.iter().enumerate() {
        let http = if number % 2 == 0 { Http::One } else { Http::Two };
        let post = async |endpoint: &str, body: Value| {
            let url = server.url(&format!("/db/{database}/{endpoint}"));
            let request = Request::post(url).body(Full::from(body.to_string())).unwrap();
            server.send(http, request).await
        };
        let answer = match request["type"].as_str().unwrap() {
            "execute" => post("v1/execute", json!({ "stmt": request["stmt"] })).await,
            "batch" => post("v1/batch", json!({ "batch": request["batch"] })).await,
            _ => {
                let answer = post("v2/pipeline", json!({ "requests": [request] })).await;
                assert_eq!(steady(answer.json()["results"][0].take()), *expected, "{request}");
                continue;
            }
        };
        if expected["type"] == "ok" {
            assert_eq!(answer.status, 200, "{request}: {}", answer.text());
            let result = steady(answer.json()["result"].take());
            assert_eq!(result, expected["response"]["result"], "{request}");
        } else {
            let message = answer.failure(answer.status.as_u16());
            assert!(answer.status.is_client_error() || answer.status.is_server_error());
            assert_eq!(message, expected["error"]["message"], "{request}");
            assert_eq!(answer.json()["code"], expected["error"]["code"], "{request}");
        }
    }
}
