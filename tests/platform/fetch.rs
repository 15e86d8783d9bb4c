//! Dumps that the server fetches.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use hyper::Method;
use serde_json::{Value, json};

use super::dumps::create;
use crate::harness::TestServer;

/// A web server that answers each request for a path with a text of its own, until the test ends.
fn elsewhere(answers: &'static [(&'static str, &'static str)]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            // A short request comes in one piece.
            let mut head = [0; 4096];
            let length = socket.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..length]);
            let path = head.split(' ').nth(1).unwrap_or_default();
            let known = answers.iter().find(|(known, _)| *known == path);
            socket.write_all(known.map_or(NONE, |(_, answer)| answer).as_bytes()).unwrap();
        }
    });
    address
}

const NONE: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\nSELECT 1;";

const ANSWERS: &[(&str, &str)] = &[
    ("/good", "HTTP/1.1 200 OK\r\ncontent-length: 24\r\n\r\nCREATE TABLE t (a, b, c)"),
    ("/moved", "HTTP/1.1 302 Found\r\nlocation: /good\r\ncontent-length: 0\r\n\r\n"),
    ("/around", "HTTP/1.1 302 Found\r\nlocation: /around\r\ncontent-length: 0\r\n\r\n"),
    ("/file", "HTTP/1.1 302 Found\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n"),
    ("/part", "HTTP/1.1 206 Partial\r\ncontent-length: 9\r\n\r\nSELECT 1;"),
    ("/short", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nCREATE TABLE t (a);"),
    ("/long", "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nCREATE TABLE t (a);"),
    ("/wrong", "HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\nSELECT 1;\nSELECT\nx +;"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_is_fetched_if_it_can_be_had_whole() {
    let server = TestServer::start().await;
    let address = elsewhere(ANSWERS);
    for (number, path) in ["/good", "/moved"].into_iter().enumerate() {
        let name = format!("copy-{number}");
        let answer = create(&server, &name, &format!("HTTP://{address}{path}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let dump = server.get(&format!("/db/{name}/dump")).await;
        assert!(dump.text().contains("t (a, b, c)"), "{dump:?}");
    }
    for (path, expected) in [
        ("/around", "could not be fetched"),
        ("/file", "could not be fetched"),
        ("/none", "the answer is 404"),
        ("/part", "the answer is 206"),
        ("/short", "could not be read to its end"),
        ("/long", "could not be"),
        ("/wrong", "line 2 of the dump: SQLite error"),
    ] {
        let answer = create(&server, "broken", &format!("http://{address}{path}")).await;
        let message = answer.failure(400);
        assert!(message.contains(expected), "{path}: {message}");
    }
    // No TLS there, nobody there, no place at all.
    for url in
        [format!("https://{address}/good"), "http://127.0.0.1:1/".to_owned(), "http://".to_owned()]
    {
        assert!(
            create(&server, "broken", &url).await.failure(400).contains("could not be fetched")
        );
    }
    let path = "/v1/databases/broken";
    server.platform(Method::GET, path, Value::Null).await.failure(404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_fetches_for_its_owner_only() {
    let server = TestServer::start().await;
    let body = json!({ "scopes": ["db:create", "read"] });
    let token = server.platform(Method::POST, "/v1/auth/api-tokens/limited", body).await.json();
    let authorization = format!("Bearer {}", token["token"].as_str().unwrap());
    let seed = json!({ "type": "dump", "url": server.url("/dump") });
    let body = json!({ "name": "copy", "group": "default", "seed": seed }).to_string();
    let headers = [("authorization", authorization.as_str())];
    let answer = server.request(Method::POST, "/v1/databases", &headers, body).await;
    assert!(answer.failure(401).contains("full access"));
    server.stop().await;
}
