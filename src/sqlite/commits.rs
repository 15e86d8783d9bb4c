//! What a connection knows of the commits of its database, and what it does about them: see [`GroupCommit`].

#![expect(unsafe_code, reason = "how long the log is, SQLite tells a C function only")]

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI32,
    Ordering::{Relaxed, SeqCst},
};

use rusqlite::ffi;

use super::connection::Connection;
use super::group_commit::GroupCommit;
use crate::error::{Error, Result};
use crate::limits;

pub(super) struct Commits {
    group: Arc<GroupCommit>,
    own: Arc<Own>,
    /// Those up to this number may have been seen.
    seen: u64,
}

/// What SQLite says of the connection's own commits.
#[derive(Default)]
struct Own {
    /// One has begun that is not noted.
    has_begun: AtomicBool,
    /// How many pages the log has since the last one.
    pages: AtomicI32,
}

impl Commits {
    /// To be called where a statement has ended, while whoever has written has the turn.
    pub(super) fn note(&mut self) {
        if self.own.has_begun.swap(false, SeqCst) {
            self.group.written.fetch_add(1, SeqCst);
            if self.own.pages.load(Relaxed) >= limits::LOG_PAGES {
                self.group.move_log();
            }
        }
        self.seen = self.group.begun.load(SeqCst);
    }
}

impl Drop for Commits {
    fn drop(&mut self) {
        // Not noted after a panic only. There may be somebody who has seen it, and waits.
        if self.own.has_begun.load(SeqCst) {
            self.note();
            drop(self.group.try_ask());
        }
    }
}

impl Connection {
    /// Shares the wait for the disk with all other connections of the database.
    pub(super) fn join_commits(&mut self, group: &Arc<GroupCommit>) -> Result<()> {
        let own = Arc::new(Own::default());
        let (counted, commits) = (Arc::clone(&own), Arc::clone(group));
        let interruption = self.interruption().clone();
        // SQLite calls it right before others can see the commit.
        let hook = move || {
            interruption.spare();
            if !counted.has_begun.swap(true, SeqCst) {
                commits.begun.fetch_add(1, SeqCst);
            }
            false
        };
        let set = || {
            self.db.commit_hook(Some(hook))?;
            self.db.execute_batch("PRAGMA synchronous = NORMAL")?;
            // It takes the place of the hook by which SQLite itself would checkpoint, in the middle of a commit.
            // SAFETY: `own` lives longer than the connection, which is closed before `commits` is dropped.
            unsafe {
                ffi::sqlite3_wal_hook(self.db.handle(), Some(note_pages), Arc::as_ptr(&own) as _);
            }
            Ok(())
        };
        self.regulator
            .trust(set)
            .map_err(|error: rusqlite::Error| Error::internal("prepare a connection", error))?;
        self.commits = Some(Commits { group: Arc::clone(group), own, seen: 0 });
        Ok(())
    }

    /// Makes durable what is committed, unless somebody does. Blocks.
    pub(super) fn sync_commits(&self) {
        if let Some(asking) = self.commits.as_ref().and_then(|commits| commits.group.try_ask()) {
            asking.ask();
        }
    }

    /// What has to be durable before anybody is told what was done on this connection.
    pub fn commits_seen(&self) -> u64 {
        match &self.commits {
            // A statement that is not at its end may see more than the one before.
            Some(commits) if self.active.is_some() => commits.group.begun.load(SeqCst),
            Some(commits) => commits.seen,
            None => 0,
        }
    }
}

/// Called by SQLite after a commit (`sqlite.org/c3ref/wal_hook.html`).
unsafe extern "C" fn note_pages(
    own: *mut c_void,
    _: *mut ffi::sqlite3,
    _: *const c_char,
    pages: c_int,
) -> c_int {
    // SAFETY: it was given to SQLite as a pointer to `Own`, together with this function.
    let own = unsafe { &*own.cast::<Own>() };
    own.pages.store(pages, Relaxed);
    ffi::SQLITE_OK
}
