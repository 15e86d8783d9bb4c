//! Files from elsewhere, and files that may have suffered: taking them over, and looking whether they are sound.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::OpenFlags;

use super::file::open_file;
use crate::error::{Error, Result};
use crate::limits;

/// What is wrong with a file, as `PRAGMA integrity_check` says it; nothing if it is sound. Others may use it meanwhile.
pub fn check_file(path: &Path) -> Result<Vec<String>> {
    let db = open_file(path)?;
    db.busy_timeout(limits::BUSY_WAIT).map_err(failed)?;
    let mut statement =
        db.prepare(&format!("PRAGMA integrity_check({PROBLEMS_MAX})")).map_err(failed)?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
    let lines: Vec<_> = lines.collect::<rusqlite::Result<_>>().map_err(failed)?;
    Ok(if lines == ["ok"] { Vec::new() } else { lines })
}

/// More of them say no more.
const PROBLEMS_MAX: usize = 20;

/// Makes a copy of a file that nobody writes to, with what is still in its WAL, in the form that tenants' files have.
/// What was copied is checked; a failure leaves nothing.
pub fn take_over(from: &Path, path: &Path) -> Result<()> {
    let taken = copy_with_wal(from, path).and_then(|()| settle(path));
    if taken.is_err() {
        remove(path);
    }
    taken
}

fn copy_with_wal(from: &Path, path: &Path) -> Result<()> {
    let cannot_copy = |error| Error::internal(format!("copy {}", from.display()), error);
    fs::copy(from, path).map_err(cannot_copy)?;
    let wal = beside(from, "-wal");
    if wal.exists() {
        fs::copy(&wal, beside(path, "-wal")).map_err(cannot_copy)?;
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Brings what is in the WAL into the file, turns it to WAL mode, checks it and makes it durable.
fn settle(path: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = rusqlite::Connection::open_with_flags(path, flags).map_err(failed)?;
    let mode: String = db
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(failed)?;
    let sound: String =
        db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" || sound != "ok" {
        return Err(Error::bad_request(format!(
            "the file is not a sound SQLite database: {sound}"
        )));
    }
    db.close().map_err(|(_, error)| failed(error))?;
    let file = File::open(path).and_then(|file| file.sync_all());
    file.map_err(|error| Error::internal("make the database file durable", error))
}

/// The rows of a query on a file that nobody writes to, which is left as it is: what is read is a copy at `scratch`.
pub fn read_copy<T>(
    path: &Path,
    scratch: &Path,
    sql: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    // What a crash may have left.
    remove(scratch);
    take_over(path, scratch)?;
    let query = || -> Result<Vec<T>> {
        let db = open_file(scratch)?;
        let mut statement = db.prepare(sql).map_err(failed)?;
        statement.query_map([], read).and_then(Iterator::collect).map_err(failed)
    };
    let rows = query();
    remove(scratch);
    rows
}

/// Whether nothing was ever created in a file. Others may use it meanwhile.
pub fn is_empty(path: &Path) -> Result<bool> {
    let db = open_file(path)?;
    db.busy_timeout(limits::BUSY_WAIT).map_err(failed)?;
    let sql = "SELECT count(*) = 0 FROM sqlite_schema";
    db.query_row(sql, [], |row| row.get(0)).map_err(failed)
}

fn remove(path: &Path) {
    for suffix in ["-shm", "-wal", ""] {
        let _ = fs::remove_file(beside(path, suffix));
    }
}

fn failed(error: rusqlite::Error) -> Error {
    Error::internal("read the database file", error)
}
