//! Who gets in without a token: programs and pages of this machine on a loopback address, and nobody else.

use hyper::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::harness::TestServer;

const SELECT: &str = r#"{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}}]}"#;

async fn status(server: &TestServer, headers: &[(&str, &str)]) -> u16 {
    server.request(Method::POST, "/v2/pipeline", headers, SELECT).await.status.as_u16()
}

/// The code with which a WebSocket is answered to `hello`, or why there is none.
async fn hello(server: &TestServer, headers: &[(&str, &str)], jwt: Option<&str>) -> String {
    use futures_util::{SinkExt as _, StreamExt as _};

    let mut request = format!("ws://{}/", server.address()).into_client_request().unwrap();
    for (name, value) in headers {
        let name: hyper::header::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let socket = TcpStream::connect(server.address()).await.unwrap();
    match tokio_tungstenite::client_async(request, socket).await {
        Ok((mut socket, _)) => {
            let hello = json!({ "type": "hello", "jwt": jwt }).to_string();
            socket.send(hello.into()).await.unwrap();
            let answer = socket.next().await.unwrap().unwrap().into_text().unwrap();
            let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
            answer["type"].as_str().unwrap().to_owned()
        }
        Err(Error::Http(answer)) => answer.status().to_string(),
        Err(error) => panic!("{error}"),
    }
}

/// Everything that makes a request a stranger's.
const STRANGERS: [(&str, &str); 19] = [
    ("origin", "https://evil.example"),
    ("origin", "http://localhost.evil.example"),
    ("origin", "null"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-host", "localhost"),
    ("x-forwarded-proto", "http"),
    ("x-real-ip", "127.0.0.1"),
    ("forwarded", "for=127.0.0.1"),
    ("via", "1.1 proxy"),
    ("host", "evil.example"),
    ("host", "evil.example:8080"),
    ("host", "localhost.evil.example"),
    ("host", "127.0.0.1.evil.example"),
    ("host", "shop.example.com"),
    ("host", "hranad"),
    ("host", "0.0.0.0"),
    ("host", "192.168.0.1"),
    ("host", "[::]"),
    ("host", ""),
];

const NEIGHBOURS: [(&str, &str); 9] = [
    ("origin", "http://localhost:3000"),
    ("origin", "http://127.0.0.1:8080"),
    ("host", "localhost"),
    ("host", "LOCALHOST:8080"),
    ("host", "default.localhost:8080"),
    ("host", "127.0.0.1"),
    ("host", "127.1.2.3:80"),
    ("host", "[::1]"),
    ("host", "[::1]:8080"),
];

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_others_and_proxies_and_foreign_names_need_the_token() {
    let server = TestServer::start().await;
    let token = format!("Bearer {}", server.token);
    let authorization = ("authorization", token.as_str());
    for header in STRANGERS {
        let answer = server.request(Method::POST, "/v2/pipeline", &[header], SELECT).await;
        let message = answer.failure(401);
        assert!(message.contains("without a token only programs and pages"), "{header:?}");
        assert_eq!(hello(&server, &[header], None).await, "hello_error", "{header:?}");
        if header.0 != "host" {
            assert_eq!(status(&server, &[header, authorization]).await, 200, "{header:?}");
            let answer = hello(&server, &[header], Some(&server.token)).await;
            assert_eq!(answer, "hello_ok", "{header:?}");
        }
    }
    for header in NEIGHBOURS {
        assert_eq!(status(&server, &[header]).await, 200, "{header:?}");
        assert_eq!(hello(&server, &[header], None).await, "hello_ok", "{header:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_given_must_be_good() {
    let server = TestServer::start().await;
    for value in ["Bearer wrong", "Basic eDp5", "wrong", "bearer None2"] {
        assert_eq!(status(&server, &[("authorization", value)]).await, 401, "{value}");
    }
    // What clients send that have none.
    for value in ["Bearer", "Bearer None", "bearer "] {
        assert_eq!(status(&server, &[("authorization", value)]).await, 200, "{value}");
    }
    assert_eq!(hello(&server, &[], Some("wrong")).await, "hello_error");
    assert_eq!(hello(&server, &[], Some(&server.token)).await, "hello_ok");
    assert_eq!(hello(&server, &[("authorization", "Bearer wrong")], None).await, "hello_error");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_this_machine_names_it_and_is_none_of_a_proxy_that_says_nothing() {
    let server = TestServer::start().await;
    let cases = [
        // As nginx forwards what anybody asks, where `proxy_pass` is all that it was told.
        ("POST /v2/pipeline HTTP/1.0\r\nhost: 127.0.0.1:8080\r\n", "HTTP/1.0 401 "),
        ("POST /v2/pipeline HTTP/1.0\r\n", "HTTP/1.0 401 "),
        ("POST /v2/pipeline HTTP/1.0\r\nhost: evil.example\r\n", "HTTP/1.0 401 "),
        ("POST /v2/pipeline HTTP/1.1\r\n", "HTTP/1.1 401 "),
        ("POST /v2/pipeline HTTP/1.1\r\nhost: localhost\r\n", "HTTP/1.1 200 "),
        (
            "POST /v2/pipeline HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n",
            "HTTP/1.1 401 ",
        ),
        ("POST http://localhost/v2/pipeline HTTP/1.1\r\nhost: evil.example\r\n", "HTTP/1.1 401 "),
        ("POST http://evil.example/v2/pipeline HTTP/1.1\r\nhost: localhost\r\n", "HTTP/1.1 401 "),
        ("POST http://localhost/v2/pipeline HTTP/1.1\r\nhost: localhost\r\n", "HTTP/1.1 200 "),
    ];
    for (head, expected) in cases {
        let mut socket = TcpStream::connect(server.address()).await.unwrap();
        let rest = format!("connection: close\r\ncontent-length: {}\r\n\r\n{SELECT}", SELECT.len());
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(expected), "{head}{answer}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_auth_required_everybody_needs_the_token() {
    let server = TestServer::start_with(&["--auth", "required"]).await;
    let authorization = format!("Bearer {}", server.token);
    let answer = server.post("/v2/pipeline", SELECT).await;
    assert!(answer.failure(401).contains("no token was given"));
    assert_eq!(status(&server, &[("authorization", &authorization)]).await, 200);
    assert_eq!(hello(&server, &[], None).await, "hello_error");
    assert_eq!(hello(&server, &[], Some(&server.token)).await, "hello_ok");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_a_trusted_proxy_is_never_local() {
    let server = TestServer::start_with(&["--trusted-proxy", "10.0.0.0/8,127.0.0.1"]).await;
    let authorization = format!("Bearer {}", server.token);
    // Not even when the proxy says nothing of whom it speaks for.
    assert_eq!(status(&server, &[]).await, 401);
    assert_eq!(status(&server, &[("x-forwarded-for", "127.0.0.1")]).await, 401);
    assert_eq!(status(&server, &[("authorization", &authorization)]).await, 200);
    assert_eq!(hello(&server, &[], None).await, "hello_error");
    server.stop().await;
}
