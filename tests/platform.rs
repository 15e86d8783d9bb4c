//! The platform API's databases, and what deleting one does to those who use it.

mod dumps;
mod export;
mod fetch;
mod limited;
mod uploads;
mod usage;

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::TestServer;

fn names(list: &Value) -> Vec<&str> {
    list["databases"].as_array().unwrap().iter().map(|d| d["Name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn create_show_list_delete_in_both_families_of_urls() {
    let server = TestServer::start().await;
    for base in ["/v1/databases", "/v1/organizations/local/databases"] {
        let body = json!({ "name": "shop", "group": "default" });
        let created = server.platform(Method::POST, base, body).await;
        assert_eq!(created.status, 200);
        assert_eq!(created.header("content-type"), "application/json");
        let created = created.json();
        let database = &created["database"];
        assert_eq!(database["Name"], "shop");
        assert_eq!(database["Hostname"], format!("{}/db/shop/", server.address()));
        assert_eq!(database["primaryRegion"], "local");
        assert_eq!(database["group"], "default");
        assert_eq!(database["is_schema"], false);
        let shown = server.platform(Method::GET, &format!("{base}/shop"), Value::Null).await.json();
        assert_eq!(shown["database"], *database);
        let list = server.platform(Method::GET, base, Value::Null).await.json();
        assert_eq!(names(&list), ["default", "shop"]);
        assert_eq!(list["databases"][1], *database);
        let deleted = server.platform(Method::DELETE, &format!("{base}/shop"), Value::Null).await;
        assert_eq!((deleted.status.as_u16(), deleted.json()), (200, json!({ "database": "shop" })));
        let gone = server.platform(Method::GET, &format!("{base}/shop"), Value::Null).await;
        let message = gone.failure(404);
        assert_eq!(message, "could not find database with name shop: record not found");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_whole_or_in_pages() {
    let server = TestServer::start().await;
    for name in ["a", "b", "c", "d"] {
        server.create_database(name).await;
    }
    let list = server.platform(Method::GET, "/v1/databases", Value::Null).await.json();
    assert_eq!(names(&list), ["a", "b", "c", "d", "default"]);
    assert_eq!(list["pagination"]["next"], Value::Null);
    let page = server.platform(Method::GET, "/v1/databases?limit=2", Value::Null).await.json();
    assert_eq!((names(&page), &page["pagination"]["next"]), (vec!["a", "b"], &json!("b")));
    let path = "/v1/databases?limit=3&cursor=b&group=default";
    let page = server.platform(Method::GET, path, Value::Null).await.json();
    assert_eq!(
        (names(&page), &page["pagination"]["next"]),
        (vec!["c", "d", "default"], &Value::Null)
    );
    for path in ["/v1/databases?schema=s", "/v1/databases?parent=p", "/v1/databases?group=g"] {
        let list = server.platform(Method::GET, path, Value::Null).await.json();
        assert!(names(&list).is_empty(), "{path}");
    }
    let bad = server.platform(Method::GET, "/v1/databases?limit=x", Value::Null).await;
    assert!(bad.failure(400).contains("limit"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_may() {
    let server = TestServer::start().await;
    for (method, path) in [
        (Method::GET, "/v1/databases"),
        (Method::POST, "/v1/databases"),
        (Method::GET, "/v1/databases/default"),
        (Method::DELETE, "/v1/organizations/local/databases/default"),
        (Method::GET, "/v1/organizations/foreign/databases"),
    ] {
        for token in ["", "Bearer", "Bearer x", "Basic eDp4", "Bearer  "] {
            let headers = [("authorization", token)];
            let answer = server.request(method.clone(), path, &headers, "").await;
            assert!(answer.failure(401).starts_with("Unauthorized: "), "{path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_created_says_why() {
    let server = TestServer::start().await;
    let cases = [
        (json!({ "name": "default" }), 409, "database with name default already exists"),
        (json!({ "name": "UPPER" }), 400, "cannot be a database name"),
        (json!({ "name": "a/../b" }), 400, "cannot be a database name"),
        (json!({ "name": "" }), 400, "cannot be a database name"),
        (json!({ "name": "v2" }), 400, "one of the server's own URLs"),
        (json!({ "name": "a".repeat(65) }), 400, "1 to 64 characters"),
        (
            json!({ "name": 7 }),
            400,
            "the field `name` could not be read: invalid type: integer `7`, expected a string",
        ),
        (json!({ "group": "default" }), 400, "`name` is missing"),
        (json!({ "name": "a", "group": "none" }), 400, "group not found"),
        (json!({ "name": "a", "schema": "none" }), 404, "could not find database"),
        (json!({ "name": "a", "schema": "default" }), 400, "default is not a schema database"),
        (json!({ "name": "a", "schema": "default", "is_schema": true }), 400, "is not a schema"),
        (json!({ "name": "a", "seed": { "type": "database" } }), 400, "seed: `name` is missing"),
        (json!({ "name": "a", "group_id": "none" }), 400, "group not found"),
        (json!({ "name": "a", "group": "default", "group_id": "x" }), 400, "cannot both be given"),
        (json!({ "name": "a", "size_limit": "some" }), 400, "the field `size_limit`"),
        (
            json!({ "name": "a", "remote_encryption": {} }),
            400,
            "`remote_encryption` is not available",
        ),
        (json!({ "name": "a", "use_tursodb": true }), 400, "`use_tursodb` is not available"),
        (json!(["name"]), 400, "invalid type: sequence"),
    ];
    for (body, status, message) in cases {
        let answer = server.platform(Method::POST, "/v1/databases", body).await.failure(status);
        assert!(answer.contains(message), "{answer}");
    }
    let answer = server.platform(Method::DELETE, "/v1/databases/default", Value::Null).await;
    assert!(answer.failure(400).contains("`default` cannot be deleted"));
    let path = "/v1/organizations/foreign/databases";
    let answer = server.platform(Method::GET, path, Value::Null).await;
    assert!(answer.failure(404).contains("no organization \"foreign\""));
    let list = server.platform(Method::GET, "/v1/databases", Value::Null).await.json();
    assert_eq!(names(&list), ["default"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_read_as_the_cli_and_the_sdks_write_them() {
    let server = TestServer::start().await;
    let authorization = format!("Bearer {}", server.token);
    let headers =
        [("authorization", authorization.as_str()), ("content-type", "text/plain;charset=UTF-8")];
    let body =
        r#"{"Name":"shop","Group":"default","location":"local","is_schema":false,"seed":null}"#;
    let answer = server.request(Method::POST, "/v1/databases", &headers, body).await;
    assert_eq!(answer.json()["database"]["Name"], "shop");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_database_is_gone_for_those_who_used_it() {
    let server = TestServer::start_with(&["--retention", "0"]).await;
    server.create_database("shop").await;
    let show = "/v1/databases/shop";
    let first = server.platform(Method::GET, show, Value::Null).await.json();
    let pipeline = |baton: Value, sql: &str| {
        let stmt = json!({ "type": "execute", "stmt": { "sql": sql } });
        json!({ "baton": baton, "requests": [stmt] }).to_string()
    };
    let create = pipeline(Value::Null, "CREATE TABLE t(a)");
    let resting = server.post("/db/shop/v2/pipeline", create).await.json()["baton"].clone();
    let begin = pipeline(Value::Null, "BEGIN IMMEDIATE");
    let holding = server.post("/db/shop/v2/pipeline", begin).await.json()["baton"].clone();
    server.platform(Method::DELETE, show, Value::Null).await;
    for baton in [Value::Null, resting.clone(), holding] {
        let answer = server.post("/db/shop/v2/pipeline", pipeline(baton, "SELECT 1")).await;
        assert!(answer.failure(404).contains("could not find database"));
        assert_eq!(answer.json()["code"], "DATABASE_NOT_FOUND");
    }
    let execute = r#"{"stmt":{"sql":"SELECT 1"}}"#;
    server.post("/db/shop/v1/execute", execute).await.failure(404);
    server.get("/db/shop/dump").await.failure(404);
    let files = std::fs::read_dir(server.directory.path().join("data/databases")).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert!(
        files
            .iter()
            .all(|f| !f.to_str().unwrap().contains(first["database"]["DbId"].as_str().unwrap()))
    );

    // A new one under the old name is another database.
    server.create_database("shop").await;
    let second = server.platform(Method::GET, show, Value::Null).await.json();
    assert_ne!(first["database"]["DbId"], second["database"]["DbId"]);
    let answer = server.post("/db/shop/v2/pipeline", pipeline(resting, "SELECT 1")).await;
    assert!(answer.failure(400).contains("invalid baton"));
    let answer =
        server.post("/db/shop/v2/pipeline", pipeline(Value::Null, "SELECT * FROM t")).await;
    assert!(answer.text().contains("no such table: t"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_page_gives_a_token_to_the_asking_machine_only() {
    let server = TestServer::start().await;
    let page = server.get("/?port=54321&redirect=true&state=Abc123&type=cli").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("form-action http://localhost:54321;"));
    assert!(page.text().contains("<form action=\"http://localhost:54321/\">"), "{}", page.text());
    assert!(page.text().contains("value=\"Abc123\""), "{}", page.text());
    let other = server.get("/signup?redirect=false").await;
    assert_eq!(other.status, 200);
    assert!(!other.text().contains("<form") && other.text().contains("turso config set token"));
    assert!(other.header("content-security-policy").contains("form-action 'none';"));
    let long = "a".repeat(129);
    for query in ["port=1&state=%22%3E%3Cscript%3E", "port=evil.example", "port=99999", &long] {
        let query = query.replace(&long, &format!("port=1&state={long}"));
        let refused = server.get(&format!("/?redirect=true&{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
    }
    assert_eq!(server.get("/").await.status, 426);
    server.stop().await;
}
