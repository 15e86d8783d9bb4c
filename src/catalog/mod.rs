//! The catalog: the durable truth about databases, groups, tokens and migrations. A SQLite file of its own.
//!
//! The server and its owner's commands may have it open at the same time. Whoever keeps something of it in
//! memory asks [`Catalog::has_changed_elsewhere`] every now and then.

mod api_tokens;
mod databases;
mod foreign_keys;
mod format;
mod groups;
mod jobs;
mod name;
mod record;
mod tasks;
mod usage;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::error::{Error, Result};

pub use self::api_tokens::ApiTokenRecord;
pub use self::foreign_keys::{ForeignKeyRecord, JWT_KEY};
pub use self::groups::Group;
pub use self::jobs::{Job, Status, job_not_found};
pub use self::name::{GroupName, NamespaceName};
pub use self::record::{Filter, Parent, Record, Role, SchemaRef, Settings};
pub use self::tasks::{Counts, Progress, Task, TaskOutcome};
pub use self::usage::Usage;

/// The file, open. Its functions block; each takes as long as a few reads, or one durable write.
pub struct Catalog {
    db: Mutex<Connection>,
    /// SQLite's count of changes by others, when it was last looked at.
    version: Mutex<i64>,
}

impl Catalog {
    /// Opens the catalog of the data directory, or makes a new one.
    #[expect(clippy::disallowed_methods, reason = "the catalog is not a tenant's file")]
    pub fn open(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("catalog.sqlite");
        let mut db = Connection::open(&path).map_err(failed("open the catalog"))?;
        format::prepare(&mut db, &path)?;
        let version = data_version(&db)?;
        Ok(Catalog { db: Mutex::new(db), version: Mutex::new(version) })
    }

    /// Whether another process has changed something since this was asked last.
    pub fn has_changed_elsewhere(&self) -> Result<bool> {
        let now = data_version(&self.lock())?;
        let mut version = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::replace(&mut *version, now) != now)
    }

    /// Does something in one transaction.
    fn change(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        let mut db = self.lock();
        let change = || -> rusqlite::Result<()> {
            let transaction = db.transaction()?;
            work(&transaction)?;
            transaction.commit()
        };
        change().map_err(failed(doing))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `sqlite.org/pragma.html#pragma_data_version`
fn data_version(db: &Connection) -> Result<i64> {
    db.pragma_query_value(None, "data_version", |row| row.get(0))
        .map_err(failed("look for changes of the catalog"))
}

/// The time that tokens, databases and usage are dated by: seconds since 1970.
pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The time that migrations are dated by: milliseconds since 1970.
pub fn now_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The same as `2026-01-31T12:00:00.123Z`.
pub fn rfc3339(millis: i64) -> String {
    let nanos = i128::from(millis) * 1_000_000;
    let date = OffsetDateTime::from_unix_timestamp_nanos(nanos);
    date.unwrap_or(OffsetDateTime::UNIX_EPOCH).format(&Rfc3339).unwrap_or_default()
}

fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |error| Error::internal(doing, error)
}

/// Whether a row was refused because there is one like it.
fn is_duplicate(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(
        code,
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
    )
}

/// An id in a column.
fn read_id(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    let text = row.get_ref(column)?.as_str()?;
    Uuid::parse_str(text).map_err(|error| bad_text(column, error))
}

fn bad_text(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}
