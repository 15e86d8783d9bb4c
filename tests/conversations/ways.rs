//! The ways to speak Hrana: over HTTP here, over WebSocket in `sockets`.

use bytes::Bytes;
use hrana_protocol::http::{PipelineReqBody, PipelineRespBody};
use hrana_protocol::{Encoding, Version};
use http_body_util::Full;
use hyper::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{cursor, sockets};
use crate::harness::socket::Closed;
use crate::harness::{Http, TestServer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Http(Http),
    Socket,
}

/// How the requests of a script are spread over pipelines, or over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    OneByOne,
    AllAtOnce,
    /// One by one, and batches are read through cursors.
    Cursors,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    transport: Transport,
    pub(super) version: Version,
    pub(super) encoding: Encoding,
    pub(super) grouping: Grouping,
}

/// An answer with its results in JSON: the server's own, or what Protobuf amounts to.
#[derive(Deserialize)]
struct Reply {
    baton: Option<String>,
    results: Vec<Value>,
}

const fn http(http: Http, version: Version, encoding: Encoding, grouping: Grouping) -> Way {
    Way { transport: Transport::Http(http), version, encoding, grouping }
}

const fn socket(version: Version, encoding: Encoding, grouping: Grouping) -> Way {
    Way { transport: Transport::Socket, version, encoding, grouping }
}

pub(super) const WAYS: [Way; 16] = [
    http(Http::One, Version::Hrana3, Encoding::Json, Grouping::OneByOne),
    http(Http::One, Version::Hrana3, Encoding::Json, Grouping::AllAtOnce),
    http(Http::One, Version::Hrana3, Encoding::Json, Grouping::Cursors),
    http(Http::One, Version::Hrana2, Encoding::Json, Grouping::OneByOne),
    http(Http::One, Version::Hrana3, Encoding::Protobuf, Grouping::OneByOne),
    http(Http::Two, Version::Hrana2, Encoding::Json, Grouping::AllAtOnce),
    http(Http::Two, Version::Hrana3, Encoding::Json, Grouping::OneByOne),
    http(Http::Two, Version::Hrana3, Encoding::Protobuf, Grouping::OneByOne),
    http(Http::Two, Version::Hrana3, Encoding::Protobuf, Grouping::AllAtOnce),
    http(Http::Two, Version::Hrana3, Encoding::Protobuf, Grouping::Cursors),
    socket(Version::Hrana1, Encoding::Json, Grouping::OneByOne),
    socket(Version::Hrana2, Encoding::Json, Grouping::AllAtOnce),
    socket(Version::Hrana3, Encoding::Json, Grouping::OneByOne),
    socket(Version::Hrana3, Encoding::Json, Grouping::Cursors),
    socket(Version::Hrana3, Encoding::Protobuf, Grouping::AllAtOnce),
    socket(Version::Hrana3, Encoding::Protobuf, Grouping::Cursors),
];

/// The first version that has a request, by transport.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since {
    http: Version,
    socket: Version,
}

impl Since {
    /// Asks the server with the lowest version of each transport, in ways that let it execute nothing.
    pub(super) async fn learn(server: &TestServer, request: &Value) -> Since {
        let body = json!({ "baton": "none", "requests": [request] });
        let said = server.post("/v2/pipeline", body.to_string()).await.failure(400);
        assert!(said.contains(GATE) || said.contains("invalid baton"), "{said}");
        let http = version_in(&said).unwrap_or(Version::Hrana2);
        // Nobody says hello.
        let (code, reason) = sockets::refusal(server, request).await;
        let socket = version_in(&reason).unwrap_or(Version::Hrana1);
        let expected = if socket == Version::Hrana1 { 1008 } else { 1002 };
        assert_eq!(code, expected, "{reason}");
        Since { http, socket }
    }
}

const GATE: &str = "is only supported in protocol version ";

/// The version that is named by a server that does not know a request in an earlier one.
fn version_in(message: &str) -> Option<Version> {
    let (_, version) = message.split_once(GATE)?;
    let is_it = |known: &Version| version.starts_with(known.name());
    [Version::Hrana1, Version::Hrana2, Version::Hrana3].into_iter().find(is_it)
}

impl Way {
    /// Whether the version of this way has a request.
    pub(super) fn has(self, since: Since) -> bool {
        match self.transport {
            Transport::Http(_) => self.version >= since.http,
            Transport::Socket => self.version >= since.socket,
        }
    }

    /// Plays the requests as one stream and returns their results, without what differs each time. Where one of
    /// them breaks a rule for which a socket is closed, that is how it ends.
    pub(super) async fn play(
        self,
        server: &TestServer,
        database: &str,
        requests: &[&Value],
    ) -> Result<Vec<Value>, Closed> {
        let mut results = match self.transport {
            Transport::Http(http) => self.play_over_http(http, server, database, requests).await,
            Transport::Socket => sockets::play(self, server, database, requests).await?,
        };
        assert_eq!(results.len(), requests.len());
        for (result, request) in results.iter_mut().zip(requests) {
            *result = steady(result.take());
            if self.encoding == Encoding::Protobuf {
                pad(result, request);
            }
        }
        Ok(results)
    }

    /// The requests that go out together.
    pub(super) fn groups<'a, 'b>(self, requests: &'a [&'b Value]) -> Vec<&'a [&'b Value]> {
        match self.grouping {
            Grouping::OneByOne | Grouping::Cursors => requests.chunks(1).collect(),
            Grouping::AllAtOnce => vec![requests],
        }
    }

    async fn play_over_http(
        self,
        http: Http,
        server: &TestServer,
        database: &str,
        requests: &[&Value],
    ) -> Vec<Value> {
        let (mut baton, mut results) = (None, Vec::new());
        for group in self.groups(requests) {
            if self.grouping == Grouping::Cursors && group[0]["type"] == "batch" {
                let (next, result) =
                    cursor::over_http(server, database, (http, self.encoding), baton, group[0])
                        .await;
                baton = next;
                results.push(result);
                continue;
            }
            let body = json!({ "baton": baton, "requests": group });
            let reply = self.pipeline(http, server, database, body).await;
            assert!(reply.baton.is_some(), "the stream stays open");
            baton = reply.baton;
            assert_eq!(reply.results.len(), group.len());
            results.extend(reply.results);
        }
        results
    }

    async fn pipeline(self, http: Http, server: &TestServer, database: &str, body: Value) -> Reply {
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
        let answer = server.send(http, request).await;
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
pub(super) fn steady(value: Value) -> Value {
    without(value, &["query_duration_ms"])
}

/// A value without the fields of these names, wherever they are.
pub(super) fn without(mut value: Value, names: &[&str]) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(&name.as_str()));
            for field in fields.values_mut() {
                *field = without(field.take(), names);
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| *item = without(item.take(), names));
        }
        _ => {}
    }
    value
}
