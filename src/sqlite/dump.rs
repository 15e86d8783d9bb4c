//! A database as SQL text, in the form of the `sqlite3` shell's `.dump`.
//!
//! The text restores tables, rows, indexes, triggers and views. It is made from one snapshot, row by row. Rows
//! of virtual tables are written as inserts into the virtual table, which fills its shadow tables again.

use std::collections::VecDeque;
use std::fmt::Write as _;

use hrana_protocol::{Rows, Value, ValueRef};

use super::connection::Connection;
use super::execution::Progress;
use super::executor::Work;
use super::pace::Pace;
use super::policy;
use super::statement::Step;
use crate::error::{Error, Result};
use crate::limits;

/// A dump being made.
#[derive(Default)]
pub struct Dump {
    text: String,
    stage: Stage,
    tables: VecDeque<Table>,
    /// SQL of indexes, triggers and views, after all rows.
    rest: Vec<String>,
    /// `INSERT INTO …` of the table whose rows are being read.
    insert: String,
    columns: usize,
    error: Option<Error>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Begin,
    Table,
    Rows,
    End,
}

struct Table {
    name: String,
    sql: String,
}

/// Tables that hold rows of their own: not the shadows of virtual tables, whose rows come with those.
const TABLES: &str = "
SELECT s.name, s.sql FROM sqlite_schema AS s
JOIN pragma_table_list AS l ON l.schema = 'main' AND l.name = s.name
WHERE s.type = 'table' AND l.type <> 'shadow' AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
ORDER BY s.rowid";

const REST: &str = "
SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL
ORDER BY type = 'view' DESC, type = 'trigger', rowid";

const HAS_SEQUENCE: &str = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'";

impl Dump {
    /// The text made since the last time.
    pub fn take_chunk(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.text).into_bytes()
    }

    /// Whether the dump has failed.
    pub fn check(&mut self) -> Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    fn try_advance(&mut self, connection: &mut Connection) -> Result<Progress> {
        loop {
            if self.text.len() >= limits::CURSOR_CHUNK_BYTES {
                return Ok(Progress::Paused);
            }
            self.stage = match self.stage {
                Stage::Begin => self.begin(connection)?,
                Stage::Table => self.next_table(connection)?,
                Stage::Rows => self.next_row(connection)?,
                Stage::End => return Ok(Progress::Done),
            }
        }
    }

    fn begin(&mut self, connection: &mut Connection) -> Result<Stage> {
        connection.interruption().allow(limits::OWN_STATEMENT);
        if connection.has_table_rights() {
            return Err(policy::denied(&policy::needs_all("a dump")));
        }
        query(connection, "BEGIN")?;
        for row in query(connection, TABLES)? {
            if let [Value::Text(name), Value::Text(sql)] = &row[..] {
                refuse_contentless(name, sql)?;
                self.tables.push_back(Table { name: name.clone(), sql: sql.clone() });
            }
        }
        if !query(connection, HAS_SEQUENCE)?.is_empty() {
            let sql = "DELETE FROM sqlite_sequence".to_owned();
            self.tables.push_back(Table { name: "sqlite_sequence".to_owned(), sql });
        }
        for row in query(connection, REST)? {
            if let [Value::Text(sql)] = &row[..] {
                self.rest.push(sql.clone());
            }
        }
        self.text.push_str("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n");
        Ok(Stage::Table)
    }

    fn next_table(&mut self, connection: &mut Connection) -> Result<Stage> {
        let Some(table) = self.tables.pop_front() else {
            for sql in self.rest.drain(..) {
                let _ = writeln!(self.text, "{sql};");
            }
            query(connection, "COMMIT")?;
            self.text.push_str("COMMIT;\n");
            return Ok(Stage::End);
        };
        let _ = writeln!(self.text, "{};", if_not_exists(&table.sql));
        let columns = columns(connection, &table)?;
        let name = quote_name(&table.name);
        self.insert = format!("INSERT INTO {name}({}) VALUES(", columns.join(","));
        let sql = format!("SELECT {} FROM {name}", columns.join(","));
        self.columns = columns.len();
        connection.prepare(&sql)?;
        Ok(Stage::Rows)
    }

    fn next_row(&mut self, connection: &mut Connection) -> Result<Stage> {
        connection.interruption().allow(limits::OWN_STATEMENT);
        if matches!(connection.step()?, Step::Done) {
            connection.abandon();
            return Ok(Stage::Table);
        }
        self.text.push_str(&self.insert);
        for index in 0..self.columns {
            if index > 0 {
                self.text.push(',');
            }
            match connection.raw_value(index) {
                Ok(value) => write_literal(value, &mut self.text),
                Err(bytes) => write_text_of_bytes(bytes, &mut self.text),
            }
        }
        self.text.push_str(");\n");
        Ok(Stage::Rows)
    }
}

