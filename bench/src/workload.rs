//! What is asked for under load, and how the tables for it are made.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::args::Scenario;
use crate::client;
use crate::driver::Requests;

/// Rows of the table that is read.
const ITEMS: usize = 10_000;

/// Makes the tables, from one statement to the next.
pub(crate) const SCHEMA: [&str; 3] = [
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    "INSERT INTO items SELECT value, 'the name of item ' || value FROM \
     (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 10000) \
      SELECT value FROM n)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL)",
];

/// One kind of request.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) requests: Requests,
    /// Part of the answer to the first request, so that only right answers are measured.
    pub(crate) expected: &'static str,
}

impl Workload {
    /// The requests of a scenario, if it is one of requests under load.
    pub(crate) fn new(scenario: Scenario, address: SocketAddr) -> Option<Self> {
        let (name, statements, expected) = match scenario {
            Scenario::Select1 => ("select_1", vec![statement("SELECT 1", None)], "\"value\":\"1\""),
            Scenario::PointRead => ("point_read", point_reads(), "the name of item 1\""),
            Scenario::Insert => {
                let note =
                    "{\"type\":\"text\",\"value\":\"a note of some forty bytes, as they are\"}";
                let sql = "INSERT INTO notes (body) VALUES (?)";
                ("insert", vec![statement(sql, Some(note))], "\"affected_row_count\":1")
            }
            Scenario::Rows1000 => {
                let sql = "SELECT id, name FROM items LIMIT 1000";
                ("rows_1000", vec![statement(sql, None)], "the name of item 1000\"")
            }
            _ => return None,
        };
        let requests = statements.iter().map(|stmt| client::execute(address, "", stmt)).collect();
        Some(Workload { name, requests, expected })
    }

    /// For a single connection, as often as wanted.
    pub(crate) fn first(&self) -> &[u8] {
        &self.requests[0]
    }
}

/// Reads of rows all over the table, the first of row 1.
pub(crate) fn point_reads() -> Vec<String> {
    let ids = (0..ITEMS).map(|index| index * 7919 % ITEMS + 1);
    let read = |id| {
        let id = format!("{{\"type\":\"integer\",\"value\":\"{id}\"}}");
        statement("SELECT id, name FROM items WHERE id = ?", Some(&id))
    };
    ids.map(read).collect()
}

/// A Hrana statement in JSON. `sql` holds nothing that JSON would escape.
pub(crate) fn statement(sql: &str, argument: Option<&str>) -> String {
    let arguments = argument.map(|a| format!(",\"args\":[{a}]")).unwrap_or_default();
    format!("{{\"sql\":\"{sql}\"{arguments},\"want_rows\":true}}")
}

/// The requests that make the tables.
pub(crate) fn schema(address: SocketAddr) -> Requests {
    let request = |sql: &&str| client::execute(address, "", &statement(sql, None));
    Arc::from_iter(SCHEMA.iter().map(request))
}
