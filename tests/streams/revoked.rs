//! What is still being answered when the right to it ends.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request};
use serde_json::{Value, json};

use crate::harness::{Http, TestServer, eventually};

const ENDLESS: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)";

/// Who may use the database `shop`, for as long as `query` says.
async fn authorization(server: &TestServer, query: &str) -> String {
    let path = format!("/v1/databases/shop/auth/tokens?{query}");
    let answer = server.platform(Method::POST, &path, Value::Null).await.json();
    format!("Bearer {}", answer["jwt"].as_str().unwrap())
}

fn request(
    server: &TestServer,
    path: &str,
    token: &str,
    body: &Value,
) -> Request<Full<bytes::Bytes>> {
    let request = Request::post(server.url(path)).header("authorization", token);
    request.body(Full::new(body.to_string().into())).unwrap()
}

/// What takes the rights away that `authorization` gave.
const ENDS: [(Method, &str, &str); 4] = [
    (Method::POST, "/v1/databases/shop/auth/rotate", ""),
    (Method::POST, "/v1/groups/default/auth/rotate", ""),
    (Method::PATCH, "/v1/databases/shop/configuration", r#"{"block_reads":true}"#),
    (Method::DELETE, "/v1/databases/shop", ""),
];

async fn end(server: &TestServer, (method, path, body): &(Method, &str, &str)) {
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    let answer = server.platform(method.clone(), path, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_cut_when_its_token_is_good_no_more() {
    for how in ENDS {
        let server = TestServer::start_with(&["--auth", "required"]).await;
        server.create_database("shop").await;
        let token = authorization(&server, "expiration=1h").await;
        let sql = format!("{ENDLESS} SELECT n FROM c");
        let body = json!({ "batch": { "steps": [{ "stmt": { "sql": sql } }] } });
        let request = request(&server, "/v3/cursor", &token, &body);
        let mut answer = server.begin(Http::One, request).await;
        assert!(answer.frame().await.unwrap().is_ok());
        end(&server, &how).await;
        // What was made before may still come; then the connection ends.
        let cut = tokio::time::timeout(Duration::from_secs(10), async {
            while let Some(Ok(_)) = answer.frame().await {}
        });
        cut.await.unwrap_or_else(|_| panic!("it goes on after {how:?}"));
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_ends_with_the_token_of_its_client() {
    let server = TestServer::start_with(&["--auth", "required"]).await;
    server.create_database("shop").await;
    let stmt = json!({ "sql": format!("{ENDLESS} SELECT count(*) FROM c") });
    let requests = json!({ "requests": [{ "type": "execute", "stmt": stmt }] });
    for (path, body) in [
        ("/v3/pipeline", requests),
        ("/v1/execute", json!({ "stmt": stmt })),
        ("/v1/batch", json!({ "batch": { "steps": [{ "stmt": stmt }] } })),
        ("/", json!({ "statements": [stmt["sql"]] })),
    ] {
        eventually(async || server.in_use().statements == 0).await;
        let token = authorization(&server, "expiration=1h").await;
        let asked = Instant::now();
        let running = server.send(Http::One, request(&server, path, &token, &body));
        let rotating = async {
            eventually(async || server.in_use().statements > 0).await;
            end(&server, &ENDS[0]).await;
        };
        let (answer, ()) = tokio::join!(running, rotating);
        assert!(answer.failure(401).contains("what the token was allowed has changed"), "{path}");
        assert!(asked.elapsed() < Duration::from_secs(20), "{path}");
    }
    let token = authorization(&server, "expiration=1s").await;
    let body = json!({ "stmt": stmt });
    let answer = server.send(Http::One, request(&server, "/v1/execute", &token, &body)).await;
    assert!(answer.failure(401).contains("expired"));
    server.stop().await;
}
