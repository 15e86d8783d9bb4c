//! The dump: SQL text that makes the same database again.

use serde_json::{Value, json};

use crate::harness::TestServer;

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
CREATE TABLE strict(a INTEGER NOT NULL, b ANY) STRICT;
INSERT INTO strict VALUES(-9223372036854775808, x'00'), (9223372036854775807, 5e-324), (0, 1.0), (1, '1');
CREATE TABLE sqlited(rowid TEXT, "" TEXT, "a;b" TEXT DEFAULT ';', "--" TEXT COLLATE NOCASE);
INSERT INTO sqlited VALUES('r', 'empty name', 'c', 'd -- e');
CREATE VIRTUAL TABLE areas USING geopoly(name);
INSERT INTO areas(_shape, name) VALUES('[[0,0],[1,0],[1,1],[0,0]]', 'corner');
CREATE VIRTUAL TABLE found USING fts5(v, content=counted, content_rowid=id);
INSERT INTO found(found) VALUES('rebuild');
CREATE INDEX by_t ON kinds(t);
CREATE UNIQUE INDEX "odd ""index""" ON sqlited("a;b" COLLATE NOCASE DESC, lower(rowid)) WHERE rowid <> ';';
CREATE VIEW later AS SELECT * FROM seen;
CREATE VIEW seen AS SELECT * FROM kinds;
CREATE TRIGGER watch AFTER INSERT ON bare BEGIN UPDATE counted SET v = 'seen;' WHERE id = 1; END;
CREATE TRIGGER instead INSTEAD OF INSERT ON later BEGIN INSERT INTO kinds(t) VALUES(new.t); SELECT 1; END;
"#;

async fn sequence(server: &TestServer, database: &str, sql: &str) {
    let body = json!({ "requests": [{ "type": "sequence", "sql": sql }] });
    let answer = server.post(&format!("/db/{database}/v2/pipeline"), body.to_string()).await;
    assert_eq!(answer.json()["results"][0]["type"], "ok", "{}", answer.text());
}

/// The first values of all rows.
async fn values(server: &TestServer, database: &str, sql: &str) -> Vec<Value> {
    let body = json!({ "requests": [{ "type": "execute", "stmt": { "sql": sql } }] });
    let answer = server.post(&format!("/db/{database}/v2/pipeline"), body.to_string()).await;
    let result = answer.json()["results"][0]["response"]["result"].take();
    let rows = result["rows"].as_array().unwrap_or_else(|| panic!("{}", answer.text()));
    rows.iter().map(|row| row[0]["value"].clone()).collect()
}

/// Fills one database, dumps it, and makes another one of the dump.
async fn restore(server: &TestServer, content: &str) -> String {
    for name in ["from", "to"] {
        server.create_database(name).await;
    }
    sequence(server, "from", content).await;
    let dump = server.get("/db/from/dump").await;
    assert_eq!(
        (dump.status.as_u16(), dump.header("content-type")),
        (200, "text/plain; charset=utf-8")
    );
    assert!(dump.text().starts_with("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"));
    assert!(dump.text().ends_with("COMMIT;\n"));
    sequence(server, "to", dump.text()).await;
    dump.text().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_restores_the_database() {
    let server = TestServer::start().await;
    let dump = restore(&server, CONTENT).await;
    assert_eq!(server.get("/db/to/dump").await.text(), dump);
    // What the text of the dump does not show.
    for sql in [
        "SELECT rowid FROM docs('needle')",
        "SELECT id FROM boxes WHERE x0 < 2",
        "SELECT seq FROM sqlite_sequence",
        "SELECT name FROM areas WHERE geopoly_contains_point(_shape, 0.5, 0.1)",
        "SELECT rowid FROM found('b')",
        "SELECT typeof(b) || quote(b) FROM strict",
        "SELECT quote(i) || quote(r) || hex(t) || quote(b) || quote(n) FROM kinds",
        "SELECT twice + thrice FROM made",
        "SELECT count(*) FROM later",
        "SELECT name || tbl_name FROM sqlite_schema ORDER BY name",
        "PRAGMA integrity_check",
    ] {
        let expected = values(&server, "from", sql).await;
        assert!(!expected.is_empty(), "{sql}");
        assert_eq!(values(&server, "to", sql).await, expected, "{sql}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_without_content_is_not_lost_silently() {
    let server = TestServer::start().await;
    for name in ["from", "to"] {
        server.create_database(name).await;
    }
    let content = "CREATE VIRTUAL TABLE words USING fts5(body, content='');
                   INSERT INTO words(rowid, body) VALUES(3, 'a needle')";
    sequence(&server, "from", content).await;
    let dump = server.get("/db/from/dump").await;
    if dump.status == 200 {
        sequence(&server, "to", dump.text()).await;
        assert_eq!(values(&server, "to", "SELECT rowid FROM words('needle')").await, ["3"]);
    } else {
        assert!(dump.failure(400).contains("words"), "{}", dump.text());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_is_not_utf_8_comes_back_byte_for_byte() {
    let server = TestServer::start().await;
    restore(&server, "CREATE TABLE t(a); INSERT INTO t VALUES(CAST(x'61ff62' AS TEXT))").await;
    let same = values(&server, "to", "SELECT typeof(a) || hex(a) FROM t").await;
    assert_eq!(same, ["text61FF62"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_any_size_streams_and_comes_back_in_one_sequence() {
    let server = TestServer::start().await;
    let many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100000)";
    let content = format!(
        "CREATE TABLE t(a, b); {many} INSERT INTO t SELECT n, printf('%.*c', 200, 'x') FROM c"
    );
    let dump = restore(&server, &content).await;
    assert_eq!(dump.lines().count(), 100_000 + 4);
    let sums = "SELECT count(*) || ',' || sum(a) || ',' || sum(length(b)) FROM t";
    assert_eq!(values(&server, "to", sums).await, ["100000,5000050000,20000000"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_nothing_is_a_dump() {
    let server = TestServer::start().await;
    let dump = server.get("/dump").await;
    assert_eq!(dump.text(), "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCOMMIT;\n");
    server.stop().await;
}
