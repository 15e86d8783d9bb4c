//! The endpoints without streams: Hrana 1, the API before Hrana, and the dump.

mod dump;

use serde_json::{Value, json};

use crate::harness::TestServer;

async fn legacy(server: &TestServer, statements: Value) -> Value {
    let answer = server.post("/", json!({ "statements": statements }).to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The rows of each statement, `null` or the error.
fn brief(outcomes: &Value) -> Vec<Value> {
    let brief = |outcome: &Value| match outcome {
        Value::Object(fields) if fields.contains_key("error") => outcome["error"].clone(),
        Value::Object(_) => outcome["results"]["rows"].clone(),
        other => other.clone(),
    };
    outcomes.as_array().unwrap().iter().map(brief).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn before_hrana_all_statements_are_one_transaction() {
    let server = TestServer::start().await;
    let outcomes = legacy(
        &server,
        json!([
            "CREATE TABLE t(a UNIQUE, b)",
            { "q": "INSERT INTO t VALUES(?, ?)", "params": [1, "x"] },
            { "q": "INSERT INTO t VALUES(:a, $b)", "params": { ":a": 2.5, "b": { "base64": "AP8" } } },
            { "q": "INSERT INTO t VALUES(?, ?)", "params": [true, null] },
            "SELECT a, b FROM t",
        ]),
    )
    .await;
    // `true` is 1, which is there already: nothing of all this has happened.
    let error = json!("UNIQUE constraint failed: t.a");
    assert_eq!(brief(&outcomes), [json!([]), json!([]), json!([]), error, Value::Null]);
    let outcomes = legacy(&server, json!(["SELECT * FROM t"])).await;
    assert_eq!(brief(&outcomes), [json!("no such table: t")]);

    let statements = json!([
        "CREATE TABLE t(a, b)",
        { "q": "INSERT INTO t VALUES(?, ?), (NULL, 'y')", "params": [9007199254740993_i64, { "base64": "AP8=" }] },
        "SELECT * FROM t",
    ]);
    let outcomes = legacy(&server, statements).await;
    let rows = json!([[9007199254740993_i64, { "base64": "AP8" }], [null, "y"]]);
    assert_eq!(brief(&outcomes)[2], rows);
    assert_eq!(outcomes[2]["results"]["columns"], json!(["a", "b"]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_hrana_mistakes_are_named() {
    let server = TestServer::start().await;
    for (body, message) in [
        (r#"{"statements":["BEGIN"]}"#, "BEGIN is not possible here"),
        (r#"{"statements":["/* x */ commit"]}"#, "commit is not possible here"),
        ("{\"statements\":[\"\u{feff}COMMIT\"]}", "COMMIT is not possible here"),
        (r#"{"statements":[{"x":1}]}"#, "a statement is a string, or an object"),
        (r#"{"statements":[{"q":"SELECT ?","params":[[1]]}]}"#, "a statement is a string"),
        (r#"{"sql":"SELECT 1"}"#, "missing field `statements`"),
    ] {
        let said = server.post("/", body).await.failure(400);
        assert!(said.contains(message), "{said}");
    }
    // Alone a statement is in no transaction.
    assert_eq!(brief(&legacy(&server, json!(["VACUUM"])).await), [json!([])]);
    let outcomes = legacy(&server, json!(["VACUUM", "SELECT 1"])).await;
    assert_eq!(brief(&outcomes)[0], "cannot VACUUM from within a transaction");
    let outcomes = legacy(&server, json!(["SELECT 1; SELECT 2"])).await;
    assert!(brief(&outcomes)[0].as_str().unwrap().contains("more than one statement"));
    // A constraint that is checked at the end fails the commit, which is told with the last statement.
    let statements = json!([
        "CREATE TABLE p(a PRIMARY KEY)",
        "CREATE TABLE c(a REFERENCES p(a) DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO c VALUES(1)",
    ]);
    let outcomes = legacy(&server, statements).await;
    assert_eq!(brief(&outcomes)[2], "FOREIGN KEY constraint failed");
    assert_eq!(
        server.execute("SELECT count(*) FROM sqlite_schema").await["rows"][0][0]["value"],
        "0"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hrana_1_has_no_streams() {
    let server = TestServer::start().await;
    let stmt = json!({ "stmt": { "sql": "SELECT ? AS x", "args": [{ "type": "integer", "value": "1" }] } });
    let answer = server.post("/v1/execute", stmt.to_string()).await;
    assert_eq!(answer.json()["result"]["rows"], json!([[{ "type": "integer", "value": "1" }]]));
    let steps = json!([{ "stmt": { "sql": "BEGIN" } }, { "stmt": { "sql": "CREATE TABLE t(a)" } }]);
    let answer = server.post("/v1/batch", json!({ "batch": { "steps": steps } }).to_string()).await;
    assert_eq!(answer.json()["result"]["step_errors"], json!([null, null]));
    // What a request leaves open is rolled back.
    for (sql, status, code) in [
        ("SELECT * FROM t", 400, "SQLITE_ERROR"),
        ("", 400, "SQL_NO_STATEMENT"),
        ("SELECT 1; SELECT 2", 400, "SQL_MANY_STATEMENTS"),
        ("SELECT ?", 400, "ARGS_INVALID"),
        ("ATTACH 'x' AS y", 403, "SQLITE_AUTH"),
    ] {
        let answer =
            server.post("/v1/execute", json!({ "stmt": { "sql": sql } }).to_string()).await;
        answer.failure(status);
        assert_eq!(answer.json()["code"], code, "{sql}");
    }
    let ahead =
        json!([{ "stmt": { "sql": "SELECT 1" }, "condition": { "type": "ok", "step": 3 } }]);
    let answer = server.post("/v1/batch", json!({ "batch": { "steps": ahead } }).to_string()).await;
    assert!(answer.failure(400).contains("Invalid reference to step"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_migrations_says_so_as_clients_expect() {
    let server = TestServer::start().await;
    // By these words @libsql/client 0.6.1 to 0.7.0 tell a schema database from all others.
    for path in ["/v1/jobs", "/v1/jobs/1", "/db/default/v1/jobs"] {
        let answer = server.get(path).await;
        assert_eq!(answer.failure(400), "Invalid namespace");
        assert_eq!(answer.json()["error"], "Invalid namespace");
    }
    server.get("/db/unknown/v1/jobs").await.failure(404);
    server.stop().await;
}
