//! Tokens that end while many use them: after a second not one request succeeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Outcome, WAYS, Way, attempt, mint, rotate};
use crate::harness::socket::Socket;
use crate::harness::{TestServer, eventually};
use crate::program;

const SECOND: Duration = Duration::from_secs(1);

/// How long old tokens are tried on after they have ended.
const AFTERWARDS: Duration = Duration::from_millis(1_500);

const READ: &str = "SELECT count(*) FROM sqlite_schema";

/// Somebody who has a token and asks until refused, or for longer. Ends with when the last request was begun that
/// succeeded.
type Client = JoinHandle<Instant>;

/// How many have had an answer.
type Working = Arc<AtomicUsize>;

/// One request after the other, each by itself.
fn asking(server: &Arc<TestServer>, way: Way, token: &str, end: &End) -> Client {
    let (server, token, end) = (Arc::clone(server), token.to_owned(), end.clone());
    tokio::spawn(async move {
        let mut last = None;
        while !end.is_over() {
            let begun = Instant::now();
            if attempt(&server, way, "shop", &token, READ).await == Outcome::Done {
                end.working.fetch_add(usize::from(last.is_none()), Relaxed);
                last = Some(begun);
            }
        }
        last.expect("the token was good at first")
    })
}

/// A stream over HTTP that stays open, inside a transaction.
fn in_transaction(server: &Arc<TestServer>, token: &str, end: &End) -> Client {
    let (server, token, end) = (Arc::clone(server), format!("Bearer {token}"), end.clone());
    tokio::spawn(async move {
        let (mut baton, mut last, mut sql) = (Value::Null, None, "BEGIN");
        while !end.is_over() {
            let begun = Instant::now();
            let execute = json!({ "type": "execute", "stmt": { "sql": sql } });
            let body = json!({ "baton": baton, "requests": [execute] }).to_string();
            let headers = [("authorization", token.as_str())];
            let answer = server.request(Method::POST, "/db/shop/v3/pipeline", &headers, body).await;
            if answer.status != 200 {
                break;
            }
            let mut answer = answer.json();
            assert_eq!(answer["results"][0]["type"], "ok", "{answer}");
            (baton, sql) = (answer["baton"].take(), READ);
            end.working.fetch_add(usize::from(last.is_none()), Relaxed);
            last = Some(begun);
        }
        last.expect("the token was good at first")
    })
}

/// A WebSocket that stays open. It must be closed, and say why.
fn connected(server: &Arc<TestServer>, token: &str, end: &End) -> Client {
    let (server, token, end) = (Arc::clone(server), token.to_owned(), end.clone());
    tokio::spawn(async move {
        let mut socket = Socket::try_open(&server, "/db/shop/", "hrana3").await.unwrap();
        socket.say(json!({ "type": "hello", "jwt": token })).await;
        assert_eq!(socket.hear().await["type"], "hello_ok");
        let open = json!({ "type": "open_stream", "stream_id": 1 });
        assert_eq!(socket.ask(open).await["type"], "open_stream");
        let mut last = Instant::now();
        end.working.fetch_add(1, Relaxed);
        let execute = json!({ "type": "execute", "stream_id": 1, "stmt": { "sql": READ } });
        let closed = loop {
            let begun = Instant::now();
            let message = json!({ "type": "request", "request_id": 1, "request": execute });
            if socket.try_say(message).await.is_err() {
                break socket.closed().await;
            }
            match socket.try_hear().await {
                Ok(answer) => assert_eq!(answer["type"], "response_ok", "{answer}"),
                Err(closed) => break (closed.code, closed.reason),
            }
            last = begun;
        };
        assert_eq!(closed.0, 1008, "{closed:?}");
        assert!(closed.1.contains("what the token was allowed has changed"), "{closed:?}");
        last
    })
}

#[derive(Clone)]
struct End {
    working: Working,
    over: Arc<std::sync::atomic::AtomicBool>,
}

impl End {
    fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }
}

/// Lets many use a token, ends it, and looks when the last of them has succeeded.
async fn under_load(server: &Arc<TestServer>, token: &str, what: &str, ending: impl AsyncFn()) {
    let end = End { working: Arc::default(), over: Arc::default() };
    let mut clients: Vec<_> = WAYS.map(|way| asking(server, way, token, &end)).into();
    for _ in 0..4 {
        clients.push(in_transaction(server, token, &end));
        clients.push(connected(server, token, &end));
    }
    eventually(async || end.working.load(Relaxed) == clients.len()).await;
    ending().await;
    let ended = Instant::now();
    tokio::time::sleep(AFTERWARDS).await;
    end.over.store(true, Relaxed);
    for client in clients {
        let last = timeout(20 * SECOND, client).await.expect("it goes on").unwrap();
        let late = last.saturating_duration_since(ended);
        assert!(late < SECOND, "{what}: good for {late:?} longer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_after_a_rotation_nobody_gets_in_with_an_old_token() {
    let server = Arc::new(TestServer::start_with(&["--auth", "required"]).await);
    server.create_database("shop").await;
    let (shop, group) = ("databases/shop", "groups/default");
    let token = mint(&server, shop, "", Value::Null).await;
    under_load(&server, &token, shop, async || rotate(&server, shop).await).await;
    for path in [shop, group] {
        let token = mint(&server, path, "", Value::Null).await;
        under_load(&server, &token, path, async || rotate(&server, group).await).await;
        let new = mint(&server, path, "", Value::Null).await;
        assert_eq!(attempt(&server, WAYS[0], "shop", &new, READ).await, Outcome::Done);
    }
    Arc::into_inner(server).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_after_the_owners_command_neither() {
    let server = Arc::new(TestServer::start_with(&["--auth", "required"]).await);
    server.create_database("shop").await;
    let token = mint(&server, "groups/default", "", Value::Null).await;
    under_load(&server, &token, "hranad token revoke", async || {
        let mut command = program::command();
        command.args(["token", "revoke", "--group", "default", "--data-dir"]);
        command.arg(server.directory.path().join("data"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    })
    .await;
    Arc::into_inner(server).unwrap().stop().await;
}
