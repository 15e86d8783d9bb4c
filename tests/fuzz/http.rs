//! Clients over HTTP.

use std::time::Duration;

use bytes::Bytes;
use hrana_protocol::Encoding;
use hrana_protocol::http::{CursorReqBody, PipelineReqBody};
use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::random::Random;
use super::seeds::{Seeds, batch, index, stream_request};
use crate::harness::{Answer, Clients, Http, TestServer};

const PATHS: [(&str, Encoding); 9] = [
    ("/v1/execute", Encoding::Json),
    ("/v1/batch", Encoding::Json),
    ("/v2/pipeline", Encoding::Json),
    ("/v3/pipeline", Encoding::Json),
    ("/v3/cursor", Encoding::Json),
    ("/v3-protobuf/pipeline", Encoding::Protobuf),
    ("/v3-protobuf/cursor", Encoding::Protobuf),
    ("/", Encoding::Json),
    ("/db/none/v2/pipeline", Encoding::Json),
];

/// Sends some requests.
pub(super) async fn client(
    server: &TestServer,
    clients: &Clients,
    seeds: &Seeds,
    random: &mut Random,
) {
    match random.below(5) {
        0 => raw(server, seeds, random).await,
        1 | 2 => mutated(server, clients, seeds, random).await,
        _ => stream(server, clients, random).await,
    }
}

fn http(random: &mut Random) -> Http {
    *random.pick(&[Http::One, Http::Two])
}

/// Refused with a reason, or executed; never a failure of the server's own.
fn check(answer: &Answer) {
    let status = answer.status.as_u16();
    assert!(status < 500 || status == 503, "{answer:?}");
    let is_internal = |window: &[u8]| window == br#""code":"INTERNAL""#;
    assert!(!answer.body.windows(17).any(is_internal), "{answer:?}");
    if status != 200 {
        answer.failure(status);
    }
}

/// Bodies that were good once, at any endpoint.
async fn mutated(server: &TestServer, clients: &Clients, seeds: &Seeds, random: &mut Random) {
    for _ in 0..20 {
        let (path, encoding) = *random.pick(&PATHS);
        let bodies = &seeds.bodies[index(encoding)];
        let mut body = random.pick(bodies).clone();
        random.change(&mut body, bodies);
        let method = if random.one_in(30) { Method::PUT } else { Method::POST };
        let request = Request::builder().method(method).uri(server.url(path));
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        check(&clients.send(http(random), request).await);
    }
}

/// One stream, whose batons are now and then the wrong ones; closed at the end.
async fn stream(server: &TestServer, clients: &Clients, random: &mut Random) {
    let mut batons: Vec<String> = Vec::new();
    for _ in 0..random.below(12) {
        let mut baton = batons.last().cloned();
        if random.one_in(10) && !batons.is_empty() {
            let mut wrong = random.pick(&batons).clone().into_bytes();
            if random.one_in(2) {
                random.change(&mut wrong, &[b"AAAA".to_vec()]);
            }
            baton = Some(String::from_utf8_lossy(&wrong).into_owned());
        }
        let request = request(server, baton.as_deref(), random);
        if random.one_in(10) {
            // Gone before the answer.
            let patience = Duration::from_millis(random.below(20) as u64);
            let _ = timeout(patience, clients.send(http(random), request)).await;
            continue;
        }
        let answer = clients.send(http(random), request).await;
        check(&answer);
        batons.extend(next_baton(&answer));
    }
    if let Some(baton) = batons.last() {
        let body = json!({ "baton": baton, "requests": [{ "type": "close" }] }).to_string();
        let request = Request::post(server.url("/v2/pipeline"));
        check(&clients.send(Http::One, request.body(Full::from(body)).unwrap()).await);
    }
}

fn request(server: &TestServer, baton: Option<&str>, random: &mut Random) -> Request<Full<Bytes>> {
    let encoding = *random.pick(&[Encoding::Json, Encoding::Protobuf]);
    let version = if encoding == Encoding::Json { "v3" } else { "v3-protobuf" };
    let (path, value) = if random.one_in(4) {
        ("cursor", json!({ "baton": baton, "batch": batch(random, false) }))
    } else {
        let requests: Vec<_> =
            (0..random.below(5)).map(|_| stream_request(random, false)).collect();
        ("pipeline", json!({ "baton": baton, "requests": requests }))
    };
    let mut body = Vec::new();
    match (encoding, path) {
        (Encoding::Json, _) => body = value.to_string().into_bytes(),
        (_, "cursor") => {
            let message: CursorReqBody = serde_json::from_value(value).unwrap();
            encoding.encode(&message, &mut body);
        }
        _ => {
            let message: PipelineReqBody = serde_json::from_value(value).unwrap();
            encoding.encode(&message, &mut body);
        }
    }
    let url = server.url(&format!("/{version}/{path}"));
    Request::post(url).body(Full::new(Bytes::from(body))).unwrap()
}

/// The baton of an answer in JSON.
fn next_baton(answer: &Answer) -> Option<String> {
    let line = answer.body.split(|byte| *byte == b'\n').next()?;
    let value: Value = serde_json::from_slice(line).ok()?;
    value["baton"].as_str().map(str::to_owned)
}

/// The beginning of HTTP/2, and any frames.
fn http2(random: &mut Random) -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    for _ in 0..random.below(20) {
        let payload = random.bytes(60);
        let (kind, flags, stream) = (random.below(11) as u8, random.next() as u8, random.below(9));
        bytes.extend([0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream as u8]);
        bytes.extend(payload);
    }
    bytes
}

/// Bytes of its own: requests cut short, and what is none.
async fn raw(server: &TestServer, seeds: &Seeds, random: &mut Random) {
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let (path, encoding) = *random.pick(&PATHS);
    let body = random.pick(&seeds.bodies[index(encoding)]).clone();
    let length = if random.one_in(4) { random.below(100_000) } else { body.len() };
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\n\r\n",
        server.address()
    );
    let mut bytes = [head.into_bytes(), body].concat();
    match random.below(5) {
        0 => random.change(&mut bytes, &seeds.bodies[0]),
        4 => bytes = http2(random),
        1 => bytes.truncate(random.below(bytes.len() + 1)),
        2 => bytes = random.bytes(3000),
        // Two at once.
        _ => bytes = bytes.repeat(2),
    }
    if socket.write_all(&bytes).await.is_err() {
        return;
    }
    match random.below(4) {
        0 => drop(socket),
        1 => {
            socket.set_zero_linger().unwrap();
            drop(socket);
        }
        _ => {
            let _ = socket.shutdown().await;
            let mut answer = Vec::new();
            let reading = socket.read_to_end(&mut answer);
            let read = timeout(Duration::from_secs(20), reading).await;
            assert!(read.is_ok(), "the server does not close");
            assert!(!answer.windows(12).any(|part| part == b"HTTP/1.1 500"), "{answer:?}");
        }
    }
}
