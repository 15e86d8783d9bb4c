//! Databases whose file is uploaded after they were created.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;

use hyper::Method;
use serde_json::{Value, json};

use super::dumps::scratch_files;
use crate::harness::{Answer, TestServer, eventually};

const CHUNK: usize = 16 << 20;

/// The bytes of a file that `sql` makes, which needs no server.
#[expect(clippy::disallowed_methods, reason = "a file that no server has open")]
fn file(server: &TestServer, sql: &str) -> Vec<u8> {
    let path = server.directory.path().join("made.db");
    let _ = fs::remove_file(&path);
    let made = rusqlite::Connection::open(&path).unwrap();
    made.execute_batch(sql).unwrap();
    made.close().unwrap();
    fs::read(&path).unwrap()
}

const TABLE: &str = "CREATE TABLE t (a); INSERT INTO t VALUES ('here');";

/// A client that uploads to one database, by its token alone.
struct Uploader<'a> {
    server: &'a TestServer,
    authorization: String,
}

impl<'a> Uploader<'a> {
    async fn new(server: &'a TestServer, name: &str, more: Value) -> Self {
        let mut body =
            json!({ "name": name, "group": "default", "seed": { "type": "database_upload" } });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let created = server.platform(Method::POST, "/v1/databases", body).await;
        assert_eq!(created.status, 200, "{created:?}");
        let path = format!("/v1/databases/{name}/auth/tokens?expiration=5m");
        let token = server.platform(Method::POST, &path, Value::Null).await.json();
        Uploader { server, authorization: format!("Bearer {}", token["jwt"].as_str().unwrap()) }
    }

    async fn send(&self, method: Method, path: &str, body: impl Into<bytes::Bytes>) -> Answer {
        let headers = [("authorization", self.authorization.as_str())];
        self.server.request(method, path, &headers, body).await
    }

    async fn start(&self, size: usize) -> String {
        let body = json!({ "db_size_bytes": size }).to_string();
        let answer = self.send(Method::PUT, "/v2/upload/start", body).await;
        assert_eq!(answer.json()["chunk_size"], CHUNK, "{answer:?}");
        format!("/v2/upload/{}", answer.json()["upload_id"].as_str().unwrap())
    }

    async fn put(&self, path: &str, body: &[u8]) -> Answer {
        self.send(Method::PUT, path, body.to_vec()).await
    }

    /// Uploads a file in one chunk.
    async fn upload(&self, file: &[u8]) -> Answer {
        let upload = self.start(file.len()).await;
        assert_eq!(self.put(&format!("{upload}/chunk/0"), file).await.status, 200);
        self.put(&format!("{upload}/finalize"), b"").await
    }

