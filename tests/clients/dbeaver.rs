//! DBeaver's JDBC driver: not itself, which needs Java, but its messages. It knows only the API
//! before Hrana, sends one statement at a time, and looks for `error`, `columns`, `rows` and `rows_written`.

use hyper::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::report::Report;
use super::run::Run;
use crate::harness::TestServer;

const VERSION: &str = "1.0.2";

pub(super) fn jdbc() -> Run {
    let packages = vec![("dbeaver-jdbc-libsql".to_owned(), VERSION.to_owned())];
    let tests = || Runtime::new().unwrap().block_on(tests());
    Run::new("Java", packages, "http", tests)
}

/// Performs the tests one after the other, each on a database of its own.
macro_rules! perform {
    ($($kind:ident: $($test:ident)*,)*) => {{
        let server = TestServer::start().await;
        let mut passed = Vec::new();
        $($({
            let name = concat!("dbeaver-", stringify!($kind), "-", stringify!($test));
            let name = name.replace('_', "-");
            server.create_database(&name).await;
            $test(&Connection { server: &server, url: format!("/db/{name}") }).await;
            passed.push(stringify!($kind));
        })*)*
        server.stop().await;
        Report::new(passed.into_iter(), ["`POST /`"].into_iter())
    }};
}

async fn tests() -> Report {
    perform! {
        basics: connecting arguments updates metadata maintenance,
        values: every_type,
        int64: integers_of_64_bits,
        errors: mistakes missing_databases wrong_tokens,
        large: a_hundred_thousand_rows,
        parallel: fifty_calls,
    }
}

struct Connection<'a> {
    server: &'a TestServer,
    url: String,
}

impl Connection<'_> {
    /// A statement; with parameters it is an object.
    async fn send(&self, sql: &str, params: Value) -> Value {
        let statement =
            if params.is_null() { json!(sql) } else { json!({ "q": sql, "params": params }) };
        let body = json!({ "statements": [statement] }).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("user-agent", "DBeaver LibSQL JDBC driver 1.1.2"),
        ];
        let answer = self.server.request(Method::POST, &self.url, &headers, body).await;
        // It tells a list of results from a single error by the first character.
        if answer.text().starts_with('[') { answer.json()[0].clone() } else { answer.json() }
    }

    async fn execute(&self, sql: &str, params: Value) -> Value {
        let mut answer = self.send(sql, params).await;
        assert!(answer["error"].is_null(), "{sql}: {answer}");
        answer["results"].take()
    }

    async fn rows(&self, sql: &str) -> Value {
        self.execute(sql, Value::Null).await["rows"].take()
    }

    async fn fails(&self, sql: &str, message: &str) {
        let answer = self.send(sql, Value::Null).await;
        assert!(answer["error"].as_str().unwrap().contains(message), "{sql}: {answer}");
    }
}

async fn connecting(db: &Connection<'_>) {
    assert_eq!(db.rows("SELECT 1").await, json!([[1]]));
    let version = db.server.get(&format!("{}/version", db.url)).await;
    assert_eq!(version.text(), format!("hranad {}", env!("CARGO_PKG_VERSION")));
    // As users write it, with a slash at the end, too.
    let slash = Connection { server: db.server, url: format!("{}/", db.url) };
    assert_eq!(slash.rows("SELECT 2").await, json!([[2]]));
}

async fn arguments(db: &Connection<'_>) {
    let result = db.execute("SELECT ? AS a, ?2 || ?1 AS b", json!(["x", "y"])).await;
    assert_eq!(result["columns"], json!(["a", "b"]));
    assert_eq!(result["rows"], json!([["x", "yx"]]));
    let named = db.execute("SELECT :a, @b", json!({ "a": 1, "b": null })).await;
    assert_eq!(named["rows"], json!([[1, null]]));
}

async fn updates(db: &Connection<'_>) {
    db.rows("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)").await;
    let insert = "INSERT INTO t (name) VALUES (?), (?)";
    assert_eq!(db.execute(insert, json!(["a", "b"])).await["rows_written"], 2);
    assert_eq!(db.execute("DELETE FROM t WHERE id > ?", json!([1])).await["rows_written"], 1);
    assert_eq!(db.rows("UPDATE t SET name = 'c' RETURNING id, name").await, json!([[1, "c"]]));
}

