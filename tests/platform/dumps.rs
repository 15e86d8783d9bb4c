//! Databases made of dumps.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer, eventually};

const DUMPS: &str = "/v1/databases/dumps";

/// A form with one field that is a file.
fn form(field: &str, text: &str) -> String {
    format!(
        "--limit\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"/tmp/../a.sql\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{text}\r\n--limit--\r\n"
    )
}

const FORM: &str = "multipart/form-data; boundary=limit";

async fn post_form(server: &TestServer, token: &str, body: String) -> Answer {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("content-type", FORM)];
    server.request(Method::POST, DUMPS, &headers, body).await
}

/// Uploads a dump as the owner; what to call it.
async fn upload(server: &TestServer, text: &str) -> String {
    let answer = post_form(server, &server.token, form("file", text)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["dump_url"].as_str().unwrap().to_owned()
}

pub(super) async fn create(server: &TestServer, name: &str, url: &str) -> Answer {
    let body = json!({ "name": name, "group": "default", "seed": { "type": "dump", "url": url } });
    server.platform(Method::POST, "/v1/databases", body).await
}

/// How many files there are of what is on its way.
pub(super) fn scratch_files(server: &TestServer) -> usize {
    fs::read_dir(server.directory.path().join("data/scratch")).unwrap().count()
}

async fn has(server: &TestServer, name: &str) -> bool {
    let path = format!("/v1/databases/{name}");
    server.platform(Method::GET, &path, Value::Null).await.status == 200
}

const EVERYTHING: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, data BLOB, n REAL,
    upper_name TEXT GENERATED ALWAYS AS (upper(name)) STORED);
INSERT INTO users (name, data, n) VALUES ('one; it''s', x'00ff', 0.1), ('-- two\n/*', NULL, 9e999), (NULL, '', -0.0);
DELETE FROM users WHERE id = 3;
CREATE INDEX users_by_name ON users (name);
CREATE TABLE log (t TEXT);
CREATE TRIGGER users_log AFTER INSERT ON users BEGIN
    INSERT INTO log VALUES (CASE WHEN new.name = ';' THEN 'END;' ELSE new.name END);
    DELETE FROM log WHERE t IS NULL;
