//! Who writes a database next: one at a time, and nobody waits much longer than those who came before.
//!
//! SQLite allows one writer per file and lets the others try again by luck. Here a statement that writes
//! first takes the turn of its database, and keeps it until its transaction ends. Waiting costs no thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use rusqlite::ffi;
use tokio::time::timeout;

use super::turn_queue::{Turn, TurnQueue};
use crate::error::{Error, ErrorKind, Result};

/// The right to write one database.
#[derive(Clone)]
pub struct WriteTurn {
    queue: Arc<TurnQueue>,
    wait: Duration,
    /// The migration job that has it, or 0.
    job: Arc<AtomicI64>,
}

/// The turn in the hands of a migration, which locks the database to all writers meanwhile.
pub struct MigrationTurn {
    job: Arc<AtomicI64>,
    _turn: Turn,
}

impl WriteTurn {
    /// `wait` bounds how long a writer waits for the others.
    pub fn new(wait: Duration) -> Self {
        WriteTurn { queue: Arc::default(), wait, job: Arc::default() }
    }

    /// Takes the turn if it is free, and nobody has waited for it for long.
    pub(super) fn try_take(&self) -> Option<Turn> {
        self.queue.try_take()
    }

    /// Waits for the turn: see [`TurnQueue`] for the order.
    pub async fn take(&self) -> Result<Turn> {
        self.take_within(self.wait).await
    }

    async fn take_within(&self, wait: Duration) -> Result<Turn> {
        timeout(wait, self.queue.take()).await.map_err(|_| self.too_long(wait))
    }

    /// Takes the turn for a migration job, after those who came before.
    pub async fn take_for(&self, job: i64, wait: Duration) -> Result<MigrationTurn> {
        Ok(self.hold(self.take_within(wait).await?, job))
    }

    /// The migration job that has the turn; 0 if there is none.
    pub fn job(&self) -> i64 {
        self.job.load(Relaxed)
    }

    /// Makes a turn that was taken a migration's.
    pub fn hold(&self, turn: Turn, job: i64) -> MigrationTurn {
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
