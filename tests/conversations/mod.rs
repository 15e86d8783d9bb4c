//! Conversations: scripts of stream requests and their results, played over every way to speak Hrana over HTTP.
//!
//! A script is a text file. A line that begins with `>` holds a request, the line with `<` below it the
//! result, without the time it took; other lines are for the reader. A script is one stream. It is played over
//! HTTP/1.1 and HTTP/2; in JSON of versions 2 and 3 and in Protobuf; request by request and as one pipeline.
//! Batches are also read through cursors, and where no stream is needed version 1 is spoken too. `UPDATE_EXPECT=1` writes down what the server says.

mod cursor;
mod stateless;
mod ways;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use self::ways::{WAYS, Way};
use crate::harness::TestServer;

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
    let exchanges = parse(&script);
    let requests: Vec<_> = exchanges.iter().map(|exchange| exchange.request.clone()).collect();
    let server = TestServer::start().await;
    let mut is_new = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut expected: Vec<_> = exchanges.into_iter().map(|exchange| exchange.result).collect();
    for (number, way) in WAYS.into_iter().enumerate() {
        let needs_3 = requests.iter().any(|request| request["type"] == "get_autocommit");
        if needs_3 && way.version == hrana_protocol::Version::Hrana2 {
            continue;
        }
        let database = format!("way-{number}");
        server.create_database(&database).await;
        let results = way.play(&server, &database, &requests).await;
        if std::mem::take(&mut is_new) {
            fs::write(path(name), rewrite(&script, &results)).unwrap();
            expected = results;
            continue;
        }
        compare(name, way, &requests, &results, &expected);
    }
    server.create_database("cursors").await;
    cursor::play(&server, "cursors", &requests, &expected).await;
    if STATELESS.contains(&name) {
        server.create_database("stateless").await;
        stateless::play(&server, "stateless", &requests, &expected).await;
    }
    server.stop().await;
}

fn compare(name: &str, way: Way, requests: &[Value], results: &[Value], expected: &[Value]) {
    assert_eq!(results.len(), expected.len(), "{name} {way:?}");
    for ((request, result), expected) in requests.iter().zip(results).zip(expected) {
        assert!(
            result == expected,
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
    arguments batches conditions describe errors functions sequences stored_sql temporary
    transactions values writes
}
