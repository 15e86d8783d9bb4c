//! What a stream can observe of its connection besides the data: `last_insert_rowid()`, `changes()` and
//! `total_changes()`.
//!
//! Connections are shared by streams one after the other. Each stream must see only its own history: none
//! at first, and the same as before when it comes back from being parked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

use rusqlite::functions::{Context, FunctionFlags};

use super::statement::{self, Counters};
use crate::error::{Error, Result};

/// The history of a stream that has no connection at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SavedSession(Counters);

impl SavedSession {
    /// That of a stream which has done nothing yet.
    pub const NEW: SavedSession =
        SavedSession(Counters { last_insert_rowid: 0, changes: 0, total_changes: 0 });
}

pub(super) struct Session(Arc<State>);

#[derive(Default)]
struct State {
    /// Whether this stream has changed anything since it got the connection.
    has_written: AtomicBool,
    /// What `changes()` was when the stream left its former connection.
    changes: AtomicI64,
    /// What to add to the connection's `total_changes()`.
    total_offset: AtomicI64,
}

impl Session {
    /// Replaces the two functions of SQLite that tell about the connection's past.
    pub(super) fn install(db: &rusqlite::Connection) -> Result<Self> {
        let state = Arc::new(State::default());
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        let (for_changes, for_total) = (Arc::clone(&state), Arc::clone(&state));
        db.create_scalar_function(c"changes", 0, flags, move |context: &mut Context<'_>| {
            Ok(for_changes.changes(current(context)?))
        })
        .and_then(|()| {
            db.create_scalar_function(
                c"total_changes",
                0,
                flags,
                move |context: &mut Context<'_>| Ok(for_total.total_changes(current(context)?)),
            )
        })
        .map_err(|error| Error::internal("prepare a connection", error))?;
        Ok(Session(state))
    }

    /// Gives the connection to a stream with this history.
    pub(super) fn begin(&self, db: &rusqlite::Connection, saved: SavedSession) {
        statement::set_last_insert_rowid(db, saved.0.last_insert_rowid);
        let total = statement::counters(db).total_changes;
        self.0.has_written.store(false, Relaxed);
        self.0.changes.store(saved.0.changes, Relaxed);
        self.0.total_offset.store(saved.0.total_changes - total, Relaxed);
    }

    /// To be called before a statement that may change something runs.
    pub(super) fn note_write(&self) {
        self.0.has_written.store(true, Relaxed);
    }

    pub(super) fn save(&self, db: &rusqlite::Connection) -> SavedSession {
        let counters = statement::counters(db);
        SavedSession(Counters {
            last_insert_rowid: counters.last_insert_rowid,
            changes: self.0.changes(counters),
            total_changes: self.0.total_changes(counters),
        })
    }
}

impl State {
    fn changes(&self, counters: Counters) -> i64 {
        if self.has_written.load(Relaxed) { counters.changes } else { self.changes.load(Relaxed) }
    }

    fn total_changes(&self, counters: Counters) -> i64 {
        counters.total_changes + self.total_offset.load(Relaxed)
    }
}

#[expect(unsafe_code, reason = "a function reaches its connection only through a raw handle")]
fn current(context: &Context<'_>) -> rusqlite::Result<Counters> {
    // SAFETY: the reference is used only while the function runs, on the connection's own thread.
    let db = unsafe { context.get_connection()? };
    Ok(statement::counters(&db))
}