/// What the tree of tables in DBeaver asks for.
async fn metadata(db: &Connection<'_>) {
    db.rows("CREATE TABLE p (a INTEGER PRIMARY KEY, b TEXT UNIQUE)").await;
    db.rows("CREATE TABLE c (p INTEGER REFERENCES p (a) ON DELETE CASCADE)").await;
    let tables = "SELECT NULL as TABLE_CAT, name AS TABLE_NAME, type as TABLE_TYPE \
                  FROM sqlite_master WHERE type='table'";
    assert_eq!(db.rows(tables).await, json!([[null, "p", "table"], [null, "c", "table"]]));
    let columns = "WITH all_tables AS (SELECT name AS tn FROM sqlite_master WHERE type = 'table' and name='p') \n\
                   SELECT at.tn as TABLE_NAME, pti.name as COLUMN_NAME, pti.type AS TYPE_NAME, pti.cid AS ORDINAL_POSITION \
                   FROM all_tables at INNER JOIN pragma_table_info(at.tn) pti\nORDER BY TABLE_NAME";
    assert_eq!(db.rows(columns).await, json!([["p", "a", "INTEGER", 0], ["p", "b", "TEXT", 1]]));
    let index = "sqlite_autoindex_p_1";
    assert_eq!(db.rows("pragma index_list('p')").await, json!([[0, index, 1, "u", 0]]));
    assert_eq!(db.rows(&format!("pragma index_info('{index}')")).await, json!([[0, 1, "b"]]));
    let keys = db.rows("pragma foreign_key_list('c')").await;
    assert_eq!(keys, json!([[0, 0, "p", "p", "a", "NO ACTION", "CASCADE", "NONE"]]));
    let sql = "select sql from sqlite_schema where lower(name) = lower('P') and type in ('table', 'view')";
    assert_eq!(
        db.rows(sql).await,
        json!([["CREATE TABLE p (a INTEGER PRIMARY KEY, b TEXT UNIQUE)"]])
    );
    assert_eq!(db.rows("select null as cn, null as pk, 0 as ks limit 0;").await, json!([]));
}

/// Statements that no transaction can hold.
async fn maintenance(db: &Connection<'_>) {
    db.rows("CREATE TABLE t AS SELECT 1 AS a").await;
    db.rows("VACUUM").await;
    assert_eq!(db.rows("SELECT a FROM t").await, json!([[1]]));
}

async fn every_type(db: &Connection<'_>) {
    let values = json!([null, "", "Grüße, 世界 🎉", 0, -1, 0.5, 1e300, 5e-324, "it's\n\"\\"]);
    let marks = vec!["?"; values.as_array().unwrap().len()].join(", ");
    let result = db.execute(&format!("SELECT {marks}"), values.clone()).await;
    assert_eq!(result["rows"], json!([values]));
    let booleans = db.execute("SELECT ?, ?", json!([true, false])).await;
    assert_eq!(booleans["rows"], json!([[1, 0]]));
    assert_eq!(
        db.rows("SELECT x'00FF10', x''").await,
        json!([[{ "base64": "AP8Q" }, { "base64": "" }]])
    );
}

async fn integers_of_64_bits(db: &Connection<'_>) {
    let integers = json!([9_007_199_254_740_993_i64, i64::MAX, i64::MIN]);
    let result = db.execute("SELECT ?, ?, ?", integers.clone()).await;
    assert_eq!(result["rows"], json!([integers]));
}

async fn mistakes(db: &Connection<'_>) {
    db.rows("CREATE TABLE t (a UNIQUE)").await;
    db.rows("INSERT INTO t VALUES (1)").await;
    db.fails("INSERT INTO t VALUES (1)", "UNIQUE constraint failed: t.a").await;
    db.fails("SELECT * FROM nowhere", "no such table: nowhere").await;
    db.fails("SELEKT 1", "near \"SELEKT\": syntax error").await;
    db.fails("BEGIN", "BEGIN is not possible here").await;
    assert_eq!(db.rows("SELECT a FROM t").await, json!([[1]]));
}

async fn missing_databases(db: &Connection<'_>) {
    let nowhere = Connection { server: db.server, url: "/db/no-such-database".to_owned() };
    nowhere.fails("SELECT 1", "no-such-database").await;
}

async fn wrong_tokens(db: &Connection<'_>) {
    let headers = [("authorization", "Bearer wrong"), ("x-forwarded-for", "192.0.2.1")];
    let body = json!({ "statements": ["SELECT 1"] }).to_string();
    let answer = db.server.request(Method::POST, &db.url, &headers, body).await;
    assert!(answer.failure(401).contains("token"));
}

async fn a_hundred_thousand_rows(db: &Connection<'_>) {
    let rows = db
        .rows(
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
             SELECT i, 'row ' || i FROM n",
        )
        .await;
    assert_eq!(rows.as_array().unwrap().len(), 100_000);
    assert_eq!(rows[99_999], json!([99_999, "row 99999"]));
}

async fn fifty_calls(db: &Connection<'_>) {
    db.rows("CREATE TABLE t (a INTEGER PRIMARY KEY)").await;
    let insert = async |a: i32| {
        db.execute("INSERT INTO t VALUES (?) RETURNING a", json!([a])).await["rows"][0][0].clone()
    };
    let answers = futures_util::future::join_all((0..50).map(insert)).await;
    assert_eq!(answers, (0..50).map(Value::from).collect::<Vec<_>>());
}
