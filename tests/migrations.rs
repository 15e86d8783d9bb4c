//! Schema databases as their owners and the users of their children see them.

mod admin;
mod commands;
mod import;
mod jobs;
mod modes;
mod rights;
mod settling;
mod side_doors;
mod statements;

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};

/// A schema database `sch` with a table `t`, and children of it.
async fn start_with_children(names: &[&str]) -> TestServer {
    let server = TestServer::start().await;
    create_schema(&server, "sch").await;
    done(&server, "sch", "CREATE TABLE t (id INTEGER PRIMARY KEY, n UNIQUE)").await;
    for name in names {
        create_child(&server, name, "sch").await;
    }
    server
}

async fn create_schema(server: &TestServer, name: &str) {
    create(server, json!({ "name": name, "group": "default", "is_schema": true })).await;
}

async fn create_child(server: &TestServer, name: &str, schema: &str) {
    create(server, json!({ "name": name, "group": "default", "schema": schema })).await;
}

async fn create(server: &TestServer, body: Value) {
    let answer = server.platform(Method::POST, "/v1/databases", body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// What a database says to requests on one stream, with a token or without.
async fn ask(server: &TestServer, name: &str, token: &str, requests: Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let headers = if token.is_empty() { &headers[..0] } else { &headers[..] };
    let body = json!({ "requests": requests }).to_string();
    server.request(Method::POST, &format!("/db/{name}/v3/pipeline"), headers, body).await
}

fn execute(sql: &str) -> Value {
    json!({ "type": "execute", "stmt": { "sql": sql } })
}

/// The result of one statement or its error.
async fn say(server: &TestServer, name: &str, token: &str, sql: &str) -> Value {
    let answer = ask(server, name, token, json!([execute(sql), { "type": "close" }])).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let result = answer.json()["results"][0].take();
    match result["type"].as_str() {
        Some("ok") => result["response"]["result"].clone(),
        _ => result["error"].clone(),
    }
}

/// A statement that must succeed.
async fn done(server: &TestServer, name: &str, sql: &str) -> Value {
    let result = say(server, name, "", sql).await;
    assert!(result["rows"].is_array(), "{name}: {sql}: {result}");
    result
}

/// The message of a statement that must fail.
async fn fails(server: &TestServer, name: &str, sql: &str) -> String {
    let error = say(server, name, "", sql).await;
    error["message"].as_str().unwrap_or_else(|| panic!("{name}: {sql}: {error}")).to_owned()
}

/// The first column of all rows, as text.
async fn column(server: &TestServer, name: &str, sql: &str) -> Vec<String> {
    let result = done(server, name, sql).await;
    let text = |row: &Value| row[0]["value"].as_str().unwrap_or_default().to_owned();
    result["rows"].as_array().unwrap().iter().map(text).collect()
}

/// What made the objects of a database, in the order of their names.
async fn schema_of(server: &TestServer, name: &str) -> Vec<String> {
    column(server, name, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").await
}

async fn get(server: &TestServer, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

async fn set_configuration(server: &TestServer, name: &str, body: Value) -> Answer {
    let path = format!("/v1/databases/{name}/configuration");
    server.platform(Method::PATCH, &path, body).await
}
