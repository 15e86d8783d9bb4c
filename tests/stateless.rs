//! The endpoints without streams: Hrana 1, the API before Hrana, and the dump.

use hyper::Method;
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

const CONTENT: &str = r#"
CREATE TABLE kinds(i INTEGER, r REAL, t TEXT, b BLOB, n);
INSERT INTO kinds VALUES(9007199254740993, 0.1, 'it''s', x'00ff', NULL), (-1, 1e300, 'line
break', x'', 7), (0, 1e999, 'nul' || char(0) || 'inside', CAST('' AS BLOB), -1e999), (1, -0.0, 'ü😀', NULL, '');
CREATE TABLE "odd ""name"" of, a table"("odd column" TEXT, "select" INTEGER);
INSERT INTO "odd ""name"" of, a table" VALUES('x', 1);
CREATE TABLE made(a INTEGER, twice AS (a * 2) STORED, thrice AS (a * 3) VIRTUAL);
INSERT INTO made(a) VALUES(21);
CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, v);
INSERT INTO counted(v) VALUES('a'), ('b'), ('c');
DELETE FROM counted WHERE v = 'c';
CREATE TABLE bare(a PRIMARY KEY, b) WITHOUT ROWID;
INSERT INTO bare VALUES('k', 'v');
CREATE TABLE child(p REFERENCES parent(id));
CREATE TABLE parent(id PRIMARY KEY);
INSERT INTO parent VALUES(1);
INSERT INTO child VALUES(1);
CREATE VIRTUAL TABLE docs USING fts5(body);
INSERT INTO docs(rowid, body) VALUES(7, 'a needle'), (9, 'a haystack');
CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1);
INSERT INTO boxes VALUES(5, 1, 2);
CREATE INDEX by_t ON kinds(t);
CREATE VIEW seen AS SELECT * FROM kinds;
CREATE TRIGGER watch AFTER INSERT ON bare BEGIN UPDATE counted SET v = 'seen;' WHERE id = 1; END;
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_restores_the_database() {
    let server = TestServer::start().await;
    for name in ["from", "to"] {
        server.create_database(name).await;
    }
    let sequence =
        |sql: &str| json!({ "requests": [{ "type": "sequence", "sql": sql }] }).to_string();
    let filled = server.post("/db/from/v2/pipeline", sequence(CONTENT)).await;
    assert_eq!(filled.json()["results"][0]["type"], "ok", "{}", filled.text());
    let dump = server.get("/db/from/dump").await;
    assert_eq!(dump.status, 200);
    assert!(dump.text().starts_with("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"));
    assert!(dump.text().ends_with("COMMIT;\n"));
    let restored = server.post("/db/to/v2/pipeline", sequence(dump.text())).await;
    assert_eq!(restored.json()["results"][0]["type"], "ok", "{}", restored.text());
    assert_eq!(server.get("/db/to/dump").await.text(), dump.text());
    let needle = json!({ "requests": [{ "type": "execute", "stmt":
        { "sql": "SELECT rowid FROM docs('needle') UNION ALL SELECT id FROM boxes WHERE x0 < 2 UNION ALL SELECT seq FROM sqlite_sequence" } }] });
    let found = server.post("/db/to/v2/pipeline", needle.to_string()).await.json();
    let rows = &found["results"][0]["response"]["result"]["rows"];
    let values: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row[0]["value"]).collect();
    assert_eq!(values, ["7", "5", "3"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_any_size_streams() {
    let server = TestServer::start().await;
    server
        .stream()
        .sequence(
            "CREATE TABLE t(a, b); WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 200000)
             INSERT INTO t SELECT n, printf('%.*c', 200, 'x') FROM c",
        )
        .await;
    let dump = server.get("/dump").await;
    assert_eq!(dump.text().lines().count(), 200_000 + 4);
    let empty = server.request(Method::HEAD, "/dump", &[], "").await;
    assert_eq!(empty.status, 200);
    server.stop().await;
}
