//! Moving a WAL into its file.

use std::path::Path;

use rusqlite::ffi::ErrorCode;

use super::read_locks::ReadLocks;
use crate::error::{Error, Result};

/// Moves what is in the WAL of a file into the file, durably, and cuts the WAL to nothing. `false` if somebody is in
/// the way; then a part may have been moved. Nobody must be writing.
pub(super) fn try_checkpoint(path: &Path, locks: &ReadLocks) -> Result<bool> {
    let db = locks.open(path)?;
    let is_blocked =
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    match is_blocked {
        Ok(is_blocked) => Ok(!is_blocked),
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(Error::internal("checkpoint the database", error)),
    }
}

/// Moves into the file what nobody is in the way of; who reads or writes does not wait.
pub(super) fn move_some(path: &Path, locks: &ReadLocks) -> Result<()> {
    let db = locks.open(path)?;
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        .map_err(|error| Error::internal("checkpoint the database", error))
}
