//! Threads for migrations, which give way to those that answer clients.
//!
//! A migration of many children keeps several threads busy for seconds. On a machine with few cores a request to a
//! database that has nothing to do with it would find none of them free, and wait for a slice of time of the system
//! (some milliseconds) for what takes a tenth of one.

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{Error, Result};
use crate::limits;

/// A runtime whose threads have the lower priority.
pub(super) struct Background {
    handle: Handle,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
}

impl Background {
    /// With a thread for each of so many children that are worked on at once, and one for what is between them.
    pub(super) fn start(children: usize) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(children + 1)
            .thread_name("migration")
            .on_thread_start(give_way)
            .enable_time()
            .build()
            .map_err(|error| Error::internal("start the threads of migrations", error))?;
        Ok(Background { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Whoever drops this may be a task, which must not wait. What goes on is done or rolled back by SQLite.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Lowers the priority of this thread. On systems where that is one of the whole process it stays as it is.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, limits::MIGRATION_NICENESS) {
        tracing::debug!("migrations run with the priority of all else: {error}");
    }
}
