//! Wrong input at the endpoints beside the JSON pipeline, and at the platform API.

use hyper::Method;
use serde_json::json;

use super::check_unharmed;
use crate::harness::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_other_endpoints() {
    let server = TestServer::start().await;
    let ahead =
        r#"{"stmt":{"sql":"SELECT 1"},"condition":{"type":"not","cond":{"type":"ok","step":1}}}"#;
    let ahead =
        format!(r#"{{"batch":{{"steps":[{{"stmt":{{"sql":"CREATE TABLE t(a)"}}}},{ahead}]}}}}"#);
    let cases = [
        ("/v3/cursor", "", "EOF while parsing"),
        ("/v3/cursor", "{}", "missing field `batch`"),
        ("/v3/cursor", r#"{"batch":{}}"#, "missing field `steps`"),
        ("/v3/cursor", &ahead, "steps[1] may only name steps before it"),
        ("/v3/cursor", r#"{"baton":"x","batch":{"steps":[]}}"#, "invalid baton"),
        ("/v1/execute", "{}", "missing field `stmt`"),
        ("/v1/execute", r#"{"stmt":{"sql_id":1}}"#, "SQL text 1 not found"),
        ("/v1/execute", r#"{"stmt":{"sql":1}}"#, "invalid type: integer `1`"),
        ("/v1/batch", r#"{"stmt":{"sql":"SELECT 1"}}"#, "missing field `batch`"),
        ("/v1/batch", &ahead, "steps[1] may only name steps before it"),
        ("/", "[]", ""),
        ("/", r#"{"statements":"SELECT 1"}"#, "invalid type: string"),
        ("/", r#"{"statements":[{"q":"SELECT ?","params":[{"base64":"_"}]}]}"#, "invalid base64"),
    ];
    for (path, body, message) in cases {
        let said = server.post(path, body.to_owned()).await.failure(400);
        assert!(said.contains(message) && said.len() < 400, "{path} {body}: {said}");
        check_unharmed(&server, path).await;
    }
    server.stop().await;
}

/// A condition of 10,000 levels in Protobuf: each is `BatchCond { not { BatchCond } }`.
fn deep() -> Vec<u8> {
    fn field(number: u8, message: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = message.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(message);
        bytes
    }
    let is_autocommit = 6;
    let mut condition = field(is_autocommit, &[]);
    for _ in 0..10_000 {
        condition = field(3, &condition);
    }
    let stmt = field(2, &field(1, b"CREATE TABLE t(a)"));
    let step = [field(1, &condition), stmt].concat();
    field(2, &field(1, &step))
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_that_are_too_deep_in_protobuf() {
    let server = TestServer::start().await;
    let said = server.post("/v3-protobuf/cursor", deep()).await.failure(400);
    assert!(said.contains("recursion limit"), "{said}");
    check_unharmed(&server, "a deep condition").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_is_only_good_within_a_value() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    for sql in ["SELECT 1\0", "SELECT 1;\0 CREATE TABLE t(a)", "SELECT 'a\0b'", "\0"] {
        let error = stream.execute(sql).await;
        assert!(error["code"].is_string(), "{sql:?}: {error}");
        let describe = stream.request(json!({ "type": "describe", "sql": sql })).await;
        assert_eq!(describe["type"], "error", "{sql:?}: {describe}");
        let sequence = stream.sequence(&format!("{sql}; CREATE TABLE t(a)")).await;
        assert_eq!(sequence["type"], "error", "{sql:?}: {sequence}");
        check_unharmed(&server, sql).await;
    }
    let named = json!([{ "name": "a\0", "value": { "type": "text", "value": "a\0b" } }]);
    let stmt = json!({ "sql": "SELECT :a", "named_args": named });
    let wrong = stream.request(json!({ "type": "execute", "stmt": stmt })).await;
    assert_eq!(wrong["error"]["code"], "ARGS_INVALID");
    server.pipeline(Some("\0"), json!([])).await.failure(400);
    server.post("/db/a%00b/v2/pipeline", r#"{"requests":[]}"#).await.failure(400);
    let body = json!({ "name": "a\0b" });
    server.platform(Method::POST, "/v1/databases", body).await.failure(400);
    let answer = server.platform(Method::GET, "/v1/databases?cursor=%00", json!(null)).await;
    assert_eq!(answer.json()["databases"][0]["Name"], "default");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_the_platform_api() {
    let server = TestServer::start().await;
    let authorization = format!("Bearer {}", server.token);
    let headers = [("authorization", authorization.as_str())];
    for body in [&b""[..], b"{", b"null", b"\"x\"", b"\xff", b"{\"name\":[]}", b"{\"name\":null}"] {
        let answer = server.request(Method::POST, "/v1/databases", &headers, body).await;
        answer.failure(400);
    }
    for (method, path, status) in [
        (Method::PUT, "/v1/databases", 405),
        (Method::PATCH, "/v1/databases/default", 405),
        (Method::GET, "/v1/databases/UPPER", 400),
        (Method::GET, "/v1/databases/%ff", 400),
        (Method::DELETE, "/v1/databases/..%2f..", 400),
        (Method::DELETE, "/v1/databases/nobody", 404),
        (Method::GET, "/v1/nothing", 404),
    ] {
        let answer = server.platform(method.clone(), path, json!(null)).await;
        answer.failure(status);
    }
    check_unharmed(&server, "the platform API").await;
    server.stop().await;
}
