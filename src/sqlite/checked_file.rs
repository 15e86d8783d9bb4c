//! Files that others have made: whether one is a sound SQLite database, before it becomes a tenant's.

use std::path::Path;

use super::file::open_file;
use super::interruption::Interruption;
use crate::error::{Error, Result};
use crate::limits;

/// Fails unless SQLite finds the file sound.
pub(super) fn check(path: &Path) -> Result<()> {
    // Opening reads the schema, if there is one that can be read.
    let mut db = open_file(path).map_err(|error| unsound(error.message()))?;
    let interruption = Interruption::install(&mut db)?;
    interruption.allow(limits::FILE_CHECK);
    let found: rusqlite::Result<String> =
        db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match found {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => Err(unsound(&found)),
        Err(error) => Err(unsound(&error.to_string())),
    }
}

fn unsound(why: &str) -> Error {
    let why: String = why.chars().take(limits::ERROR_CHARS_MAX).collect();
    Error::bad_request(format!("the database is not sound: {why}"))
}
