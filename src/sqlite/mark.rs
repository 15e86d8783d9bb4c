//! The mark by which a database knows the last migration job that it has taken over.
//!
//! It changes in the same transaction as what the job does, so that a job is done exactly once whatever happens to
//! the process. It is in the header of the file, as the suggested cache size (`sqlite.org/fileformat2.html`, offset
//! 48): SQLite keeps it through VACUUM and backup, no table shows it, and no pragma that clients may use touches it.
//! Connections of this server set a cache size of their own, so that the number means nothing to them.

use std::path::Path;

use rusqlite::Connection;

use super::file;
use crate::error::{Error, Result};
use crate::limits;

/// The job of the mark; 0 for none.
pub(super) fn read(db: &Connection) -> rusqlite::Result<i64> {
    // Where there is none SQLite says its own default, which is negative.
    let size: i64 = db.pragma_query_value(None, "default_cache_size", |row| row.get(0))?;
    Ok(size.max(0))
}

/// Sets the mark in the transaction that is open, or in one of its own.
pub(super) fn write(db: &Connection, job: i64) -> rusqlite::Result<()> {
    let number =
        i32::try_from(job).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, job))?;
    db.execute_batch(&format!(
        "PRAGMA default_cache_size = {number}; PRAGMA cache_size = -{};",
        limits::PAGE_CACHE_KIB
    ))
}

/// The mark of a file.
pub fn mark_of(path: &Path) -> Result<i64> {
    let read = |error| Error::internal("read the version of a database file", error);
    self::read(&file::open_own(path).map_err(read)?).map_err(read)
}

/// Takes from a file of sqld what it noted of migrations in a table that everybody sees. Nobody else has it open.
pub fn forget_sqld_tasks(path: &Path) -> Result<()> {
    let forget = |error| Error::internal("take sqld's notes from a database file", error);
    let db = file::open_own(path).map_err(forget)?;
    db.execute_batch("DROP TABLE IF EXISTS sqlite3_libsql_tasks").map_err(forget)?;
    db.close().map_err(|(_, error)| forget(error))
}

/// Takes the mark from a file that nobody else has open, durably.
pub fn clear_mark(path: &Path) -> Result<()> {
    let clear = |error| Error::internal("clear the version of a database file", error);
    let db = file::open_own(path).map_err(clear)?;
    if self::read(&db).map_err(clear)? != 0 {
        self::write(&db, 0).map_err(clear)?;
    }
    db.close().map_err(|(_, error)| clear(error))
}
