//! A server in this process, on a free port, with a data directory of its own; and clients for it.

pub(crate) mod raw;
pub(crate) mod signer;
pub(crate) mod socket;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser as _;
use hranad::config::{Cli, ServeArgs};
use hranad::server::{InUse, Server};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A statement that is at its end when it is stopped.
pub(crate) const ENDLESS: &str =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c";

/// The version of HTTP that a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Http {
    One,
    Two,
}

/// A running server and the clients that talk to it.
pub(crate) struct TestServer {
    server: Server,
    clients: Clients,
    pub(crate) token: String,
    pub(crate) directory: TempDir,
}

/// HTTP clients, one for each version, that keep their connections.
pub(crate) struct Clients {
    one: Client<HttpConnector, Full<Bytes>>,
    two: Client<HttpConnector, Full<Bytes>>,
}

impl Clients {
    pub(crate) fn new() -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new());
        let one = builder.build_http();
        Clients { one, two: builder.http2_only(true).build_http() }
    }

    /// The answer as far as its head; the body is read by the caller.
    pub(crate) async fn begin(
        &self,
        http: Http,
        request: Request<Full<Bytes>>,
    ) -> Response<Incoming> {
        let client = if http == Http::Two { &self.two } else { &self.one };
        client.request(request).await.unwrap()
    }

    pub(crate) async fn send(&self, http: Http, request: Request<Full<Bytes>>) -> Answer {
        let (parts, body) = self.begin(http, request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}: {:?}", self.status, self.body))
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The message of a failure, after checking the status and the form of the body.
    pub(crate) fn failure(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        let body = self.json();
        assert_eq!(body["error"], body["message"]);
        assert!(body["code"].is_string());
        body["message"].as_str().unwrap().to_owned()
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with more flags.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        Self::start_in(TempDir::new().unwrap(), flags).await
    }

    /// Starts a server whose clients may be silent for half a second, and whose statements may take three times as long.
    pub(crate) async fn impatient() -> Self {
        Self::start_with(&["--client-silence", "0.5", "--statement-timeout", "1.5"]).await
    }

    /// Stops the server, and starts another one with the same data.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(&[]).await
    }

    /// The same with more flags.
    pub(crate) async fn restart_with(self, flags: &[&str]) -> Self {
        let TestServer { server, directory, .. } = self;
        let stopped = tokio::time::timeout(Duration::from_secs(15), server.stop()).await;
        stopped.expect("the server does not stop");
        Self::start_in(directory, flags).await
    }

    async fn start_in(directory: TempDir, flags: &[&str]) -> Self {
        let data_dir = directory.path().join("data");
        let mut line = vec!["hranad", "--listen", "127.0.0.1:0", "--data-dir"];
        line.push(data_dir.to_str().unwrap());
        line.extend(flags);
        let args: ServeArgs = Cli::try_parse_from(line).unwrap().serve;
        let server = Server::start(&args).await.unwrap();
        let token = fs::read_to_string(server.api_token_path()).unwrap().trim().to_owned();
        TestServer { server, clients: Clients::new(), token, directory }
    }

    /// Stops the server, which must come to its end and leave closed and sound files.
    pub(crate) async fn stop(self) {
        let stopped = tokio::time::timeout(Duration::from_secs(15), self.server.stop()).await;
        stopped.expect("the server does not stop");
        for file in fs::read_dir(self.directory.path().join("data/databases")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "sqlite") {
                // Requests that were cut short may end a moment later.
                eventually(async || is_closed(&path)).await;
            }
        }
    }

    /// What clients make the server hold at the moment.
    pub(crate) fn in_use(&self) -> InUse {
        self.server.in_use()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    pub(crate) fn admin_address(&self) -> std::net::SocketAddr {
        self.server.admin_address().unwrap()
    }

    /// A request to the admin API.
    pub(crate) async fn admin(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let url = format!("http://{}{path}", self.admin_address());
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(Http::One, request.body(Full::new(body.into())).unwrap()).await
    }

    /// The answer as far as its head; the body is read by the caller.
    pub(crate) async fn begin(
        &self,
        http: Http,
        request: Request<Full<Bytes>>,
    ) -> Response<Incoming> {
        self.clients.begin(http, request).await
    }

    pub(crate) async fn send(&self, http: Http, request: Request<Full<Bytes>>) -> Answer {
        self.clients.send(http, request).await
    }

    /// A request with headers, over HTTP/1.1.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(Http::One, request.body(Full::new(body.into())).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.request(Method::POST, path, &[], body).await
    }

    /// A request to the platform API as the owner.
    pub(crate) async fn platform(&self, method: Method, path: &str, body: Value) -> Answer {
        let authorization = format!("Bearer {}", self.token);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.request(method, path, &[("authorization", &authorization)], body).await
    }

    pub(crate) async fn create_database(&self, name: &str) {
        let body = json!({ "name": name, "group": "default" });
        let answer = self.platform(Method::POST, "/v1/databases", body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// A pipeline on the database `default`.
    pub(crate) async fn pipeline(&self, baton: Option<&str>, requests: Value) -> Answer {
        self.post("/v3/pipeline", json!({ "baton": baton, "requests": requests }).to_string()).await
    }

    /// A stream on the database `default`.
    pub(crate) fn stream(&self) -> Stream<'_> {
        Stream { server: self, baton: None }
    }

    /// One statement on a stream of its own.
    pub(crate) async fn execute(&self, sql: &str) -> Value {
        self.stream().execute_and_close(sql).await
    }
}

