//! Input that is wrong: each is answered with a precise message, nothing is executed, the server serves on.

mod broken;
mod elsewhere;

use std::fmt::Write as _;

use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::TestServer;

/// The server is well, and nothing was written.
async fn check_unharmed(server: &TestServer, after: &str) {
    let tables = server.execute("SELECT count(*) FROM sqlite_schema").await;
    assert_eq!(tables["rows"][0][0]["value"], "0", "after {after}");
}

fn pipeline(request: &str) -> String {
    format!(
        r#"{{"requests":[{{"type":"execute","stmt":{{"sql":"CREATE TABLE t(a)"}}}},{request}]}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_wrong() {
    let server = TestServer::start().await;
    let deep = |levels: usize| {
        let cond = r#"{"type":"not","cond":"#.repeat(levels) + r#"{"type":"ok","step":0}"#;
        let cond = cond + &"}".repeat(levels);
        let step = format!(r#"{{"stmt":{{"sql":"SELECT 1"}},"condition":{cond}}}"#);
        pipeline(&format!(r#"{{"type":"batch","batch":{{"steps":[{step}]}}}}"#))
    };
    let value = |value: &str| {
        pipeline(&format!(r#"{{"type":"execute","stmt":{{"sql":"SELECT ?","args":[{value}]}}}}"#))
    };
    let cases = [
        (String::new(), "EOF while parsing"),
        ("{".to_owned(), "EOF while parsing"),
        ("nonsense".to_owned(), "expected ident at line 1"),
        ("{}".to_owned(), "missing field `requests`"),
        ("[]".to_owned(), ""),
        (r#"{"requests":7}"#.to_owned(), "invalid type: integer `7`"),
        (r#"{"baton":7,"requests":[]}"#.to_owned(), "invalid type: integer `7`"),
        (pipeline(r#"{"type":"explode"}"#), "unknown variant `explode`"),
        (pipeline("{}"), "missing field `type`"),
        (pipeline(r#"{"type":"execute"}"#), "missing its field `stmt`"),
        (pipeline(r#"{"type":"execute","stmt":{}}"#), "Either `sql` or `sql_id` are required"),
        (
            pipeline(r#"{"type":"execute","stmt":{"sql":"SELECT 1","sql_id":1}}"#),
            "Either `sql` or `sql_id` are required, but not both",
        ),
        (pipeline(r#"{"type":"store_sql","sql":"SELECT 1"}"#), "missing its field `sql_id`"),
        (pipeline(r#"{"type":"store_sql","sql":"x","sql_id":3000000000}"#), "3000000000"),
        (value(r#"{"type":"integer","value":1}"#), "is a string of digits"),
        (value(r#"{"type":"integer","value":"9223372036854775808"}"#), "9223372036854775808"),
        (value(r#"{"type":"float","value":"x"}"#), "`value` of a float is a number"),
        (value(r#"{"type":"text"}"#), "`value` of a text is a string"),
        (value(r#"{"type":"blob","base64":"_-"}"#), "invalid base64"),
        (value(r#"{"type":"date","value":"x"}"#), "unknown variant `date`"),
        (deep(10_000), "recursion limit"),
        (
            pipeline(
                r#"{"type":"batch","batch":{"steps":[{"stmt":{"sql":"SELECT 1"},"condition":{"type":"ok","step":0}}]}}"#,
            ),
            "requests[1]: Invalid reference to step in a batch condition: steps[0]",
        ),
        (
            pipeline(r#"{"type":"close"},{"type":"close"}"#),
            "requests[2] comes after `close`, which must be the last",
        ),
        (pipeline(r#"{"type":"get_autocommit"}"#), "version hrana3 and higher"),
    ];
    for (body, message) in cases {
        let shown: String = body.chars().take(120).collect();
        let said = server.post("/v2/pipeline", body).await.failure(400);
        assert!(said.contains(message) && said.len() < 400, "{shown}: {said}");
        check_unharmed(&server, &shown).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_wrong() {
    let server = TestServer::start().await;
    let cases: [(&str, &[u8]); 8] = [
        ("/v3/pipeline", b"\xff\xfe"),
        ("/v3/pipeline", b"{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"\xff\"}}]}"),
        ("/v3-protobuf/pipeline", b"\xff\xff\xff"),
        ("/v3-protobuf/pipeline", b"{\"requests\":[]}"),
        ("/v3-protobuf/pipeline", b"\x12\x00"),
        ("/v3-protobuf/pipeline", b"\x12\x04\x12\x02\x0a\x00"),
        ("/v3-protobuf/cursor", b"\x12\x7f"),
        ("/v3/cursor", b"\x00\x00\x00"),
    ];
    for (path, body) in cases {
        let said = server.post(path, body).await.failure(400);
        assert!(
            said.starts_with("the request body could not be read: "),
            "{path} {body:?}: {said}"
        );
        check_unharmed(&server, path).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large() {
    let server = TestServer::start().await;
    let length = hranad::limits::BODY_BYTES_MAX + 1;
    // One that says how large it is is refused before it is sent.
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "POST /v2/pipeline HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    drop(socket);
    // One in chunks is refused when it has become too large; nobody reads the rest.
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let head =
        b"POST /v2/pipeline HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    socket.write_all(head).await.unwrap();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 0x10_0000], b"\r\n"].concat();
    for _ in 0..=length / 0x10_0000 {
        if socket.write_all(&chunk).await.is_err() {
            break;
        }
    }
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    check_unharmed(&server, "large bodies").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_too_large() {
    let server = TestServer::start().await;
    let mut requests = String::new();
    for _ in 0..=hranad::limits::PIPELINE_REQUESTS_MAX {
        let _ = write!(requests, r#"{{"type":"close_sql","sql_id":1}},"#);
    }
    let body = format!(r#"{{"requests":[{}]}}"#, requests.trim_end_matches(','));
    let said = server.post("/v2/pipeline", body).await.failure(400);
    assert!(said.contains("a pipeline may have 10000 requests"), "{said}");

    let batch = json!({ "type": "batch", "batch": {
        "steps": vec![json!({ "stmt": { "sql": "" } }); hranad::limits::BATCH_STEPS_MAX / 2 + 1]
    } });
    let said = server.pipeline(None, json!([batch, batch])).await.failure(400);
    assert!(said.contains("may have 100000 steps together"), "{said}");

    let mut stream = server.stream();
    let text = "x".repeat(hranad::limits::SQL_STORE_BYTES_MAX);
    let stored = stream.request(json!({ "type": "store_sql", "sql_id": 1, "sql": text })).await;
    assert_eq!(stored["type"], "ok");
    let stored = stream.request(json!({ "type": "store_sql", "sql_id": 2, "sql": "x" })).await;
    assert_eq!(stored["error"]["code"], "SQL_STORE_TOO_MANY");

    let rows = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100)
                SELECT zeroblob(1000000) FROM c";
    let error = server.execute(rows).await;
    assert_eq!(error["code"], "RESPONSE_TOO_LARGE");
    check_unharmed(&server, "large numbers").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_too_large_takes_its_changes_back() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a)").await;
    let insert = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100)
                  INSERT INTO t SELECT zeroblob(1000000) FROM c RETURNING a";
    assert_eq!(stream.execute(insert).await["code"], "RESPONSE_TOO_LARGE");
    assert_eq!(stream.value("SELECT count(*) FROM t").await, "0");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_that_are_too_large_together_are_one() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    // Each says so in about a thousand characters of four bytes.
    let wrong = format!("SELECT {}", "😀".repeat(1000));
    stream.request(json!({ "type": "store_sql", "sql_id": 1, "sql": wrong })).await;
    let mut steps = vec![json!({ "stmt": { "sql_id": 1 } }); 18_000];
    steps.push(json!({ "stmt": { "sql": "CREATE TABLE t(a)" } }));
    let result = stream.request(json!({ "type": "batch", "batch": { "steps": steps } })).await;
    assert_eq!(result["error"]["code"], "RESPONSE_TOO_LARGE");
    assert_eq!(stream.value("SELECT count(*) FROM t").await, "0", "all steps were executed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_methods_that_are_wrong() {
    let server = TestServer::start().await;
    let body = r#"{"requests":[]}"#;
    let long = "a".repeat(5000);
    for name in ["", " ", "a b", "ü", &long] {
        let headers = [("x-namespace", name)];
        let answer = server.request(Method::POST, "/v2/pipeline", &headers, body).await;
        assert!(answer.failure(400).len() < 400, "{name}");
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = server.request(method, "/v2/pipeline", &[], body).await;
        assert!(answer.failure(405).contains("/v2/pipeline"));
    }
    let answer =
        server.request(Method::POST, "/v2/pipeline", &[("host", "a_b.localhost")], body).await;
    assert!(answer.failure(400).contains("cannot be a database name"));
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    socket.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    check_unharmed(&server, "headers").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_before_execution_leaves_the_stream_with_its_baton() {
    let server = TestServer::start().await;
    let mut stream = server.stream();
    stream.execute("BEGIN").await;
    let wrong = json!([{ "type": "close" }, { "type": "close" }]);
    let answer = server.pipeline(stream.baton.as_deref(), wrong).await;
    answer.failure(400);
    let autocommit: Value = stream.request(json!({ "type": "get_autocommit" })).await;
    assert_eq!(autocommit["response"]["is_autocommit"], false);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_with_a_nul_ends_and_says_so() {
    let server = TestServer::start().await;
    for sql in ["\0", "SELECT 1;\0x", "SELECT 1\0; CREATE TABLE t(a)"] {
        let mut stream = server.stream();
        for request in [
            json!({ "type": "sequence", "sql": sql }),
            json!({ "type": "execute", "stmt": { "sql": sql } }),
            json!({ "type": "describe", "sql": sql }),
        ] {
            let error = stream.request(request).await["error"].clone();
            assert!(
                error["message"].as_str().unwrap().contains("NUL character"),
                "{sql:?}: {error}"
            );
        }
    }
    check_unharmed(&server, "NUL").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_columns_that_are_too_large_are_refused_before_they_are_made() {
    let server = TestServer::start().await;
    let blobs = vec!["zeroblob(16000000)"; 50].join(", ");
    let error = server.execute(&format!("SELECT {blobs}")).await;
    assert_eq!(error["code"], "RESPONSE_TOO_LARGE", "{error}");
    let column = format!("SELECT 1 AS \"{}\"", "c".repeat(3_000_000));
    let steps = vec![json!({ "stmt": { "sql_id": 1 } }); 40];
    let mut stream = server.stream();
    stream.request(json!({ "type": "store_sql", "sql_id": 1, "sql": column })).await;
    let result = stream.request(json!({ "type": "batch", "batch": { "steps": steps } })).await;
    let errors = &result["response"]["result"]["step_errors"];
    assert_eq!(errors[0], Value::Null);
    assert_eq!(errors[39]["code"], "RESPONSE_TOO_LARGE");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_script_takes_time_in_proportion() {
    let server = TestServer::start().await;
    let script = "INSERT INTO t VALUES(1);\n".repeat(100_000);
    let mut stream = server.stream();
    stream.sequence("CREATE TABLE t(a); BEGIN").await;
    let started = std::time::Instant::now();
    assert_eq!(stream.sequence(&script).await["type"], "ok");
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(stream.value("SELECT count(*) FROM t").await, "100000");
    server.stop().await;
}
