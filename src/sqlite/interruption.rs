//! Stopping a statement: after its time, or when nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rusqlite::ffi;

use super::threads::leave_runtime;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Asks a running statement to stop; may be used from any thread, at any time.
#[derive(Clone)]
pub struct Interruption(Arc<State>);

struct State {
    epoch: Instant,
    /// In nanoseconds since `epoch`.
    deadline: AtomicU64,
    /// When the statement is to give the place of its thread in the runtime away; likewise.
    room_from: AtomicU64,
    cancelled: AtomicBool,
    /// The statement is past the point at which it could be taken back.
    has_committed: AtomicBool,
    /// How often SQLite has looked since the statement began or went on.
    looks: AtomicU32,
}

impl Interruption {
    /// Makes SQLite look every so often whether the statement that runs on `db` shall stop.
    pub(super) fn install(db: &mut rusqlite::Connection) -> Result<Self> {
        let state = Arc::new(State {
            epoch: Instant::now(),
            deadline: AtomicU64::new(u64::MAX),
            room_from: AtomicU64::new(u64::MAX),
            cancelled: AtomicBool::new(false),
            has_committed: AtomicBool::new(false),
            looks: AtomicU32::new(0),
        });
        let watched = Arc::clone(&state);
        db.progress_handler(limits::PROGRESS_OPERATIONS, Some(move || watched.is_over()))
            .map_err(|error| Error::internal("watch over statements", error))?;
        Ok(Interruption(state))
    }

    /// Lets the connection run for `time`, and forgets an earlier cancellation of another stream.
    pub(super) fn allow(&self, time: Duration) {
        self.allow_from(Instant::now(), time);
    }

    /// The same for who knows what time it is.
    pub(super) fn allow_from(&self, now: Instant, time: Duration) {
        self.0.deadline.store(self.0.nanos(now).saturating_add(nanos(time)), Relaxed);
        self.0.room_from.store(u64::MAX, Relaxed);
        self.0.has_committed.store(false, Relaxed);
        self.0.looks.store(0, Relaxed);
    }

    /// The connection is on a thread that others need, which goes on without it if it still runs by then.
    pub(super) fn make_room_from(&self, then: Instant) {
        self.0.room_from.store(self.0.nanos(then), Relaxed);
    }

    /// Leaves the running statement alone from now on: it commits. SQLite looks once more when it has, and would report
    /// a statement as interrupted that has been carried out.
    pub(super) fn spare(&self) {
        self.0.has_committed.store(true, Relaxed);
    }

    /// Makes the running statement, and all that come after it, fail: the client has gone.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Relaxed)
    }

    /// Gives SQLite's "interrupted" its reason.
    pub(super) fn explain(&self, error: Error, limit: Duration) -> Error {
        if !matches!(error.kind(), ErrorKind::Sqlite(code) if code & 0xff == ffi::SQLITE_INTERRUPT)
        {
            return error;
        }
        let message = if self.is_cancelled() {
            "the statement was stopped because its client disconnected".to_owned()
        } else {
            format!(
                "the statement ran longer than {} s and was stopped; make it do less at a time, or \
                 raise --statement-timeout",
                limit.as_secs_f64()
            )
        };
        Error::new(ErrorKind::StatementTimeout, message)
    }
}

impl State {
    fn is_over(&self) -> bool {
        if self.has_committed.load(Relaxed) {
            return false;
        }
        // Only one thread looks.
        let looks = self.looks.load(Relaxed).wrapping_add(1);
        self.looks.store(looks, Relaxed);
        if looks.is_multiple_of(limits::LOOKS_PER_YIELD) {
            std::thread::yield_now();
        }
        let now = self.nanos(Instant::now());
        if now >= self.room_from.load(Relaxed) {
            // Once more after a while, in case nobody comes now.
            let again = nanos(limits::REPLACEMENT_WAIT * 50);
            self.room_from.store(now.saturating_add(again), Relaxed);
            leave_runtime();
        }
        self.cancelled.load(Relaxed) || now >= self.deadline.load(Relaxed)
    }

    fn nanos(&self, time: Instant) -> u64 {
        nanos(time.saturating_duration_since(self.epoch))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
