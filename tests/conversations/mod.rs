//! Conversations: scripts of stream requests and their results, played over every way to speak Hrana.
//!
//! A script is a text file. A line that begins with `>` holds a request, the line with `<` below it the
//! result, without the time it took; other lines are for the reader. A script is one stream. It is played over
//! HTTP/1.1, HTTP/2 and WebSocket; in every version and encoding that there is; request by request, all at once,
//! and with batches read through cursors. Where no stream is needed version 1 over HTTP is spoken too. The server
//! itself says which requests a version does not have. `UPDATE_EXPECT=1` writes down what the server says.

mod cursor;
mod page;
mod sockets;
mod stateless;
mod ways;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use self::ways::{Grouping, Since, WAYS, Way};
use crate::harness::TestServer;
use crate::harness::socket::Closed;

/// Scripts in which no request needs the stream of the one before.
const STATELESS: [&str; 6] =
    ["arguments", "conditions", "describe", "errors", "functions", "values"];

/// One request and what it results in.
struct Exchange {
    request: Value,
    result: Value,
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/conversations/{name}.txt"))
}

fn parse(script: &str) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for (number, line) in script.lines().enumerate() {
        let json = |text: &str| {
            serde_json::from_str(text).unwrap_or_else(|e| panic!("line {}: {e}", number + 1))
        };
        if let Some(text) = line.strip_prefix("> ") {
            exchanges.push(Exchange { request: json(text), result: Value::Null });
        } else if let Some(text) = line.strip_prefix("< ") {
            exchanges.last_mut().expect("a request comes first").result = json(text);
        }
    }
    exchanges
}

/// The script with the results replaced.
fn rewrite(script: &str, results: &[Value]) -> String {
    let mut results = results.iter();
    let mut text = String::new();
    for line in script.lines().filter(|line| !line.starts_with('<')) {
        text.push_str(line);
        text.push('\n');
        if line.starts_with('>') {
            text.push_str(&format!("< {}\n", results.next().unwrap()));
        }
    }
    text
}

/// Plays a script every way, each time on a new database.
async fn play(name: &str) {
    let script = fs::read_to_string(path(name)).unwrap();
    let mut exchanges = parse(&script);
    let server = TestServer::start().await;
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        server.create_database("new").await;
        let requests: Vec<_> = exchanges.iter().map(|exchange| &exchange.request).collect();
        let results = WAYS[0].play(&server, "new", &requests).await.unwrap();
        fs::write(path(name), rewrite(&script, &results)).unwrap();
        exchanges.iter_mut().zip(results).for_each(|(exchange, result)| exchange.result = result);
    }
    let mut since = Vec::new();
    for exchange in &exchanges {
        since.push(Since::learn(&server, &exchange.request).await);
    }
    for (number, way) in WAYS.into_iter().enumerate() {
        let mut part = playable(way, &exchanges, &since);
        loop {
            let database = format!("way-{number}-{}", part.len());
            server.create_database(&database).await;
            let requests: Vec<_> = part.iter().map(|exchange| &exchange.request).collect();
            match way.play(&server, &database, &requests).await {
                Ok(results) => break compare(name, way, &part, &results),
                Err(closed) => leave_out(&mut part, &closed),
            }
        }
    }
    if STATELESS.contains(&name) {
        server.create_database("stateless").await;
        stateless::play(&server, "stateless", &exchanges).await;
    }
    server.stop().await;
}

/// The exchanges that a way can have. A request that its version does not have is left out where it only asks;
/// one that would change something ends what can be played.
fn playable<'a>(way: Way, script: &'a [Exchange], since: &[Since]) -> Vec<&'a Exchange> {
    let mut part = Vec::new();
    for (exchange, since) in script.iter().zip(since) {
        let only_asks =
            ["get_autocommit", "describe"].contains(&exchange.request["type"].as_str().unwrap());
        if way.has(*since) {
            part.push(exchange);
        } else if !only_asks {
            break;
        }
    }
    part
}

/// A broken rule closes a socket, with the message that is the request's own error elsewhere. The script goes on
/// without that request, which has changed nothing.
fn leave_out(part: &mut Vec<&Exchange>, closed: &Closed) {
    let is_it = |exchange: &&Exchange| exchange.result["error"]["message"] == *closed.reason;
    let index = part.iter().position(is_it);
    assert!(closed.code == 1002 && index.is_some(), "{closed:?}");
    part.remove(index.unwrap_or_default());
}

fn compare(name: &str, way: Way, part: &[&Exchange], results: &[Value]) {
    for (Exchange { request, result: expected }, result) in part.iter().zip(results) {
        let is_same = match way.grouping {
            Grouping::Cursors => cursor::comparable(result) == cursor::comparable(expected),
            _ => result == expected,
        };
        assert!(
            is_same,
            "{name}.txt, {way:?}\n> {request}\n< {expected}\ninstead it says\n< {result}"
        );
    }
}

/// Makes a test of each script.
macro_rules! conversations {
    ($($name:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            play(stringify!($name)).await;
        })*

        #[test]
        fn every_script_is_played() {
            let scripts = fs::read_dir(path("x").parent().unwrap()).unwrap();
            for script in scripts.map(|script| script.unwrap().path()) {
                let name = script.file_stem().unwrap().to_str().unwrap();
                let is_script = script.extension().is_some_and(|extension| extension == "txt");
                assert!(!is_script || [$(stringify!($name)),*].contains(&name), "{name}");
            }
        }
    };
}

conversations! {
    arguments batches conditions describe errors functions libsql sequences stored_sql temporary
    transactions values writes
}
