//! The admin API of sqld: what tools that were written against it do, and who may.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::signer::Signer;
use crate::harness::socket::Socket;
use crate::harness::{Answer, TestServer};

const LISTEN: [&str; 2] = ["--admin-listen", "127.0.0.1:0"];
const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// What a tool asks of a database.
async fn get(server: &TestServer, path: &str) -> Answer {
    server.admin(Method::GET, &format!("/v1/namespaces{path}"), &[], Value::Null).await
}

async fn post(server: &TestServer, path: &str, body: Value) -> Answer {
    server.admin(Method::POST, &format!("/v1/namespaces{path}"), &JSON, body).await
}

/// Success as sqld has it.
fn done(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.text()), (200, ""), "{answer:?}");
}

async fn execute(server: &TestServer, database: &str, token: &str, sql: &str) -> Answer {
    let body = json!({ "stmt": { "sql": sql } }).to_string();
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    let headers = if token.is_empty() { &headers[..0] } else { &headers[..] };
    server.request(Method::POST, &format!("/db/{database}/v1/execute"), headers, body).await
}

async fn names(server: &TestServer) -> Vec<String> {
    let list = get(server, "").await.json();
    let names = list["namespaces"].as_array().unwrap().iter();
    names.map(|namespace| namespace["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_come_and_go() {
    let server = TestServer::start_with(&LISTEN).await;
    done(&post(&server, "/shop/create", json!({})).await);
    done(&post(&server, "/default/create", json!({})).await);
    assert_eq!(names(&server).await, ["default", "shop"]);
    let message = post(&server, "/shop/create", json!({})).await.failure(400);
    assert_eq!(message, "database with name shop already exists");
    let shown = server.platform(Method::GET, "/v1/databases/shop", Value::Null).await.json();
    assert_eq!(shown["database"]["group"], "default");

    execute(&server, "shop", "", "CREATE TABLE t AS SELECT 7 AS a").await;
    done(&post(&server, "/shop/fork/copy", Value::Null).await);
    execute(&server, "shop", "", "DELETE FROM t").await;
    let answer = execute(&server, "copy", "", "SELECT a FROM t").await.json();
    assert_eq!(answer["result"]["rows"], json!([[{ "type": "integer", "value": "7" }]]));
    post(&server, "/shop/fork/copy", json!({})).await.failure(400);
    post(&server, "/none/fork/copy2", json!({})).await.failure(404);
    let past = json!({ "timestamp": "2026-01-01T00:00:00" });
    assert!(post(&server, "/shop/fork/past", past).await.failure(400).contains("no history"));

    let page = get(&server, "?limit=2").await.json();
    assert_eq!(page["next"], "default");
    let page = get(&server, "?limit=2&cursor=default").await.json();
    assert_eq!((&page["namespaces"][0]["name"], &page["next"]), (&json!("shop"), &Value::Null));

    for body in [Value::Null, json!({ "keep_backup": true })] {
        let name = if body.is_null() { "shop" } else { "copy" };
        let path = format!("/v1/namespaces/{name}");
        done(&server.admin(Method::DELETE, &path, &[], body).await);
        server.admin(Method::DELETE, &path, &JSON, Value::Null).await.failure(404);
    }
    assert_eq!(names(&server).await, ["default"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_replaced_as_a_whole_and_counts_at_once() {
    let server = TestServer::start_with(&LISTEN).await;
    let create = json!({ "max_db_size": "5mb", "allow_attach": true, "bottomless_db_id": "x" });
    done(&post(&server, "/shop/create", create).await);
    let config = get(&server, "/shop/config").await;
    // The order of sqld, and its form but for the mode, which is the one that the server has.
    let expected = r#"{"block_reads":false,"block_writes":false,"block_reason":null,"max_db_size":"5.0 MB","heartbeat_url":null,"jwt_key":null,"allow_attach":true,"txn_timeout_s":null,"durability_mode":"strong"}"#;
    assert_eq!(config.text(), expected);
    done(&post(&server, "/shop/config", config.json()).await);
    assert_eq!(get(&server, "/shop/config").await.text(), expected);

    execute(&server, "shop", "", "CREATE TABLE t(a)").await;
    let blocked = json!({ "block_reads": false, "block_writes": true, "block_reason": "moving",
        "heartbeat_url": "http://localhost:1", "txn_timeout_s": 7, "durability_mode": "off" });
    done(&post(&server, "/shop/config", blocked).await);
    let config = get(&server, "/shop/config").await.json();
    assert_eq!(config["block_reason"], "moving");
    assert_eq!(config["max_db_size"], "5.0 MB");
    assert_eq!(config["allow_attach"], false);
    let refused = execute(&server, "shop", "", "INSERT INTO t VALUES (1)").await;
    assert!(refused.text().contains("moving"), "{refused:?}");
    assert_eq!(execute(&server, "shop", "", "SELECT * FROM t").await.status, 200);
    done(&post(&server, "/shop/fork/copy", Value::Null).await);
    assert_eq!(get(&server, "/copy/config").await.json(), config);

    let small = json!({ "block_reads": false, "block_writes": false, "max_db_size": 65536 });
    done(&post(&server, "/shop/config", small).await);
    assert_eq!(get(&server, "/shop/config").await.json()["block_reason"], Value::Null);
    let full = execute(&server, "shop", "", "INSERT INTO t VALUES (zeroblob(100000))").await;
    assert!(full.text().contains("database or disk is full"), "{full:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_or_is_not_there_says_so() {
    let server = TestServer::start_with(&LISTEN).await;
    let config = "/default/config";
    let both = |field: &str, value: Value| {
        let mut body = json!({ "block_reads": false, "block_writes": false });
        body[field] = value;
        body
    };
    for (path, body, status, message) in [
        (config, json!({ "block_reads": true }), 422, "missing field `block_writes`"),
        (config, both("block_reads", json!("no")), 422, "the field `block_reads`"),
        (config, both("max_db_size", json!("much")), 422, "\"much\" is not a size"),
        (config, both("jwt_key", json!("secret")), 400, "the field `jwt_key`"),
        ("/none/config", both("allow_attach", json!(true)), 404, "could not find database"),
        ("/UPPER/create", json!({}), 400, "cannot be a database name"),
        ("/..%2Fevil/create", json!({}), 400, "cannot be a database name"),
        ("/a/create", json!({ "shared_schema_name": "none" }), 404, "could not find database"),
        ("/a/create", json!({ "shared_schema_name": "default" }), 400, "not a schema database"),
        (
            "/a/create",
            json!({ "shared_schema": true, "shared_schema_name": "s" }),
            400,
            "Shared schema error: shared schema database cannot reference another shared schema",
        ),
        (
            "/a/create",
            json!({ "shared_schema_name": "s", "dump_url": "http://localhost/dump" }),
            400,
            "Shared schema usage error: database using shared schema database cannot be created from a dump",
        ),
        ("/a/create", json!({ "jwt_key": "x" }), 400, "the field `jwt_key`"),
        ("/none/checkpoint", json!({}), 404, "could not find database"),
    ] {
        let answer = post(&server, path, body).await.failure(status);
        assert!(answer.contains(message), "{path}: {answer}");
    }
    let untyped = server.admin(Method::POST, "/v1/namespaces/a/create", &[], json!({})).await;
    assert!(untyped.failure(415).contains("content-type: application/json"));
    for (body, status) in [("{\"block_reads\":fal", 400), ("", 400), ("[]", 422)] {
        let url = format!("http://{}/v1/namespaces/default/config", server.admin_address());
        let request = hyper::Request::post(url).header("content-type", "application/json");
        let request = request.body(http_body_util::Full::new(body.into())).unwrap();
        server.send(crate::harness::Http::One, request).await.failure(status);
    }
    get(&server, "/none/config").await.failure(404);
    let metrics = server.admin(Method::GET, "/metrics", &[], Value::Null).await;
    assert!(metrics.failure(404).contains("no metrics"));
    server.admin(Method::GET, "/v1/nothing", &[], Value::Null).await.failure(404);
    server.admin(Method::PUT, "/v1/namespaces/default/config", &JSON, json!({})).await.failure(405);
    let default = "/v1/namespaces/default";
    server.admin(Method::DELETE, default, &[], Value::Null).await.failure(400);
    assert_eq!(names(&server).await, ["default"]);
    // It is a port of its own.
    server.get("/v1/namespaces").await.failure(404);
    server.admin(Method::POST, "/v2/pipeline", &JSON, json!({ "requests": [] })).await.failure(404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_key_opens_its_database_in_place_of_the_servers() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("key");
    let (of_all, of_one) = (Signer::eddsa("all"), Signer::eddsa("one"));
    let of_server = of_all.token_without_kid(&json!({ "a": "rw" }));
    std::fs::write(&file, of_all.text()).unwrap();
    let flags = [&LISTEN[..], &["--auth-key", file.to_str().unwrap()]].concat();
    let server = TestServer::start_with(&flags).await;
    let (own, key) = (of_one.token_without_kid(&json!({ "a": "rw" })), of_one.text());
    done(&post(&server, "/shop/create", json!({ "jwt_key": key })).await);
    done(&post(&server, "/blog/create", json!({})).await);
    assert_eq!(get(&server, "/shop/config").await.json()["jwt_key"], key);
    let opens = async |token: &str, database: &str| {
        execute(&server, database, token, "SELECT 1").await.status.as_u16()
    };
    assert_eq!(opens(&own, "shop").await, 200);
    assert_eq!(opens(&own, "blog").await, 404);
    assert_eq!(opens(&of_server, "shop").await, 404);
    assert_eq!(opens(&of_server, "blog").await, 200);
    // A copy is opened by the same key, so that no stranger gets in through it.
    done(&post(&server, "/shop/fork/copy", Value::Null).await);
    assert_eq!((opens(&own, "copy").await, opens(&of_server, "copy").await), (200, 404));

    let mut socket = Socket::try_open(&server, "/db/shop/", "hrana3").await.unwrap();
    socket.say(json!({ "type": "hello", "jwt": own })).await;
    assert_eq!(socket.hear().await, json!({ "type": "hello_ok" }));
    // Full replacement: what is not named is cleared.
    let cleared = json!({ "block_reads": false, "block_writes": false });
    done(&post(&server, "/shop/config", cleared).await);
    assert_eq!(socket.closed().await.0, 1008);
    assert_eq!(get(&server, "/shop/config").await.json()["jwt_key"], Value::Null);
    assert_eq!((opens(&own, "shop").await, opens(&of_server, "shop").await), (401, 200));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_empties_the_wal() {
    let server = TestServer::start_with(&LISTEN).await;
    execute(&server, "default", "", "CREATE TABLE t AS SELECT randomblob(100000) AS a").await;
    let directory = server.directory.path().join("data/databases");
    let wal = || {
        let files = std::fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path());
        let mut wals = files.filter(|path| path.to_str().unwrap().ends_with("-wal"));
        std::fs::metadata(wals.next().unwrap()).unwrap().len()
    };
    assert!(wal() > 100_000);
    // A stream that holds what is in the way of it.
    let mut reader = server.stream();
    reader.execute("BEGIN").await;
    reader.execute("SELECT * FROM t").await;
    execute(&server, "default", "", "INSERT INTO t VALUES (1)").await;
    let states = server.admin(Method::GET, "/v1/diagnostics", &[], Value::Null).await.json();
    assert_eq!(states, json!(["holding"]));
    let (checkpoint, ()) = tokio::join!(post(&server, "/default/checkpoint", Value::Null), async {
        reader.execute("COMMIT").await;
        reader.close().await;
    });
    done(&checkpoint);
    assert_eq!(wal(), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_key_only_who_says_it_gets_in() {
    let flags = [&LISTEN[..], &["--admin-auth-key", "s3cret=", "--auth", "required"]].concat();
    let server = TestServer::start_with(&flags).await;
    let status = async |path: &str, value: &str| {
        let headers = [("authorization", value), ("host", "admin.example")];
        let headers = if value.is_empty() { &headers[1..] } else { &headers[..] };
        server.admin(Method::GET, path, headers, Value::Null).await.status.as_u16()
    };
    for path in ["/", "/v1/namespaces", "/metrics", "/nothing"] {
        let found = if path.len() > 1 && path != "/v1/namespaces" { 404 } else { 200 };
        for value in ["basic s3cret=", "Basic s3cret=", "BASIC  s3cret="] {
            assert_eq!(status(path, value).await, found, "{value}");
        }
        let bearer = format!("Bearer {}", server.token);
        for value in ["", "basic", "basic s3cret", "basic S3cret=", "s3cret=", "Bearer s3cret="] {
            assert_eq!(status(path, value).await, 401, "{value}");
        }
        assert_eq!(status(path, &bearer).await, 401);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_only_this_machine_gets_in() {
    let server = TestServer::start_with(&LISTEN).await;
    let status = async |header: (&str, &str)| {
        let path = "/v1/namespaces";
        server.admin(Method::GET, path, &[header], Value::Null).await.status.as_u16()
    };
    for header in [
        ("accept", "*/*"),
        ("authorization", "basic whatever"),
        ("host", "localhost:9090"),
        ("origin", "http://localhost:3000"),
    ] {
        assert_eq!(status(header).await, 200, "{header:?}");
    }
    for header in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("host", "evil.example:9090"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("via", "1.1 proxy"),
    ] {
        assert_eq!(status(header).await, 401, "{header:?}");
    }
    server.stop().await;
}