END;
CREATE VIEW names AS SELECT name FROM users;
CREATE VIRTUAL TABLE f USING fts5(a);
INSERT INTO f VALUES ('some words');";

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_becomes_what_was_dumped() {
    let server = TestServer::start().await;
    server.stream().sequence(EVERYTHING).await;
    let dump = server.get("/dump").await;
    let url = upload(&server, dump.text()).await;
    assert_eq!(create(&server, "copy", &url).await.status, 200);
    assert_eq!(server.get("/db/copy/dump").await.text(), dump.text());
    let requests = |sql: &str| {
        json!({ "requests": [{ "type": "execute", "stmt": { "sql": sql } }] }).to_string()
    };
    for (sql, expected) in [
        ("INSERT INTO users (name) VALUES (';') RETURNING id", "4"),
        ("SELECT group_concat(t) FROM log", "END;"),
        ("SELECT count(*) FROM f WHERE f MATCH 'words'", "1"),
        ("PRAGMA journal_mode", "wal"),
    ] {
        let answer = server.post("/db/copy/v3/pipeline", requests(sql)).await.json();
        let result = &answer["results"][0]["response"]["result"];
        assert_eq!(result["rows"][0][0]["value"], expected, "{sql}: {answer}");
    }
    assert_eq!(scratch_files(&server), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sqlite3_tool_dumps_can_be_read() {
    let server = TestServer::start().await;
    let file = server.directory.path().join("tool.db");
    let tool = |arguments: &[&str], input: &str| {
        let mut command = Command::new("sqlite3");
        command.arg(&file).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    tool(&[], &format!("{EVERYTHING} ANALYZE;"));
    let dump = tool(&[".dump"], "");
    assert!(dump.contains("PRAGMA writable_schema=ON"), "{dump}");
    let url = upload(&server, &dump).await;
    let answer = create(&server, "copy", &url).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    server.stream().sequence(EVERYTHING).await;
    let stats = server.get("/db/copy/dump").await;
    assert_eq!(stats.text(), server.get("/dump").await.text());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_dump_creates_nothing_and_says_where() {
    let server = TestServer::start().await;
    let start = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t (a UNIQUE);\n";
    let cases = [
        (
            "INSERT INTO t VALUES (1);\n\nINSERT INTO\nmissing VALUES (1);\nCOMMIT;",
            "line 6 of the dump: SQLite error: no such table: missing",
        ),
        (
            "INSERT INTO t VALUES (1;\nCOMMIT;",
            "line 4 of the dump: SQLite error: near \";\": syntax error",
        ),
        (
            "INSERT INTO t VALUES (1),(1);\nCOMMIT;",
            "line 4 of the dump: SQLite error: UNIQUE constraint failed",
        ),
        ("INSERT INTO t VALUES ('", "line 4 of the dump: the statement has no end"),
        ("INSERT INTO t VALUES (1);\n", "COMMIT is missing"),
        ("INSERT INTO t VALUES (1);\nROLLBACK; -- due to errors\n", "line 5 of the dump: ROLLBACK"),
        ("COMMIT;\nATTACH 'catalog.sqlite' AS c;", "line 5 of the dump: not authorized: ATTACH"),
        ("COMMIT;\nVACUUM INTO 'x';", "line 5 of the dump: not authorized: VACUUM INTO"),
        (
            "COMMIT;\nPRAGMA journal_mode=OFF;",
            "line 5 of the dump: not authorized: PRAGMA journal_mode",
        ),
        ("SELECT load_extension('x');", "line 4 of the dump: not authorized"),
        (
            "INSERT INTO t VALUES (\0);",
            "line 4 of the dump: SQL input error: the SQL contains a NUL",
        ),
        (
            "PRAGMA writable_schema=ON;\nUPDATE sqlite_schema SET rootpage = 9;\nCOMMIT;",
            "not a sound SQLite database: malformed database schema",
        ),
    ];
    for (rest, expected) in cases {
        let url = upload(&server, &format!("{start}{rest}")).await;
        let message = create(&server, "broken", &url).await.failure(400);
        assert!(message.contains(expected), "{message} for {rest}");
    }
    let url = upload(&server, "-- nothing").await;
    assert!(create(&server, "broken", &url).await.failure(400).contains("no statement"));
    assert!(!has(&server, "broken").await);
    assert_eq!(scratch_files(&server), 0);
    let files = fs::read_dir(server.directory.path().join("data/databases")).unwrap();
    assert!(files.count() <= 3, "only those of `default`");
    // The name is free.
    server.create_database("broken").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_is_used_once_by_its_owner_and_names_no_file() {
    let server = TestServer::start().await;
    let path = "/v1/auth/api-tokens/other";
    let other = server.platform(Method::POST, path, Value::Null).await.json()["token"].clone();
    let own = upload(&server, "CREATE TABLE t (a);").await;
    let foreign = post_form(&server, other.as_str().unwrap(), form("file", "SELECT 1;")).await;
    let foreign = foreign.json()["dump_url"].as_str().unwrap().to_owned();
    let default = server.platform(Method::GET, "/v1/databases/default", Value::Null).await.json();
    let id = default["database"]["DbId"].as_str().unwrap();
    for url in [
        foreign.as_str(),
        &format!("hranad-dump:{id}"),
        "hranad-dump:../databases/x",
        "hranad-dump:00000000-0000-0000-0000-000000000000",
        "file:///etc/passwd",
        "/etc/passwd",
        "../catalog.sqlite",
        "ftp://127.0.0.1/dump.sql",
        "",
    ] {
        let message = create(&server, "copy", url).await.failure(400);
        assert!(message.starts_with("seed: "), "{url}: {message}");
    }
    // A name that is taken is told before the dump is used up.
    create(&server, "default", &own).await.failure(409);
    assert_eq!(create(&server, "copy", &own).await.status, 200);
    assert!(create(&server, "again", &own).await.failure(400).contains("can be used once"));
    assert!(!has(&server, "again").await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_none_is_refused() {
    let server = TestServer::start().await;
    let answer = post_form(&server, &server.token, form("other", "SELECT 1;")).await;
    assert_eq!(answer.failure(400), "the form has no field `file`");
    let whole = form("file", "SELECT 1;");
    let answer = post_form(&server, &server.token, whole[..whole.len() - 20].to_owned()).await;
    assert!(answer.failure(400).contains("the upload could not be read"));
    let answer = server.platform(Method::POST, DUMPS, json!({ "file": "SELECT 1;" })).await;
    assert!(answer.failure(400).contains("boundary"));
    post_form(&server, "x", form("file", "SELECT 1;")).await.failure(401);
    let answer = server.platform(Method::POST, "/v1/databases/default", json!({})).await;
    assert!(answer.failure(405).contains("POST is not possible here"));
    let body = json!({ "scopes": ["read"] });
    let reader = server.platform(Method::POST, "/v1/auth/api-tokens/reader", body).await.json();
    let reader = reader["token"].as_str().unwrap();
    let answer = post_form(&server, reader, form("file", "SELECT 1;")).await;
    assert!(answer.failure(401).contains("db:create"));
    assert_eq!(scratch_files(&server), 0);
    // A database may be called as the end of the URL.
    server.create_database("dumps").await;
    assert!(has(&server, "dumps").await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_upload_leaves_nothing() {
    let server = TestServer::start().await;
    let mut socket = TcpStream::connect(server.address()).unwrap();
    let half = form("file", &"SELECT 'x';\n".repeat(20_000));
    let head = format!(
        "POST {DUMPS} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: {FORM}\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        server.token,
        half.len() + 1000
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    socket.write_all(&half.as_bytes()[..half.len() / 2]).unwrap();
    eventually(async || scratch_files(&server) == 1).await;
    drop(socket);
    eventually(async || scratch_files(&server) == 0).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_end_is_not_kept_in_memory() {
    let server = TestServer::start().await;
    let name = "--limit\r\nContent-Disposition: form-data; name=\"";
    for start in ["", name, "--limit\r\nx: y\r\n\r\n"] {
        let mut socket = TcpStream::connect(server.address()).unwrap();
        write!(
            socket,
            "POST {DUMPS} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: {FORM}\r\ncontent-length: 8000000000\r\n\r\n{start}",
            server.token
        )
        .unwrap();
        // As much as may be kept, and more; the answer does not wait for the rest.
        let _ = socket.write_all(&[b'a'; 8 << 20]);
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 400", "{start:?}");
    }
    assert_eq!(scratch_files(&server), 0);
    server.stop().await;
}

/// The CLI goes on with the same connection at once, and takes it for a failure if that ends.
#[tokio::test(flavor = "multi_thread")]
async fn the_connection_of_an_upload_goes_on_however_late_the_form_ends() {
    let server = TestServer::start().await;
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (host, token) = (server.address(), &server.token);
    let head = |path: &str, more: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n{more}\r\n"
        )
    };
    let read = |socket: &mut TcpStream| {
        let (mut answer, mut bytes) = (String::new(), [0; 4096]);
        while !answer.contains("\r\n\r\n") || !answer.ends_with('}') {
            let count = socket.read(&mut bytes).unwrap();
            assert_ne!(count, 0, "the connection has ended after {answer:?}");
            answer += std::str::from_utf8(&bytes[..count]).unwrap();
        }
        answer
    };
    let form = form("file", "CREATE TABLE t (a);");
    let more = format!("content-type: {FORM}\r\ntransfer-encoding: chunked\r\n");
    let (first, last) = form.split_at(form.len() - 4);
    let first = format!("{}{:x}\r\n{first}\r\n", head(DUMPS, &more), first.len());
    for part in [first, format!("4\r\n{last}\r\n"), "0\r\n\r\n".to_owned()] {
        socket.write_all(part.as_bytes()).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answer = read(&mut socket);
    let (_, url) = answer.split_once("\"dump_url\":\"").unwrap();
    let url = url.split('"').next().unwrap();
    let body = json!({ "name": "shop", "seed": { "type": "dump", "url": url } }).to_string();
    let length = format!("content-length: {}\r\n", body.len());
    socket.write_all((head("/v1/databases", &length) + &body).as_bytes()).unwrap();
    let answer = read(&mut socket);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.stop().await;
}