/// A stream, request by request.
pub(crate) struct Stream<'a> {
    server: &'a TestServer,
    pub(crate) baton: Option<String>,
}

impl Stream<'_> {
    /// Sends one request and returns its `StreamResult`.
    pub(crate) async fn request(&mut self, request: Value) -> Value {
        let answer = self.server.pipeline(self.baton.as_deref(), json!([request])).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let mut body = answer.json();
        self.baton = body["baton"].as_str().map(str::to_owned);
        body["results"][0].take()
    }

    /// The result of a statement, or its error.
    pub(crate) async fn execute(&mut self, sql: &str) -> Value {
        let stmt = json!({ "type": "execute", "stmt": { "sql": sql } });
        unwrap(self.request(stmt).await)
    }

    async fn execute_and_close(mut self, sql: &str) -> Value {
        let execute = json!({ "type": "execute", "stmt": { "sql": sql } });
        let requests = json!([execute, { "type": "close" }]);
        let answer = self.server.pipeline(self.baton.take().as_deref(), requests).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        unwrap(answer.json()["results"][0].take())
    }

    /// A statement that must succeed; the first value of its first row.
    pub(crate) async fn value(&mut self, sql: &str) -> Value {
        let result = self.execute(sql).await;
        assert!(result["rows"].is_array(), "{sql}: {result}");
        result["rows"][0][0]["value"].clone()
    }

    pub(crate) async fn sequence(&mut self, sql: &str) -> Value {
        self.request(json!({ "type": "sequence", "sql": sql })).await
    }

    pub(crate) async fn close(&mut self) {
        let closed = self.request(json!({ "type": "close" })).await;
        assert_eq!(closed["type"], "ok", "{closed}");
    }
}

/// Waits until `condition` holds, as long as a test can bear.
pub(crate) async fn eventually<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < Duration::from_secs(20), "it never came true");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether nobody else has the database open, which leaving WAL mode needs. Then it must be sound.
#[expect(clippy::disallowed_methods, reason = "the server has closed the file")]
fn is_closed(path: &Path) -> bool {
    let database = rusqlite::Connection::open(path).unwrap();
    database.busy_timeout(Duration::ZERO).unwrap();
    let ask = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0));
    if ask("PRAGMA journal_mode = delete").is_err() {
        return false;
    }
    assert_eq!(ask("PRAGMA integrity_check").unwrap(), "ok", "{}", path.display());
    true
}

/// The result or the error in a `StreamResult`.
fn unwrap(mut result: Value) -> Value {
    if result["type"] == "ok" {
        result["response"]["result"].take()
    } else {
        result["error"].take()
    }
}
