//! Which database a request reaches, and what all answers have in common.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};

use crate::harness::{Answer, Http, TestServer};

/// Asks a database for its name, which each holds in a table.
const WHO: &str =
    r#"{"requests":[{"type":"execute","stmt":{"sql":"SELECT name FROM me"}},{"type":"close"}]}"#;

async fn start() -> TestServer {
    let server = TestServer::start().await;
    for name in ["default", "shop", "my-shop", "my-shop-local", "local"] {
        if name != "default" {
            server.create_database(name).await;
        }
        let sql = format!("CREATE TABLE me(name); INSERT INTO me VALUES('{name}')");
        let body = json!({ "requests": [{ "type": "sequence", "sql": sql }] }).to_string();
        let answer = server.post(&format!("/db/{name}/v2/pipeline"), body).await;
        assert_eq!(answer.json()["results"][0]["type"], "ok", "{answer:?}");
    }
    server
}

fn who(answer: &Answer) -> Value {
    answer.json()["results"][0]["response"]["result"]["rows"][0][0]["value"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn by_path() {
    let server = start().await;
    for path in ["/db/shop/v2/pipeline", "//db//shop//v3/pipeline", "/db/shop/v2//pipeline"] {
        assert_eq!(who(&server.post(path, WHO).await), "shop", "{path}");
    }
    // The path wins over the header and the host.
    let headers = [("x-namespace", "my-shop"), ("host", "local.localhost")];
    let answer = server.request(Method::POST, "/db/shop/v2/pipeline", &headers, WHO).await;
    assert_eq!(who(&answer), "shop");
    for path in ["/v2/pipeline", "/v3/pipeline", "/v3/cursor", "/v1/execute", "/dump", "/health"] {
        assert!(server.get(&format!("/db/shop{path}")).await.status != 404, "{path}");
    }
    let answer = server.post("/db/shop/", r#"{"statements":["SELECT name FROM me"]}"#).await;
    assert_eq!(answer.json()[0]["results"]["rows"][0][0], "shop");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_without_its_last_slash_is_explained() {
    let server = start().await;
    for path in ["/db/v2/pipeline", "/db/v3/cursor", "/db/v3-protobuf/pipeline", "/db/v1/execute"] {
        let message = server.post(path, WHO).await.failure(400);
        assert!(message.contains("lacks its last slash: use …/db/NAME/"), "{message}");
    }
    assert!(server.get("/db/dump").await.failure(400).contains("slash"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_header() {
    let server = start().await;
    let headers = [("x-namespace", "my-shop"), ("host", "shop.localhost")];
    let answer = server.request(Method::POST, "/v2/pipeline", &headers, WHO).await;
    assert_eq!(who(&answer), "my-shop");
    let unknown = [("x-namespace", "nobody")];
    let answer = server.request(Method::POST, "/v2/pipeline", &unknown, WHO).await;
    assert!(answer.failure(404).contains("could not find database with name nobody"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_host() {
    let server = start().await;
    let authorization = format!("Bearer {}", server.token);
    let cases = [
        ("localhost", "default"),
        ("localhost:8080", "default"),
        ("127.0.0.1:8080", "default"),
        ("[::1]:8080", "default"),
        ("hranad", "default"),
        ("shop.example.com", "shop"),
        ("SHOP.Example.com:81", "shop"),
        ("shop-local.example.com", "shop"),
        ("my-shop-local.example.com", "my-shop"),
        ("my-shop-local-local.example.com", "my-shop-local"),
        ("local.example.com", "local"),
        ("shop.localhost:8080", "shop"),
    ];
    for (host, database) in cases {
        let headers = [("host", host), ("authorization", &authorization)];
        let answer = server.request(Method::POST, "/v2/pipeline", &headers, WHO).await;
        assert_eq!(who(&answer), database, "{host}");
    }
    let headers = [("host", "x.example.com"), ("authorization", &authorization)];
    let answer = server.request(Method::POST, "/v2/pipeline", &headers, WHO).await;
    assert!(answer.failure(404).contains("name x"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_of_http_2_counts_as_host() {
    let server = start().await;
    // `shop.localhost` cannot be resolved everywhere, so the request says it and the connection does not.
    let stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    let driver = tokio::spawn(connection);
    let request = Request::post("http://shop.localhost/v2/pipeline");
    let request = request.body(Full::new(Bytes::from(WHO))).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["results"][0]["response"]["result"]["rows"][0][0]["value"], "shop");
    drop(sender);
    driver.await.unwrap().unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_cannot_be_are_refused() {
    let server = start().await;
    for name in ["Shop", "a.b", "..", "a_b", "%2e%2e", "a%2fb", &"a".repeat(65)] {
        let answer = server.post(&format!("/db/{name}/v2/pipeline"), WHO).await;
        assert!(answer.failure(400).contains("cannot be a database name"), "{name}");
        let headers = [("x-namespace", name)];
        let answer = server.request(Method::POST, "/v2/pipeline", &headers, WHO).await;
        assert!(answer.failure(400).contains("cannot be a database name"), "{name}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_may_ask_from_anywhere() {
    let server = start().await;
    let headers = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let answer = server.request(Method::OPTIONS, "/db/shop/v2/pipeline", &headers, "").await;
    assert_eq!(answer.status, 200);
    for name in ["origin", "methods", "headers"] {
        assert_eq!(answer.header(&format!("access-control-allow-{name}")), "*", "{name}");
    }
    let origin = [("origin", "https://app.example.com")];
    for path in ["/v2/pipeline", "/nothing"] {
        let answer = server.request(Method::POST, path, &origin, WHO).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_answers_are_compressed_for_those_who_ask() {
    let server = start().await;
    let many =
        r#"{"requests":[{"type":"execute","stmt":{"sql":"SELECT printf('%.*c', 9999, 'x')"}}]}"#;
    for encoding in ["gzip", "deflate", "br"] {
        let headers = [("accept-encoding", encoding)];
        let large = server.request(Method::POST, "/v2/pipeline", &headers, many).await;
        assert_eq!(large.header("content-encoding"), encoding);
        assert!(large.body.len() < 1000, "{}", large.body.len());
        let small = server.request(Method::POST, "/v2/pipeline", &headers, WHO).await;
        assert_eq!(small.header("content-encoding"), "");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_ask_whether_the_server_is_there() {
    let server = start().await;
    for path in ["/health", "/version", "/v1", "/v2", "/v3", "/v3-protobuf"] {
        for http in [Http::One, Http::Two] {
            let request = Request::get(server.url(path)).body(Full::default()).unwrap();
            assert_eq!(server.send(http, request).await.status, 200, "{path} {http:?}");
        }
    }
    assert_eq!(server.get("/version").await.text(), concat!("hranad ", env!("CARGO_PKG_VERSION")));
    assert!(server.get("/nothing").await.failure(404).contains("GET /nothing"));
    assert!(server.get("/v2/pipeline").await.failure(405).contains("GET"));
    server.stop().await;
}