impl Work for Dump {
    fn advance(&mut self, connection: &mut Connection, pace: Pace<'_>) -> Progress {
        if pace.is_quick() {
            return Progress::Slow;
        }
        if connection.interruption().is_cancelled() {
            return Progress::Cancelled;
        }
        match self.try_advance(connection) {
            Ok(progress) => progress,
            Err(error) => {
                self.fail(connection, error);
                Progress::Done
            }
        }
    }

    fn put_off(&mut self, _connection: &mut Connection) {
        // It never writes.
    }

    fn fail(&mut self, connection: &mut Connection, error: Error) {
        connection.abandon();
        self.stage = Stage::End;
        self.error = Some(error);
    }
}

/// A full-text index without content does not give back what was put into it.
fn refuse_contentless(name: &str, sql: &str) -> Result<()> {
    let compact: String = sql.to_ascii_lowercase().split_ascii_whitespace().collect();
    let is_contentless = ["content=''", "content=\"\""].iter().any(|part| compact.contains(part));
    if compact.starts_with("createvirtualtable") && is_contentless {
        return Err(Error::bad_request(format!(
            "the table {name} is a full-text index without content, which cannot be dumped as SQL; \
             drop it, and fill it again after restoring"
        )));
    }
    Ok(())
}

/// The quoted names of the columns that can be inserted: generated ones cannot. The rowid comes along where
/// nothing else names it and the content of a virtual table depends on it.
fn columns(connection: &mut Connection, table: &Table) -> Result<Vec<String>> {
    let name = quote_text(&table.name);
    let sql = format!("SELECT name FROM pragma_table_xinfo({name}) WHERE hidden = 0 ORDER BY cid");
    let rows = query(connection, &sql)?;
    let is_full_text =
        table.sql.get(..20).is_some_and(|s| s.eq_ignore_ascii_case("create virtual table"))
            && table.sql.to_ascii_lowercase().contains("using fts");
    let rowid = is_full_text.then(|| "rowid".to_owned());
    let named = rows.into_iter().filter_map(|row| match row.into_iter().next() {
        Some(Value::Text(name)) => Some(quote_name(&name)),
        _ => None,
    });
    Ok(rowid.into_iter().chain(named).collect())
}

/// All rows of a query of the server's own.
fn query(connection: &mut Connection, sql: &str) -> Result<Vec<Vec<Value>>> {
    connection.prepare(sql)?;
    let mut result = Vec::new();
    let mut rows = Rows::new(connection.cols().len());
    while let Step::Row = connection.step()? {
        connection.read_row(limits::RESPONSE_BYTES_MAX, |value| rows.push(value))?;
    }
    connection.finish();
    for row in rows.iter() {
        result.push(row.values().map(ValueRef::to_owned).collect());
    }
    Ok(result)
}

/// `CREATE TABLE` as SQLite stores it, in the form that sqld gives out.
fn if_not_exists(sql: &str) -> String {
    const CREATE: &str = "CREATE TABLE ";
    match sql.strip_prefix(CREATE) {
        Some(rest) => format!("{CREATE}IF NOT EXISTS {rest}"),
        None => sql.to_owned(),
    }
}

fn quote_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn write_literal(value: ValueRef<'_>, out: &mut String) {
    let written = match value {
        ValueRef::Null => out.write_str("NULL"),
        ValueRef::Integer(value) => write!(out, "{value}"),
        ValueRef::Float(value) if value == f64::INFINITY => out.write_str("1e999"),
        ValueRef::Float(value) if value == f64::NEG_INFINITY => out.write_str("-1e999"),
        ValueRef::Float(value) => write!(out, "{value:?}"),
        // A literal ends at a NUL; as bytes it does not.
        ValueRef::Text(value) if value.contains('\0') => {
            write_text_of_bytes(value.as_bytes(), out);
            Ok(())
        }
        ValueRef::Text(value) => out.write_str(&quote_text(value)),
        ValueRef::Blob(value) => {
            write_hex(value, out);
            Ok(())
        }
    };
    debug_assert!(written.is_ok(), "a String takes every write");
}

/// A text that no literal can hold.
fn write_text_of_bytes(bytes: &[u8], out: &mut String) {
    out.push_str("CAST(");
    write_hex(bytes, out);
    out.push_str(" AS TEXT)");
}

fn write_hex(bytes: &[u8], out: &mut String) {
    out.push_str("X'");
    for byte in bytes {
        let _ = write!(out, "{byte:02X}");
    }
    out.push('\'');
}
