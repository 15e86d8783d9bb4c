//! Files from elsewhere, and files that may have suffered: taking them over, and looking whether they are sound.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::file::{self, beside, open_file};
use super::interruption::Interruption;
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

/// Makes of a file that somebody else has made one that a database can have: brings what is in its WAL into it, checks
/// it, and gives it the form of tenants' files. It is durable afterwards.
pub fn settle(path: &Path) -> Result<()> {
    check_head(path)?;
    // Opening reads the schema, if there is one that can be read.
    let mut db = open_file(path).map_err(|error| unsound(&cause(&error)))?;
    let interruption = Interruption::install(&mut db)?;
    interruption.allow(limits::FILE_CHECK);
    let found: rusqlite::Result<String> =
        db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match found {
        Ok(found) if found == "ok" => {}
        Ok(found) => return Err(unsound(&found)),
        Err(error) => return Err(unsound(&error.to_string())),
    }
    let page: u32 = db.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(failed)?;
    if u64::from(page) != file::PAGE_BYTES {
        // Limits of size count on it. VACUUM changes it, though not in WAL mode.
        let bytes = file::PAGE_BYTES;
        let sql = format!("PRAGMA journal_mode = DELETE; PRAGMA page_size = {bytes}; VACUUM;");
        db.execute_batch(&sql).map_err(|error| unsound(&error.to_string()))?;
    }
    file::close_as_wal(db).map_err(|error| unsound(&cause(&error)))?;
    file::sync(path)
}

/// SQLite takes an empty file for an empty database, which no program has written.
fn check_head(path: &Path) -> Result<()> {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut head = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    match read {
        Ok(()) if head == *MAGIC => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            Err(Error::internal("read the database file", error))
        }
        _ => Err(unsound("it does not begin as one")),
    }
}

fn cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

fn unsound(why: &str) -> Error {
    let why: String = why.chars().take(limits::ERROR_CHARS_MAX).collect();
    Error::bad_request(format!("the file is not a sound SQLite database: {why}"))
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
