//! Which work may use a thread, and how it waits when it may not go on.
//!
//! SQLite calls block. They run on the runtime's own threads, announced with `block_in_place` so that other
//! tasks move elsewhere, and only with a permit: one of the database, so that no tenant takes all threads,
//! and one of the server. Everything that waits (for a permit, for the turn to write, for a lock of another
//! process) waits without a thread.
//!
//! Handing a thread over costs more than a point read or a commit. So what was short before is executed on the
//! spot first ([`Executor::try_quickly`]), under a deadline of a millisecond, and begun again the long way if it exceeds
//! it. A write inside a transaction cannot be begun again, since SQLite would roll back the transaction. One that exceeds
//! the deadline gives the place of its thread in the runtime to another, and goes on where it is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::ffi;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::connection::Connection;
use super::execution::Progress;
use super::pace::Pace;
use super::threads::{Threads, block};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Work on a connection that can be continued after waiting.
pub trait Work {
    fn advance(&mut self, connection: &mut Connection, pace: Pace<'_>) -> Progress;
    /// Gives up what has not begun yet, to begin it on whatever connection comes next.
    fn put_off(&mut self, connection: &mut Connection);
    /// Ends what is waiting with this error; the work goes on with what comes next, if anything does.
    fn fail(&mut self, connection: &mut Connection, error: Error);
    /// What the work wrote is not there, whatever it has told of it.
    fn revoke(&mut self, _error: &Error) {}
    /// Memory that its results occupy so far, if it keeps any.
    fn held(&self) -> usize {
        0
    }
}

/// One client's places for large results, and the one that is taken for the work in progress.
#[derive(Default)]
pub struct ResultPlaces {
    /// None bounds nothing.
    all: Option<Arc<Semaphore>>,
    taken: Option<OwnedSemaphorePermit>,
}

impl ResultPlaces {
    pub fn of(all: Arc<Semaphore>) -> Self {
        ResultPlaces { all: Some(all), taken: None }
    }

    /// Takes a place if one is free. Whether there is one.
    pub fn try_take(&mut self) -> bool {
        let Some(all) = self.all.as_ref().filter(|_| self.taken.is_none()) else { return true };
        self.taken = Arc::clone(all).try_acquire_owned().ok();
        self.taken.is_some()
    }

    /// Takes a place as soon as one is free. Its client may take its time to free one, by reading.
    pub async fn take(&mut self) {
        if !self.try_take()
            && let Some(all) = &self.all
        {
            self.taken = Arc::clone(all).acquire_owned().await.ok();
        }
    }

    /// Gives the place to the one who has the result now.
    pub fn hand_over(&mut self) -> Option<OwnedSemaphorePermit> {
        self.taken.take()
    }

    /// Gives the place back while the work waits, unless it is about to have a large result.
    pub fn release(&mut self, held: usize) {
        if held <= limits::RESULT_BYTES_SMALL {
            self.taken = None;
        }
    }
}

/// Carries out the work of one database.
#[derive(Clone)]
pub struct Executor {
    threads: Threads,
}

impl Executor {
    /// An executor for one more database, which may use up to `per_database` threads of the server's.
    pub fn new(server: &Arc<Semaphore>, per_database: usize) -> Self {
        Executor { threads: Threads::new(server, per_database) }
    }

    /// Runs `work` on a thread. A panic becomes an error.
    pub async fn run<T>(&self, work: impl FnOnce() -> T) -> Result<T> {
        let _permit = self.threads.permit().await?;
        block(|| catch(work))
    }

    /// Carries `work` as far as it goes without blocking. Anything but `Done`, `Paused` and `NeedsTurn` says that it has
    /// to be driven.
    pub fn try_quickly(
        &self,
        connection: &mut Connection,
        work: &mut impl Work,
    ) -> Result<Progress> {
        catch(|| work.advance(connection, Pace::Quick(&self.threads)))
            .inspect_err(|_| connection.interruption().cancel())
    }

    /// Carries `work` to its end or to a pause, waiting wherever it has to, but for the turn to write: see `NeedsTurn`.
    pub async fn drive(
        &self,
        connection: &mut Connection,
        work: &mut (impl Work + Send),
        places: &mut ResultPlaces,
    ) -> Result<Progress> {
        let mut busy_since = None;
        loop {
            places.take().await;
            let advance = || {
                let progress = work.advance(connection, Pace::Full);
                connection.sync_commits();
                progress
            };
            let progress = self.run(advance).await.inspect_err(|error| {
                if error.kind() == ErrorKind::Internal {
                    // After a panic nothing is known of the connection: it must not be used again.
                    connection.interruption().cancel();
                }
            })?;
            match progress {
                Progress::Done
                | Progress::Paused
                | Progress::NeedsTurn
                | Progress::Cancelled
                | Progress::Migrate => return Ok(progress),
                Progress::Slow => {}
                Progress::Busy => {
                    let since = *busy_since.get_or_insert_with(Instant::now);
                    if since.elapsed() < limits::BUSY_WAIT {
                        sleep(limits::BUSY_RETRY).await;
                    } else {
                        busy_since = None;
                        self.run(|| work.fail(connection, still_busy())).await?;
                    }
                }
            }
        }
    }
}

fn catch<T>(work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| Error::internal("execute the request", "it panicked; see the log"))
}

fn still_busy() -> Error {
    let seconds = Duration::as_secs(&limits::BUSY_WAIT);
    Error::new(
        ErrorKind::Sqlite(ffi::SQLITE_BUSY),
        format!(
            "SQLite error: database is locked: another process has held the file for {seconds} s"
        ),
    )
}
