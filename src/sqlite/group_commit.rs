//! One wait for the disk for all who have committed.
//!
//! SQLite is told to leave it to us when commits become durable (`synchronous = NORMAL`): a commit appends to the
//! write-ahead log, and the next writer may go on at once. Then one `fdatasync` of the log makes all commits durable
//! that were in it by then, and their replies wait for that. So does the reply to everybody who may have read what a
//! power failure could still take away.
//!
//! Commits are counted. [`GroupCommit`] knows up to which number they have begun (readers may see them), are written,
//! and are durable; each connection knows up to which it has seen them ([`super::commits`]).

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::ffi;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use super::checkpoint;
use super::file::beside;
use super::read_locks::ReadLocks;
use super::slowness::Slowness;
use super::threads::{block, detach};
use super::write_turn::WriteTurn;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// The commits of one database.
pub struct GroupCommit {
    path: PathBuf,
    read_locks: ReadLocks,
    /// How many have begun: their rows may be seen. Only who has the turn to write commits, so at most one of them is
    /// not written yet.
    pub(super) begun: AtomicU64,
    pub(super) written: AtomicU64,
    durable: AtomicU64,
    disk: Mutex<Disk>,
    attempts: watch::Sender<Attempt>,
    turn: WriteTurn,
    is_moving: AtomicBool,
    /// Threads of the runtime that may wait for the disk.
    quick: Arc<Semaphore>,
}

#[derive(Default)]
struct Disk {
    is_asked: bool,
    /// It has failed to make the log durable. Asking again would not help: the system may have dropped what it could
    /// not write, and say that all is well (`fsync(2)`).
    is_doubted: bool,
    slowness: Slowness,
    /// For how many commits it was asked last.
    commits: u64,
}

/// How the last attempt to make commits durable has ended, for those up to this number.
#[derive(Clone, Default)]
struct Attempt {
    until: u64,
    failure: Option<Arc<str>>,
}

impl GroupCommit {
    /// Of the database at this path, which is written by turns. `quick` bounds how many threads of the runtime wait for
    /// the disk at once.
    pub(super) fn new(
        path: &Path,
        read_locks: ReadLocks,
        turn: WriteTurn,
        quick: Arc<Semaphore>,
    ) -> Self {
        GroupCommit {
            path: path.to_owned(),
            read_locks,
            begun: AtomicU64::default(),
            written: AtomicU64::default(),
            durable: AtomicU64::default(),
            disk: Mutex::default(),
            attempts: watch::Sender::default(),
            turn,
            is_moving: AtomicBool::default(),
            quick,
        }
    }

    pub fn is_durable(&self, number: u64) -> bool {
        self.durable.load(SeqCst) >= number
    }

    /// Waits until commits up to this number are durable.
    pub async fn wait(self: &Arc<Self>, number: u64) -> Result<()> {
        if self.is_durable(number) {
            return Ok(());
        }
        let mut attempts = self.attempts.subscribe();
        if let Some(asking) = self.try_ask() {
            detach(move || asking.go_on());
        }
        while !self.is_durable(number) {
            // Whoever writes at the moment asks the disk afterwards.
            let changed = attempts.changed().await;
            changed.map_err(|_| Error::internal("wait for the disk", "nobody asks it"))?;
            let Attempt { until, failure } = attempts.borrow_and_update().clone();
            if let Some(failure) = failure.filter(|_| until >= number) {
                return Err(not_durable(&failure));
            }
        }
        Ok(())
    }

    /// Asks the disk on this thread, which others need, if it is expected to answer soon and few commits come meanwhile:
    /// to wake up another thread, and to be woken up by it, takes longer than a good disk does.
    pub fn ask_quickly(self: &Arc<Self>) {
        let is_quick = {
            let disk = self.lock();
            disk.commits <= 1 && !disk.slowness.is_expected()
        };
        if is_quick
            && let Ok(_place) = self.quick.try_acquire()
            && let Some(asking) = self.try_ask()
        {
            asking.ask();
        }
    }

