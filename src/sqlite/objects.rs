//! What is in the schema of a file, for comparing files with each other.

use std::collections::BTreeMap;
use std::path::Path;

use super::{file, mark};
use crate::error::{Error, Result};

/// What a database looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The last migration job that it has taken over.
    pub version: i64,
    /// What made each table, index, view and trigger, by kind and name.
    pub objects: BTreeMap<(String, String), String>,
}

/// Looks at a file. Others may use it meanwhile, and nothing in it is changed.
pub fn look_at(path: &Path) -> Result<Look> {
    let look = || -> rusqlite::Result<Look> {
        let mut db = file::open_own(path)?;
        db.execute_batch("PRAGMA query_only = ON")?;
        // One moment for both.
        let transaction = db.transaction()?;
        // What SQLite makes of its own accord is called so.
        let sql = r"SELECT type, name, ifnull(sql, '') FROM sqlite_schema
                    WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\'";
        let mut statement = transaction.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
        let objects = rows.collect::<rusqlite::Result<_>>()?;
        Ok(Look { version: mark::read(&transaction)?, objects })
    };
    look().map_err(|error| Error::internal("read the schema of a database file", error))
}
