//! Who writes a database next: one at a time, in the order of arrival.
//!
//! SQLite allows one writer per file and lets the others try again by luck. Here a statement that writes
//! first takes the turn of its database, and keeps it until its transaction ends. Waiting costs no thread.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::ffi;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, ErrorKind, Result};

/// The right to write one database.
#[derive(Clone)]
pub struct WriteTurn {
    turn: Arc<Semaphore>,
    wait: Duration,
}

impl WriteTurn {
    /// `wait` bounds how long a writer waits for the others.
    pub fn new(wait: Duration) -> Self {
        WriteTurn { turn: Arc::new(Semaphore::new(1)), wait }
    }

    /// Takes the turn if nobody has it or waits for it.
    pub(super) fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turn).try_acquire_owned().ok()
    }

    pub(super) async fn take(&self) -> Result<OwnedSemaphorePermit> {
        let turn = tokio::time::timeout(self.wait, Arc::clone(&self.turn).acquire_owned()).await;
        turn.map_err(|_| self.too_long())?.map_err(|_| self.too_long())
    }

    fn too_long(&self) -> Error {
        Error::new(
            ErrorKind::Sqlite(ffi::SQLITE_BUSY),
            format!(
                "SQLite error: database is locked: another transaction was still writing after {} s \
                 (--write-wait); try again",
                self.wait.as_secs_f64()
            ),
        )
    }
}
