//! Who may migrate, who may decide about migrations, and who may change the schema of a child.

use std::fs;

use hyper::Method;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{create_child, create_schema, done, say};
use crate::harness::signer::Signer;
use crate::harness::{Answer, TestServer};

/// What a database says to a statement of somebody: nothing, or the code of the error.
async fn code(server: &TestServer, name: &str, token: &str, sql: &str) -> String {
    let result = say(server, name, token, sql).await;
    result["code"].as_str().unwrap_or_default().to_owned()
}

async fn mint(server: &TestServer, path: &str) -> String {
    let answer = server.platform(Method::POST, path, Value::Null).await;
    answer.json()["jwt"].as_str().unwrap().to_owned()
}

async fn decide(server: &TestServer, token: &str, what: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let path = format!("/db/sch/v1/jobs/1/{what}");
    server.request(Method::POST, &path, &[("authorization", &bearer)], "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_foreign_token_that_says_so_changes_the_schema_of_a_child() {
    let signer = Signer::eddsa("somebody");
    let key = NamedTempFile::new().unwrap();
    fs::write(key.path(), signer.text()).unwrap();
    let key = key.path().to_str().unwrap();
    let server = TestServer::start_with(&["--auth-key", key]).await;
    create_schema(&server, "sch").await;
    done(&server, "sch", "CREATE TABLE t (id)").await;
    create_child(&server, "a", "sch").await;
    let full = mint(&server, "/v1/databases/a/auth/tokens").await;
    let group = mint(&server, "/v1/groups/default/auth/tokens").await;
    let all = signer.token_without_kid(&json!({ "a": "rw" }));
    let rows = signer.token_without_kid(&json!({ "p": { "rw": { "ns": ["a"] } } }));
    let owner = server.token.clone();
    for token in [&full, &group, &all, &rows, &owner, &String::new()] {
        assert_eq!(code(&server, "a", token, "INSERT INTO t VALUES (1)").await, "");
        assert_eq!(code(&server, "a", token, "CREATE TABLE u (id)").await, "SQLITE_AUTH");
    }
    let ddl = signer.token_without_kid(&json!({ "p": { "ddl": { "ns": ["a"] } } }));
    assert_eq!(code(&server, "a", &ddl, "CREATE TABLE own (id)").await, "");
    assert_eq!(code(&server, "sch", "", "CREATE TABLE later (id)").await, "");
    assert_eq!(code(&server, "a", "", "SELECT * FROM own, later").await, "");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_are_of_those_who_may_change_the_schema() {
    let server = TestServer::start().await;
    create_schema(&server, "sch").await;
    create_child(&server, "a", "sch").await;
    let full = mint(&server, "/v1/databases/sch/auth/tokens").await;
    let group = mint(&server, "/v1/groups/default/auth/tokens").await;
    let reads = mint(&server, "/v1/databases/sch/auth/tokens?authorization=read-only").await;
    let child = mint(&server, "/v1/databases/a/auth/tokens").await;
    assert_eq!(code(&server, "sch", &full, "CREATE TABLE t (id)").await, "");
    assert_eq!(code(&server, "sch", &group, "ALTER TABLE t ADD COLUMN n").await, "");
    for sql in ["CREATE TABLE u (id)", "INSERT INTO t VALUES (1, 2)"] {
        assert_eq!(code(&server, "sch", &reads, sql).await, "SQLITE_AUTH");
    }
    let jobs = async |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        server.request(Method::GET, "/db/sch/v1/jobs", &headers, "").await
    };
    let owner = server.token.clone();
    for token in [&full, &group, &reads, &owner] {
        assert_eq!(jobs(token).await.json()["migrations"][0]["job_id"], 2);
    }
    // As if there were no such database.
    assert!(jobs(&child).await.status.is_client_error());
    for what in ["retry", "resume", "cancel"] {
        let refused = decide(&server, &reads, what).await.failure(403);
        assert!(refused.contains("needs the right to change the schema"), "{refused}");
    }
    for token in [&full, &group, &owner] {
        assert_eq!(decide(&server, token, "retry").await.status, 200);
        let done = decide(&server, token, "cancel").await.failure(400);
        assert!(done.contains("cannot be cancelled: it is RunSuccess"), "{done}");
    }
    let rules = json!([{ "t": ["t"], "a": ["data_read", "schema_update"] }]);
    let body = json!({ "fine_grained_permissions": rules });
    let some = server.platform(Method::POST, "/v1/databases/sch/auth/tokens", body).await.json();
    let some = some["jwt"].as_str().unwrap();
    assert_eq!(jobs(some).await.status, 200);
    decide(&server, some, "retry").await.failure(403);
    server.stop().await;
}