    async fn value(&self, sql: &str) -> Value {
        let body = json!({ "requests": [{ "type": "execute", "stmt": { "sql": sql } }] });
        let answer = self.send(Method::POST, "/v3/pipeline", body.to_string()).await.json();
        answer["results"][0]["response"]["result"]["rows"][0][0]["value"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_in_chunks_and_is_there_when_it_is_whole() {
    let server = TestServer::start_with(&["--auth", "required"]).await;
    let uploader = Uploader::new(&server, "shop", Value::Null).await;
    let half = CHUNK / 2 + 100_000;
    let large = format!("{TABLE} INSERT INTO t VALUES (randomblob({half})), (randomblob({half}));");
    let file = file(&server, &format!("PRAGMA page_size = 16384; {large}"));
    let upload = uploader.start(file.len()).await;
    let message = uploader.put(&format!("{upload}/finalize"), b"").await.failure(400);
    assert!(message.contains("chunk 0 has not arrived"), "{message}");
    let (first, second) = file.split_at(CHUNK);
    // In any order, too short at first, and again.
    let one = format!("{upload}/chunk/1");
    assert!(uploader.put(&one, &second[..7]).await.failure(400).contains("7 have arrived"));
    uploader.put(&one, first).await.failure(413);
    assert_eq!(uploader.put(&one, second).await.status, 200);
    assert_eq!(uploader.put(&one, second).await.status, 200);
    uploader.put(&format!("{upload}/chunk/2"), second).await.failure(400);
    let message = uploader.put(&format!("{upload}/finalize"), b"").await.failure(400);
    assert!(message.contains("chunk 0 has not arrived"), "{message}");
    // Meanwhile it is good for nothing else.
    let answer = uploader.send(Method::POST, "/v3/pipeline", r#"{"requests":[]}"#).await;
    assert_eq!(answer.failure(409), "database shop awaits the upload of its file");
    assert_eq!(answer.json()["code"], "AWAITS_UPLOAD");
    uploader.send(Method::GET, "/dump", "").await.failure(409);
    let copy = json!({ "name": "copy", "seed": { "type": "database", "name": "shop" } });
    let answer = server.platform(Method::POST, "/v1/databases", copy).await;
    assert!(answer.failure(400).contains("awaits the upload of its file itself"));

    assert_eq!(uploader.put(&format!("{upload}/chunk/0"), first).await.status, 200);
    assert_eq!(uploader.put(&format!("{upload}/finalize"), b"").await.status, 200);
    assert_eq!(uploader.value("SELECT a FROM t").await, "here");
    assert_eq!(uploader.value("PRAGMA journal_mode").await, "wal");
    assert_eq!(uploader.value("PRAGMA page_size").await, "4096");
    assert_eq!(uploader.value("SELECT length(max(a)) FROM t").await, half.to_string());
    // Once.
    let answer = uploader.put(&format!("{upload}/finalize"), b"").await;
    assert!(answer.failure(400).contains("awaits no upload"));
    assert_eq!(scratch_files(&server), 0);
    let server = server.restart().await;
    let stmt = json!({ "requests": [{ "type": "execute", "stmt": { "sql": "SELECT a FROM t" } }] });
    let answer = server.post("/db/shop/v3/pipeline", stmt.to_string()).await;
    assert!(answer.text().contains("here"), "{answer:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_sound_database_is_not_taken() {
    let server = TestServer::start().await;
    let uploader = Uploader::new(&server, "shop", Value::Null).await;
    let good = file(&server, &format!("{TABLE} INSERT INTO t VALUES (zeroblob(100000));"));
    let mut broken = good.clone();
    broken[4096..8192].fill(7);
    let mut newer = good.clone();
    newer[18..20].fill(9);
    let mut magic = good.clone();
    magic[0] = b's';
    let schema = "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 77, 'CREATE TABLE x (a)');";
    for (what, bytes) in [
        ("short", &good[..good.len() / 2]),
        ("broken", &broken),
        ("newer", &newer),
        ("magic", &magic),
        ("text", b"SQLite format 3"),
        ("schema", &file(&server, &format!("{TABLE} {schema}"))),
    ] {
        let message = uploader.upload(bytes).await.failure(400);
        assert!(
            message.starts_with("the file is not a sound SQLite database: "),
            "{what}: {message}"
        );
        assert_eq!(scratch_files(&server), 0, "{what}");
    }
    // The next attempt may be better.
    assert_eq!(uploader.upload(&good).await.status, 200);
    assert_eq!(uploader.value("SELECT a FROM t").await, "here");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_for_the_database_that_awaits_it() {
    let server = TestServer::start_with(&["--auth", "required"]).await;
    let uploader = Uploader::new(&server, "shop", json!({ "size_limit": "1mb" })).await;
    let other = Uploader::new(&server, "other", Value::Null).await;
    let good = file(&server, TABLE);
    let upload = uploader.start(good.len()).await;
    let id = upload.rsplit('/').next().unwrap();
    for path in [
        format!("/v2/upload/{id}/chunk/0"),
        format!("/v2/upload/{id}/finalize"),
        "/v2/upload/..%2F..%2Fcatalog.sqlite/chunk/0".to_owned(),
    ] {
        other.put(&path, &good).await.failure(404);
        server.request(Method::PUT, &path, &[], good.clone()).await.failure(401);
    }
    let body = json!({ "db_size_bytes": 2 << 20 }).to_string();
    uploader.send(Method::PUT, "/v2/upload/start", body).await.failure(413);
    let body = json!({ "db_size_bytes": u64::MAX }).to_string();
    other.send(Method::PUT, "/v2/upload/start", body).await.failure(413);
    let tokens = "/v1/databases/other/auth/tokens?authorization=read-only";
    let token = server.platform(Method::POST, tokens, Value::Null).await.json();
    let authorization = format!("Bearer {}", token["jwt"].as_str().unwrap());
    let reader = Uploader { server: &server, authorization };
    reader.put("/v2/upload/start", b"{}").await.failure(403);

    // A new start forgets what came before.
    let again = uploader.start(good.len()).await;
    uploader.put(&format!("{upload}/chunk/0"), &good).await.failure(404);
    assert_eq!(uploader.put(&format!("{again}/chunk/0"), &good).await.status, 200);
    // A database that has its data takes no other.
    let authorization = format!("Bearer {}", server.token);
    let owner = Uploader { server: &server, authorization };
    let body = json!({ "db_size_bytes": 4096 }).to_string();
    let answer = owner.send(Method::PUT, "/db/default/v2/upload/start", body).await;
    assert!(answer.failure(400).contains("awaits no upload"));
    // A deleted one takes none either.
    server.platform(Method::DELETE, "/v1/databases/shop", Value::Null).await;
    uploader.put(&format!("{again}/finalize"), b"").await.failure(404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_versions_send_it_whole_and_half_of_it_is_nothing() {
    let server = TestServer::start().await;
    let uploader = Uploader::new(&server, "shop", Value::Null).await;
    let good = file(&server, TABLE);
    let mut socket = TcpStream::connect(server.address()).unwrap();
    let head = format!(
        "POST /v1/upload HTTP/1.1\r\nhost: localhost\r\nauthorization: {}\r\ncontent-length: {}\r\n\r\n",
        uploader.authorization,
        good.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&good[..good.len() / 2]).unwrap();
    eventually(async || scratch_files(&server) == 1).await;
    drop(socket);
    eventually(async || scratch_files(&server) == 0).await;
    uploader.send(Method::GET, "/dump", "").await.failure(409);
    assert_eq!(uploader.send(Method::POST, "/v1/upload", good).await.status, 200);
    assert_eq!(uploader.value("SELECT a FROM t").await, "here");
    server.stop().await;
}
