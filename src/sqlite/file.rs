//! Creating and opening a tenant's file, and what every connection to it is set up with.
//!
//! The set-up follows "Defense Against The Dark Arts" (`sqlite.org/security.html`): defensive mode, no trusted
//! schema, limits. The authorizer and the watch over running time come with [`super::Connection`].

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;

use crate::error::{Error, Result};
use crate::limits;

/// Creates the file of an empty database in WAL mode, which it keeps. Its entry in the directory is not durable yet.
pub fn create_file(path: &Path) -> Result<()> {
    /// SQLite makes the first; the others are the same, without the journal that it needs and all its waiting for
    /// the disk.
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(bytes) = EMPTY.get() {
        let write = || {
            let mut file = fs::File::create_new(path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        return write().map_err(|error| Error::internal("create the database file", error));
    }
    create_first(path)?;
    let bytes = fs::read(path).map_err(|e| Error::internal("read the new database file", e))?;
    EMPTY.get_or_init(|| bytes);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the one place where tenants' files come into being")]
fn create_first(path: &Path) -> Result<()> {
    let db = rusqlite::Connection::open(path).map_err(cannot_create)?;
    close_as_wal(db)
}

/// Puts a file into WAL mode and closes it.
pub(super) fn close_as_wal(db: rusqlite::Connection) -> Result<()> {
    let mode: String = db
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(cannot_create)?;
    if mode != "wal" {
        return Err(Error::internal("create the database file", format!("journal mode is {mode}")));
    }
    db.close().map_err(|(_, error)| cannot_create(error))
}

/// The file that SQLite has beside another one.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Makes a file durable that nobody has open.
pub(super) fn sync(path: &Path) -> Result<()> {
    let file = fs::File::open(path);
    file.and_then(|file| file.sync_all())
        .map_err(|error| Error::internal("make a database file durable", error))
}

/// Creates a file with what another one contains now, whoever writes to that meanwhile.
#[expect(clippy::disallowed_methods, reason = "the one place where tenants' files come into being")]
pub fn copy_file(from: &Path, path: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = rusqlite::Connection::open_with_flags(from, flags).map_err(cannot_copy)?;
    source.busy_timeout(limits::BUSY_WAIT).map_err(cannot_copy)?;
    let mut copy = rusqlite::Connection::open(path).map_err(cannot_copy)?;
    // A copy that is cut short is thrown away; one that is whole is synced below.
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        .map_err(cannot_copy)?;
    let backup = rusqlite::backup::Backup::new(&source, &mut copy).map_err(cannot_copy)?;
    // All pages in one step see one state of the source.
    let outcome = backup.step(-1).map_err(cannot_copy)?;
    drop(backup);
    if outcome != rusqlite::backup::StepResult::Done {
        return Err(Error::internal("copy the database file", format!("{outcome:?}")));
    }
    copy.close().map_err(|(_, error)| cannot_copy(error))?;
    sync(path)
}

/// An empty file has one page, or none if whoever made it was interrupted.
pub const EMPTY_FILE_BYTES: u64 = PAGE_BYTES;

/// The most pages that a file can have (`SQLITE_MAX_PAGE_COUNT`).
pub(super) const PAGES_MAX: u32 = 0xffff_fffe;

/// What SQLite makes files of, as long as nobody asks for something else.
pub(super) const PAGE_BYTES: u64 = 4096;

/// A limit of bytes in pages.
pub(super) fn pages(bytes: Option<u64>) -> u32 {
    let pages = bytes.map(|bytes| u32::try_from(bytes.div_ceil(PAGE_BYTES)).unwrap_or(PAGES_MAX));
    pages.unwrap_or(PAGES_MAX).clamp(1, PAGES_MAX)
}

/// Opens a file for questions of the server's own.
pub(super) fn open_own(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = rusqlite::Connection::open_with_flags(path, flags)?;
    db.busy_timeout(limits::BUSY_WAIT)?;
    // The file may suggest another one: see `mark`.
    db.execute_batch(&format!("PRAGMA cache_size = -{}", limits::PAGE_CACHE_KIB))?;
    Ok(db)
}

fn cannot_copy(error: rusqlite::Error) -> Error {
    Error::internal("copy the database file", error)
}

fn cannot_create(error: rusqlite::Error) -> Error {
    Error::internal("create the database file", error)
}

/// Who else may have a file open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    Shared,
    /// Nobody: others wait, or this fails at once. The index of the WAL is in memory then and not in a file, which is
    /// most of what a short look at a database costs (`sqlite.org/wal.html`, "Use of WAL Without Shared-Memory").
    Alone,
}

/// Opens a file, which must exist, for SQL of strangers.
pub(super) fn open_file(path: &Path) -> Result<rusqlite::Connection> {
    open_file_as(path, Sharing::Shared)
}

pub(super) fn open_file_as(path: &Path, sharing: Sharing) -> Result<rusqlite::Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = rusqlite::Connection::open_with_flags(path, flags).map_err(cannot_open)?;
    if sharing == Sharing::Alone {
        // Before the first look at the file.
        db.execute_batch("PRAGMA locking_mode = EXCLUSIVE").map_err(cannot_open)?;
    }
    harden(&db, sharing).map_err(cannot_open)?;
    Ok(db)
}

fn cannot_open(error: rusqlite::Error) -> Error {
    Error::internal("open the database file", error)
}

/// Takes from the connection what SQL of strangers must not have.
fn harden(db: &rusqlite::Connection, sharing: Sharing) -> rusqlite::Result<()> {
    // The first look at the file meets a connection that is just being closed, or is a migration's and for a moment
    // alone with the file.
    db.busy_timeout(match sharing {
        Sharing::Shared => limits::BUSY_WAIT,
        Sharing::Alone => Duration::ZERO,
    })?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, limits::VALUE_BYTES_MAX as i32)?;
    db.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, limits::SQL_BYTES_MAX as i32)?;
    let like = limits::LIKE_PATTERN_BYTES_MAX as i32;
    db.set_limit(Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, like)?;
    db.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    // One, because VACUUM attaches a temporary file; the policy refuses ATTACH itself.
    db.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 1)?;
    db.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA cache_size = -{};",
        limits::PAGE_CACHE_KIB
    ))?;
    // From now on waiting is the executor's affair: it does not hold a thread meanwhile.
    db.busy_timeout(Duration::ZERO)
}
