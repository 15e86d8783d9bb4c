//! Requests as rqlite has them: its own JSON, and answers in another shape than Hrana's.

use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Result;
use crate::client;

/// Where it says that it has elected itself and can be asked.
pub(crate) const READY: &str = "/readyz";

/// Reads what the node has, as a single one does anyway: without asking the others.
const PATH: &str = "/db/request?level=none";

/// A Hrana statement, as far as the driver writes such.
#[derive(Deserialize)]
struct Stmt {
    sql: String,
    #[serde(default)]
    args: Vec<Argument>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Argument {
    Integer { value: String },
    Text { value: String },
}

/// The bytes of a request that executes one statement.
pub(crate) fn execute(address: SocketAddr, stmt: &str) -> Result<Box<[u8]>> {
    request(address, PATH, &[statement(stmt)?])
}

/// The bytes of a request that executes these statements in a transaction, which the first and the last of them begin
/// and end.
pub(crate) fn batch(address: SocketAddr, statements: &[String]) -> Result<Box<[u8]>> {
    let inner = statements.get(1..statements.len().saturating_sub(1)).unwrap_or_default();
    let inner: Vec<_> = inner.iter().map(|stmt| statement(stmt)).collect::<Result<_>>()?;
    request(address, &format!("{PATH}&transaction"), &inner)
}

/// How an answer says what another server's says in these words.
pub(crate) fn expected(of_hrana: &'static str) -> &'static str {
    match of_hrana {
        "\"affected_row_count\":1" => "\"rows_affected\":1",
        "\"value\":\"1\"" => "[[1]]",
        other => other,
    }
}

fn request(address: SocketAddr, path: &str, statements: &[Value]) -> Result<Box<[u8]>> {
    Ok(client::post(address, path, "", &serde_json::to_string(statements)?))
}

fn statement(stmt: &str) -> Result<Value> {
    let Stmt { sql, args } = serde_json::from_str(stmt)?;
    let mut parts = vec![Value::from(sql)];
    for argument in args {
        parts.push(match argument {
            Argument::Integer { value } => json!(value.parse::<i64>()?),
            Argument::Text { value } => json!(value),
        });
    }
    Ok(parts.into())
}
