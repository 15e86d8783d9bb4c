//! Who writes a database next: one at a time, in the order of arrival.
//!
//! SQLite allows one writer per file and lets the others try again by luck. Here a statement that writes
//! first takes the turn of its database, and keeps it until its transaction ends. Waiting costs no thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use rusqlite::ffi;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, ErrorKind, Result};

/// The right to write one database.
#[derive(Clone)]
pub struct WriteTurn {
    turn: Arc<Semaphore>,
    wait: Duration,
    /// The migration job that has it, or 0.
    job: Arc<AtomicI64>,
}

/// The turn in the hands of a migration, which locks the database to all writers meanwhile.
pub struct MigrationTurn {
    job: Arc<AtomicI64>,
    _turn: OwnedSemaphorePermit,
}

impl WriteTurn {
    /// `wait` bounds how long a writer waits for the others.
    pub fn new(wait: Duration) -> Self {
        WriteTurn { turn: Arc::new(Semaphore::new(1)), wait, job: Arc::default() }
    }

    /// Takes the turn if nobody has it or waits for it.
    pub(super) fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turn).try_acquire_owned().ok()
    }

    /// Takes the turn, in the order of arrival.
    pub async fn take(&self) -> Result<OwnedSemaphorePermit> {
        let turn = tokio::time::timeout(self.wait, Arc::clone(&self.turn).acquire_owned()).await;
        turn.map_err(|_| self.too_long(self.wait))?.map_err(|_| self.too_long(self.wait))
    }

    /// Takes the turn for a migration job, after those who came before.
    pub async fn take_for(&self, job: i64, wait: Duration) -> Result<MigrationTurn> {
        let turn = tokio::time::timeout(wait, Arc::clone(&self.turn).acquire_owned()).await;
        let turn = turn.map_err(|_| self.too_long(wait))?.map_err(|_| self.too_long(wait))?;
        Ok(self.hold(turn, job))
    }

    /// The migration job that has the turn; 0 if there is none.
    pub fn job(&self) -> i64 {
        self.job.load(Relaxed)
    }

    /// Makes a turn that was taken a migration's.
    pub fn hold(&self, turn: OwnedSemaphorePermit, job: i64) -> MigrationTurn {
        self.job.store(job, Relaxed);
        MigrationTurn { job: Arc::clone(&self.job), _turn: turn }
    }

    fn too_long(&self, wait: Duration) -> Error {
        let seconds = wait.as_secs_f64();
        match self.job() {
            0 => Error::new(
                ErrorKind::Sqlite(ffi::SQLITE_BUSY),
                format!(
                    "SQLite error: database is locked: another transaction was still writing after {seconds} s \
                     (--write-wait); try again"
                ),
            ),
            job => Error::new(
                ErrorKind::MigrationRunning,
                format!(
                    "the database is locked to writers by migration job {job} of its schema, for more than {seconds} s \
                     by now; try again"
                ),
            ),
        }
    }
}

impl Drop for MigrationTurn {
    fn drop(&mut self) {
        self.job.store(0, Relaxed);
    }
}
