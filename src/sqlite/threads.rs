//! The threads on which work on databases may block: how many may at once, and who does their tasks meanwhile.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Permits to block threads for the work of one database.
#[derive(Clone)]
pub struct Threads {
    server: Arc<Semaphore>,
    database: Arc<Semaphore>,
}

/// A permit to block one thread.
pub(super) struct Permit {
    _database: OwnedSemaphorePermit,
    _server: OwnedSemaphorePermit,
}

impl Threads {
    /// For one more database, which may use up to `per_database` threads of the server's.
    pub(super) fn new(server: &Arc<Semaphore>, per_database: usize) -> Self {
        Threads { server: Arc::clone(server), database: Arc::new(Semaphore::new(per_database)) }
    }

    /// Waits for a permit, for as long as anybody would.
    pub(super) async fn permit(&self) -> Result<Permit> {
        let _database = take(&self.database).await?;
        Ok(Permit { _database, _server: take(&self.server).await? })
    }

    /// A permit, if there is one now.
    pub(super) fn try_permit(&self) -> Option<Permit> {
        let _database = Arc::clone(&self.database).try_acquire_owned().ok()?;
        let _server = Arc::clone(&self.server).try_acquire_owned().ok()?;
        Some(Permit { _database, _server })
    }
}

async fn take(permits: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
        return Ok(permit);
    }
    match timeout(limits::ADMISSION_WAIT, Arc::clone(permits).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Error::new(
            ErrorKind::Overloaded,
            format!(
                "the database was busy with other requests for {} s; try again later",
                limits::ADMISSION_WAIT.as_secs()
            ),
        )),
    }
}

/// Runs blocking work for which nobody waits, on a thread that does nothing else.
pub fn detach(work: impl FnOnce() + Send + 'static) {
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(work)),
        Err(_) => work(),
    }
}

/// Runs blocking work on this thread, which the runtime replaces meanwhile.
#[expect(clippy::disallowed_methods, reason = "the one place where database work blocks a thread")]
pub fn block<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

/// Has the runtime replace this thread in the middle of work that has turned out to be long. The one that takes its
/// place keeps it; this one goes on with its work alone. If none has come meanwhile, nothing has changed.
pub(super) fn leave_runtime() {
    block(|| std::thread::sleep(limits::REPLACEMENT_WAIT));
}
