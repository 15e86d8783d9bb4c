//! The ways to speak Hrana over HTTP.

use bytes::Bytes;
use hrana_protocol::http::{PipelineReqBody, PipelineRespBody};
use hrana_protocol::{Encoding, Version};
use http_body_util::Full;
use hyper::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{Http, TestServer};

/// How the requests of a script are spread over pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    OneByOne,
    AllAtOnce,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    http: Http,
    pub(super) version: Version,
    encoding: Encoding,
    grouping: Grouping,
}

/// An answer with its results in JSON: the server's own, or what Protobuf amounts to.
#[derive(Deserialize)]
struct Reply {
    baton: Option<String>,
    results: Vec<Value>,
}

const fn way(http: Http, version: Version, encoding: Encoding, grouping: Grouping) -> Way {
    Way { http, version, encoding, grouping }
}

pub(super) const WAYS: [Way; 8] = [
    way(Http::One, Version::Hrana3, Encoding::Json, Grouping::OneByOne),
    way(Http::One, Version::Hrana3, Encoding::Json, Grouping::AllAtOnce),
    way(Http::One, Version::Hrana2, Encoding::Json, Grouping::OneByOne),
    way(Http::One, Version::Hrana3, Encoding::Protobuf, Grouping::OneByOne),
    way(Http::Two, Version::Hrana2, Encoding::Json, Grouping::AllAtOnce),
    way(Http::Two, Version::Hrana3, Encoding::Json, Grouping::OneByOne),
    way(Http::Two, Version::Hrana3, Encoding::Protobuf, Grouping::OneByOne),
    way(Http::Two, Version::Hrana3, Encoding::Protobuf, Grouping::AllAtOnce),
];

impl Way {
    /// Plays the requests as one stream and returns their results, without what differs each time.
    pub(super) async fn play(
        self,
        server: &TestServer,
        database: &str,
        requests: &[Value],
    ) -> Vec<Value> {
        let groups: Vec<&[Value]> = match self.grouping {
            Grouping::OneByOne => requests.chunks(1).collect(),
            Grouping::AllAtOnce => vec![requests],
        };
        let (mut baton, mut results) = (None, Vec::new());
        for group in groups {
            let body = json!({ "baton": baton, "requests": group });
            let reply = self.pipeline(server, database, body).await;
            assert!(reply.baton.is_some(), "the stream stays open");
            baton = reply.baton;
            assert_eq!(reply.results.len(), group.len());
            for (request, result) in group.iter().zip(reply.results) {
                let mut result = steady(result);
                if self.encoding == Encoding::Protobuf {
                    pad(&mut result, request);
                }
                results.push(result);
            }
        }
        results
    }

    async fn pipeline(self, server: &TestServer, database: &str, body: Value) -> Reply {
        let endpoint = match (self.version, self.encoding) {
            (Version::Hrana2, _) => "v2",
            (_, Encoding::Json) => "v3",
            (_, Encoding::Protobuf) => "v3-protobuf",
        };
        let body = match self.encoding {
            Encoding::Json => body.to_string().into_bytes(),
            Encoding::Protobuf => {
                let body: PipelineReqBody = serde_json::from_value(body).unwrap();
                let mut bytes = Vec::new();
                Encoding::Protobuf.encode(&body, &mut bytes);
                bytes
            }
        };
        let url = server.url(&format!("/db/{database}/{endpoint}/pipeline"));
        let request = Request::post(url).body(Full::new(Bytes::from(body))).unwrap();
        let answer = server.send(self.http, request).await;
        assert_eq!(answer.status, 200, "{self:?}: {}", answer.text());
        assert_eq!(answer.header("content-type"), self.encoding.media_type());
        match self.encoding {
            Encoding::Json => serde_json::from_slice(&answer.body).unwrap(),
            Encoding::Protobuf => {
                let reply: PipelineRespBody = self.encoding.decode(&answer.body).unwrap();
                serde_json::from_value(serde_json::to_value(reply).unwrap()).unwrap()
            }
        }
    }
}

/// Adds the skipped steps at the end of a batch, which the maps of Protobuf cannot show.
fn pad(result: &mut Value, request: &Value) {
    let Some(steps) = request["batch"]["steps"].as_array() else { return };
    for field in ["step_results", "step_errors"] {
        let items = result.pointer_mut(&format!("/response/result/{field}"));
        if let Some(Value::Array(items)) = items {
            items.resize(steps.len(), Value::Null);
        }
    }
}

/// A result without the time that it took.
pub(super) fn steady(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.remove("query_duration_ms");
            for field in fields.values_mut() {
                *field = steady(field.take());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = steady(item.take())),
        _ => {}
    }
    value
}
