//! A database as a file, as the CLI asks for it.

use std::fs;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request};
use serde_json::{Value, json};

use super::dumps::scratch_files;
use crate::harness::{Http, TestServer, eventually};

const CLI: (&str, &str) = ("tursocliversion", "v1.0.29");

async fn token(server: &TestServer, database: &str, body: Value) -> String {
    let path = format!("/v1/databases/{database}/auth/tokens?expiration=1h");
    let answer = server.platform(Method::POST, &path, body).await.json();
    format!("Bearer {}", answer["jwt"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "a file that no server has open")]
async fn a_file_has_what_was_committed_when_it_was_asked_for() {
    let server = TestServer::start_with(&["--auth", "required"]).await;
    server.create_database("shop").await;
    let authorization = token(&server, "shop", Value::Null).await;
    let headers = [("authorization", authorization.as_str()), CLI, ("accept-encoding", "gzip")];
    let get = async |path: &str| server.request(Method::GET, path, &headers, "").await;
    let execute = async |sql: &str| {
        let body = json!({ "requests": [{ "type": "sequence", "sql": sql }] }).to_string();
        let answer = server.request(Method::POST, "/v2/pipeline", &headers, body).await;
        assert_eq!(answer.json()["results"][0]["type"], "ok");
    };
    execute("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(1000000)), ('two')").await;
    // Not committed, so not in the file, and in nobody's way.
    execute("BEGIN; INSERT INTO t VALUES ('three')").await;
    // The CLI has lost the path of the database: its token says which one it is.
    for base in ["", "/db/shop"] {
        assert_eq!(get(&format!("{base}/info")).await.json(), json!({ "current_generation": 1 }));
        let answer = get(&format!("{base}/export/1")).await;
        assert_eq!(answer.status, 200);
        // Where the end of a body is not told by its length.
        let mut request = Request::get(server.url(&format!("{base}/export/1")));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::new())).unwrap();
        assert_eq!(server.send(Http::Two, request).await.body.len(), answer.body.len());
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        let path = server.directory.path().join("exported.db");
        fs::write(&path, &answer.body).unwrap();
        let file = rusqlite::Connection::open(&path).unwrap();
        let ask = |sql: &str| file.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(ask("PRAGMA integrity_check"), "ok");
        assert_eq!(ask("SELECT count(*) || max(a) FROM t WHERE typeof(a) = 'text'"), "1two");
        let message = get(&format!("{base}/sync/1/1/129")).await.failure(400);
        assert!(message.contains("no frames"), "{message}");
        get(&format!("{base}/export/2")).await.failure(404);
        get(&format!("{base}/export/..%2Fcatalog")).await.failure(404);
    }
    assert_eq!(scratch_files(&server), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_cli_and_only_with_all_rights() {
    let server = TestServer::start_with(&["--auth", "required"]).await;
    server.create_database("shop").await;
    let whole = token(&server, "shop", Value::Null).await;
    let tables = json!({ "fine_grained_permissions": [{ "t": ["t"], "a": ["data_read"] }] });
    let limited = token(&server, "shop", tables).await;
    for path in ["/info", "/export/1", "/sync/1/1/129"] {
        // Replicas of the Rust client ask, and shall not take it for what they know.
        let headers = [("authorization", whole.as_str())];
        let answer = server.request(Method::GET, path, &headers, "").await;
        assert!(answer.failure(404).starts_with("there is nothing at GET"));
        server.request(Method::GET, path, &[CLI], "").await.failure(401);
        let headers = [("authorization", limited.as_str()), CLI];
        let message = server.request(Method::GET, path, &headers, "").await.failure(403);
        assert!(message.contains("an export needs all rights on all tables"), "{message}");
        let foreign = format!("/db/default{path}");
        let headers = [("authorization", whole.as_str()), CLI];
        server.request(Method::GET, &foreign, &headers, "").await.failure(404);
    }
    let read_only = server
        .platform(
            Method::POST,
            "/v1/databases/shop/auth/tokens?authorization=read-only",
            Value::Null,
        )
        .await
        .json();
    let authorization = format!("Bearer {}", read_only["jwt"].as_str().unwrap());
    let headers = [("authorization", authorization.as_str()), CLI];
    assert_eq!(server.request(Method::GET, "/export/1", &headers, "").await.status, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_leaves_no_file() {
    let server = TestServer::start().await;
    server.execute("CREATE TABLE t (a)").await;
    for _ in 0..4 {
        server.execute("INSERT INTO t VALUES (zeroblob(10000000))").await;
    }
    let request = Request::get(server.url("/export/1")).header(CLI.0, CLI.1);
    let request = request.body(Full::default()).unwrap();
    let mut answer = server.begin(Http::One, request).await;
    answer.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(scratch_files(&server), 1);
    drop(answer);
    eventually(async || scratch_files(&server) == 0).await;
    server.stop().await;
}
