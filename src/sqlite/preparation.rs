//! From a text to a statement that may be executed: what to do where preparing fails at first, and what the
//! authorizer could not see.

use hrana_protocol::Value;
use rusqlite::ffi;

use super::dialect;
use super::policy::{self, Condition};
use super::regulator::{Judged, Regulator};
use super::statement::{Prepared, Statement, Step};
use crate::error::{ErrorKind, Result};

/// Prepares the first statement of `sql`, by the rights that the connection has.
pub(super) fn prepare(
    db: &rusqlite::Connection,
    regulator: &Regulator,
    sql: &str,
) -> Result<Judged<Prepared>> {
    let prepare = || regulator.prepare(|| Statement::prepare(db, sql));
    let judged = match prepare() {
        Err(error) => match error.kind() {
            // What SQLite says of SQL that does not fit the schema. It may fit one that others have changed: look,
            // and try again.
            ErrorKind::Sqlite(code) if code & 0xff == ffi::SQLITE_ERROR => {
                refresh_schema(db, regulator)?;
                prepare()?
            }
            // Likewise. And a virtual table that is named for the first time prepares SQL of its own, which says
            // nothing of what the client does.
            ErrorKind::Denied if regulator.is_limited() => {
                connect(db, regulator, sql)?;
                prepare()?
            }
            _ => return Err(error),
        },
        Ok(judged) => judged,
    };
    for condition in &judged.conditions {
        if !holds(db, regulator, condition, sql)? {
            return Err(policy::denied(&condition.reason()));
        }
    }
    Ok(judged)
}

/// Lets SQLite look at the schema and connect the virtual tables that `sql` names.
pub(super) fn connect(db: &rusqlite::Connection, regulator: &Regulator, sql: &str) -> Result<()> {
    refresh_schema(db, regulator)?;
    regulator.connect(|| Statement::prepare(db, sql));
    Ok(())
}

/// Makes SQLite notice that the schema is another. Executing does that; preparing does not.
pub(super) fn refresh_schema(db: &rusqlite::Connection, regulator: &Regulator) -> Result<()> {
    match Statement::prepare(db, "SELECT 1 FROM sqlite_schema LIMIT 1")?.statement {
        Some(mut statement) => statement.step(db, &regulator.watch).map(|_| ()),
        None => Ok(()),
    }
}

fn holds(
    db: &rusqlite::Connection,
    regulator: &Regulator,
    condition: &Condition,
    sql: &str,
) -> Result<bool> {
    match condition {
        Condition::Absent { table } => Ok(!is_stored(db, regulator, table)?),
        Condition::NotReplacing { .. } => Ok(!dialect::says_replace(sql)),
    }
}

/// Whether the file has a table or view of this name.
fn is_stored(db: &rusqlite::Connection, regulator: &Regulator, name: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM main.sqlite_schema \
               WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE";
    let Some(mut statement) = Statement::prepare(db, sql)?.statement else { return Ok(true) };
    statement.bind(db, 1, &Value::Text(name.to_owned()))?;
    Ok(matches!(statement.step(db, &regulator.watch)?, Step::Row))
}
