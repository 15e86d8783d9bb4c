//! Good messages to begin with: those of the protocol's vectors, and some that a stream can make sense of.

use std::fs;
use std::path::Path;

use hrana_protocol::Encoding;
use hrana_protocol::ws::ClientMsg;
use serde_json::{Value, json};

use super::random::Random;

/// Statements that write a little, take a while, fail, or change what comes after them.
const SQL: [&str; 24] = [
    "SELECT 1",
    "SELECT ?, :a",
    "CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b)",
    "INSERT INTO t(b) VALUES(?)",
    "INSERT INTO t(b) VALUES(zeroblob(5000)) RETURNING *",
    "UPDATE t SET b = a WHERE a % 3 = 0",
    "DELETE FROM t WHERE a > 50",
    "SELECT * FROM t",
    "SELECT count(*), sum(length(b)) FROM t",
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 3000) SELECT n, 'row' FROM c",
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
    "SELECT zeroblob(300000)",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "BEGIN READONLY",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT s",
    "RELEASE s",
    "SELEC",
    "",
    "INSERT INTO t(a) VALUES(1), (1)",
    "SELECT json('{'), CAST(x'ff' AS TEXT)",
    "DROP TABLE IF EXISTS t",
];

/// What only sockets are asked: over HTTP such a stream keeps its connection for ten minutes.
const SQL_OF_SOCKETS: [&str; 3] =
    ["CREATE TEMP TABLE u(a)", "PRAGMA foreign_keys = OFF", "SELECT * FROM temp.u"];

pub(super) struct Seeds {
    /// Bodies of HTTP requests, by encoding.
    pub(super) bodies: [Vec<Vec<u8>>; 2],
    /// Messages on WebSockets, by encoding.
    pub(super) messages: [Vec<Vec<u8>>; 2],
}

pub(super) fn index(encoding: Encoding) -> usize {
    usize::from(encoding == Encoding::Protobuf)
}

impl Seeds {
    /// The vectors of requests: see `protocol/tests`.
    pub(super) fn read() -> Self {
        let mut seeds = Seeds { bodies: Default::default(), messages: Default::default() };
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/tests/vectors");
        for file in ["http.txt", "ws.txt"] {
            let text = fs::read_to_string(directory.join(file)).unwrap();
            let mut kind = "";
            for line in text.lines() {
                if let Some((_, found)) = line.split_once("] ").filter(|_| line.starts_with('[')) {
                    kind = found;
                }
                let into = match kind {
                    "ClientMsg" => &mut seeds.messages,
                    _ if kind.contains("Req") => &mut seeds.bodies,
                    _ => continue,
                };
                match line.split_once(": ") {
                    Some(("json" | "also json", text)) => into[0].push(text.into()),
                    Some(("proto" | "also proto", text)) => into[1].push(from_hex(text)),
                    _ => {}
                }
            }
        }
        assert!(seeds.bodies.iter().chain(&seeds.messages).all(|list| list.len() > 3));
        seeds
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// A small number, mostly one that was used before.
fn id(random: &mut Random) -> i32 {
    match random.below(30) {
        0 => i32::MIN,
        1 => i32::MAX,
        2 => random.next() as i32,
        n => (n % 4) as i32,
    }
}

fn sql(random: &mut Random, is_socket: bool) -> &'static str {
    let pool: &[&'static str] = if is_socket && random.one_in(8) { &SQL_OF_SOCKETS } else { &SQL };
    random.pick::<&str>(pool)
}

fn stmt(random: &mut Random, is_socket: bool) -> Value {
    let values = [
        json!({ "type": "null" }),
        json!({ "type": "integer", "value": "-7" }),
        json!({ "type": "float", "value": 0.5 }),
        json!({ "type": "text", "value": "ä\u{0}" }),
        json!({ "type": "blob", "base64": "AP8" }),
    ];
    let mut stmt = json!({ "sql": sql(random, is_socket) });
    if random.one_in(6) {
        stmt = json!({ "sql_id": id(random) });
    }
    if random.one_in(2) {
        stmt["args"] = (0..random.below(3)).map(|_| random.pick(&values).clone()).collect();
    }
    if random.one_in(4) {
        stmt["named_args"] = json!([{ "name": ":a", "value": random.pick(&values) }]);
    }
    stmt
}

fn condition(random: &mut Random) -> Value {
    match random.below(6) {
        0 => json!({ "type": "not", "cond": condition(random) }),
        1 => json!({ "type": "and", "conds": [condition(random), condition(random)] }),
        2 => json!({ "type": "or", "conds": [] }),
        3 => json!({ "type": "is_autocommit" }),
        4 => json!({ "type": "error", "step": random.below(2) }),
        _ => json!({ "type": "ok", "step": 0 }),
    }
}

pub(super) fn batch(random: &mut Random, is_socket: bool) -> Value {
    let mut steps = Vec::new();
    for index in 0..random.below(6) {
        let mut step = json!({ "stmt": stmt(random, is_socket) });
        // A condition that looks forward is a rule broken, and the end of the socket.
        if index > 1 && random.one_in(2) || random.one_in(60) {
            step["condition"] = condition(random);
        }
        steps.push(step);
    }
    json!({ "steps": steps })
}

/// What a stream can be asked, over both transports.
pub(super) fn stream_request(random: &mut Random, is_socket: bool) -> Value {
    match random.below(12) {
        0..5 => json!({ "type": "execute", "stmt": stmt(random, is_socket) }),
        5 | 6 => json!({ "type": "batch", "batch": batch(random, is_socket) }),
        7 => {
            json!({ "type": "sequence", "sql": format!("{}; {}", sql(random, is_socket), sql(random, is_socket)) })
        }
        8 => json!({ "type": "describe", "sql": sql(random, is_socket) }),
        9 => json!({ "type": "store_sql", "sql_id": id(random), "sql": sql(random, is_socket) }),
        10 => json!({ "type": "close_sql", "sql_id": id(random) }),
        _ => json!({ "type": "get_autocommit" }),
    }
}

/// A message of a client in the bytes of an encoding.
pub(super) fn encode(encoding: Encoding, message: Value) -> Vec<u8> {
    match encoding {
        Encoding::Json => message.to_string().into_bytes(),
        Encoding::Protobuf => {
            let message: ClientMsg = serde_json::from_value(message).unwrap();
            let mut bytes = Vec::new();
            encoding.encode(&message, &mut bytes);
            bytes
        }
    }
}
