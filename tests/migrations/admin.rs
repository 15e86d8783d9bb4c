//! Schema databases by the admin API of sqld.

use hyper::Method;
use serde_json::{Value, json};

use super::{column, done, fails};
use crate::harness::{Answer, TestServer};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

async fn post(server: &TestServer, path: &str, body: Value) -> Answer {
    server.admin(Method::POST, &format!("/v1/namespaces{path}"), &JSON, body).await
}

async fn config(server: &TestServer, name: &str) -> Value {
    let path = format!("/v1/namespaces/{name}/config");
    server.admin(Method::GET, &path, &[], Value::Null).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_and_its_children_are_created_as_tools_of_sqld_do() {
    let server = TestServer::start_with(&["--admin-listen", "127.0.0.1:0"]).await;
    assert_eq!(post(&server, "/sch/create", json!({ "shared_schema": true })).await.status, 200);
    done(&server, "sch", "CREATE TABLE t (id INTEGER PRIMARY KEY)").await;
    let child = json!({ "shared_schema_name": "sch" });
    assert_eq!(post(&server, "/a/create", child.clone()).await.status, 200);
    assert_eq!(post(&server, "/b/create", child).await.status, 200);
    done(&server, "sch", "ALTER TABLE t ADD COLUMN n").await;
    for name in ["a", "b"] {
        done(&server, name, "INSERT INTO t (n) VALUES (1)").await;
    }
    assert_eq!(config(&server, "sch").await["shared_schema"], true);
    assert_eq!(config(&server, "a").await["shared_schema_name"], "sch");
    assert_eq!(config(&server, "default").await.get("shared_schema"), None);
    // A copy of a child is a child, with its rows.
    assert_eq!(post(&server, "/a/fork/copy", Value::Null).await.status, 200);
    assert_eq!(config(&server, "copy").await["shared_schema_name"], "sch");
    done(&server, "sch", "ALTER TABLE t ADD COLUMN m").await;
    let rows = done(&server, "copy", "SELECT n, m FROM t").await;
    assert_eq!(rows["rows"].as_array().unwrap().len(), 1);
    assert!(
        post(&server, "/sch/fork/x", Value::Null).await.failure(400).contains("cannot be forked")
    );
    // Nobody else's schema.
    assert!(fails(&server, "copy", "CREATE TABLE u (id)").await.contains("schema database sch"));
    // It cannot go while children are there.
    let delete = async |name: &str| {
        let path = format!("/v1/namespaces/{name}");
        server.admin(Method::DELETE, &path, &JSON, json!({})).await
    };
    assert!(delete("sch").await.failure(400).contains("cannot delete `sch` because databases"));
    for name in ["a", "b", "copy", "sch"] {
        let answer = delete(name).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    assert_eq!(column(&server, "default", "SELECT name FROM sqlite_schema").await.len(), 0);
    server.stop().await;
}