    /// The right to ask the disk, unless somebody has it, who asks again for what has come meanwhile.
    pub(super) fn try_ask(self: &Arc<Self>) -> Option<Asking> {
        if self.is_durable(self.written.load(SeqCst)) {
            return None;
        }
        let is_asked = std::mem::replace(&mut self.lock().is_asked, true);
        (!is_asked).then(|| Asking { commits: Arc::clone(self), is_over: false })
    }

    /// Moves what is in the log into the file, so that the log begins anew, unless that is being done. The most of it
    /// beside those who write, the rest while nobody does: else the log would grow as long as somebody does.
    pub(super) fn move_log(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.is_moving.swap(true, SeqCst) {
            return;
        }
        let commits = Arc::clone(self);
        runtime.spawn(async move {
            let move_some = || {
                if let Err(error) =
                    block(|| checkpoint::move_some(&commits.path, &commits.read_locks))
                {
                    tracing::warn!("the log of a database cannot be moved into it: {error}");
                }
            };
            move_some();
            if let Ok(_turn) = commits.turn.take().await {
                move_some();
            }
            commits.is_moving.store(false, SeqCst);
        });
    }

    /// What is in the log is in the file afterwards, or durable where it is.
    fn sync(&self, is_doubted: bool) -> Result<(), Box<dyn Display>> {
        if is_doubted {
            return match checkpoint::try_checkpoint(&self.path, &self.read_locks) {
                Ok(true) => Ok(()),
                Ok(false) => Err(Box::new("others are using the database")),
                Err(error) => Err(Box::new(error)),
            };
        }
        match File::open(beside(&self.path, "-wal")).and_then(|log| log.sync_data()) {
            // The last connection has closed the file, and before that moved everything into it, durably.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome.map_err(|error| -> Box<dyn Display> { Box::new(error) }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_durable(failure: &str) -> Error {
    Error::new(
        ErrorKind::Sqlite(ffi::SQLITE_IOERR_FSYNC),
        format!(
            "SQLite error: disk I/O error: what was written last cannot be made durable: {failure}; it can be read, \
             and may be gone after a power failure. Look at the disk, and then at the data before you write it again"
        ),
    )
}

/// The right to ask the disk whether it has what is written, which one at a time has.
pub(super) struct Asking {
    commits: Arc<GroupCommit>,
    is_over: bool,
}

impl Asking {
    /// Asks. Blocks. What comes meanwhile is left to a thread of its own, so that nobody waits for those who come later.
    pub(super) fn ask(self) {
        if let Some(next) = self.once() {
            detach(move || next.go_on());
        }
    }

    /// Asks once. Keeps the right if there is more to ask for by then.
    fn once(mut self) -> Option<Self> {
        let commits = &self.commits;
        let until = commits.written.load(SeqCst);
        let is_doubted = commits.lock().is_doubted;
        let started = Instant::now();
        let failure = commits.sync(is_doubted).err().map(|failure| failure.to_string().into());
        let before = match failure {
            None => commits.durable.fetch_max(until, SeqCst),
            Some(_) => commits.durable.load(SeqCst),
        };
        {
            let mut disk = commits.lock();
            disk.is_doubted = failure.is_some();
            disk.commits = until.saturating_sub(before);
            disk.slowness.note(started.elapsed() > limits::QUICK_SYNC);
            // Under the lock: whoever has written since then finds that the disk is asked, or may ask it.
            disk.is_asked = commits.written.load(SeqCst) > until;
            self.is_over = !disk.is_asked;
        }
        commits.attempts.send_replace(Attempt { until, failure });
        (!self.is_over).then_some(self)
    }

    /// Asks as long as there is more.
    fn go_on(self) {
        let mut asking = Some(self);
        while let Some(this) = asking {
            asking = this.once();
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if !self.is_over {
            self.commits.lock().is_asked = false;
            // Whoever had the right has gone before he asked; others may rely on him.
            if let Some(asking) = self.commits.try_ask().filter(|_| !std::thread::panicking()) {
                detach(move || asking.go_on());
            }
        }
    }
}
