//! When what migrations change becomes durable: with each commit, or for many databases at once.
//!
//! A thousand children are a thousand logs, and as many waits for the disk, in which all others who write take part.
//! One `syncfs(2)` costs about as much as a few of these.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::connection::Connection;
use super::file::beside;
use crate::error::{Error, Result};

/// When what a migration has changed is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// With its commit.
    AtOnce,
    /// After [`sync_together`]. Until then nobody else may write, and nothing be told of it.
    Later,
}

impl Durability {
    /// Whether this system can make files durable together.
    pub const CAN_BE_LATER: bool = cfg!(target_os = "linux");
}

/// Makes durable what was committed to the databases at these paths.
pub fn sync_together<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let mut synced = HashSet::new();
    for path in paths {
        let mut sync = || -> io::Result<()> {
            let file = fs::File::open(path)?;
            // They are on one file system, unless their owner has moved some elsewhere.
            if synced.insert(file.metadata()?.dev()) { sync_file_system(&file) } else { Ok(()) }
        };
        sync().map_err(|error| Error::internal("make migrations durable", error))?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn sync_file_system(file: &fs::File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(file)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_file: &fs::File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Connection {
    pub(super) fn begin_migration(&mut self, durability: Durability) -> Result<()> {
        if durability == Durability::Later {
            let is_empty = self.has_empty_log();
            self.leave_durability(is_empty)?;
            self.transact("BEGIN IMMEDIATE")?;
            // Only another process can have written meanwhile, and from now on not even that.
            if !is_empty || self.has_empty_log() {
                return Ok(());
            }
            self.transact("ROLLBACK")?;
            self.leave_durability(false)?;
        }
        self.transact("BEGIN IMMEDIATE")
    }

    /// Has SQLite leave it to others when commits become durable. Where a log has old frames its new head is still
    /// synced before what follows (`NORMAL`): after a power failure they would be taken for frames of the new log. A
    /// log that was empty is what its checksums say, in whatever order it comes to the disk (`OFF`). A checkpoint
    /// relies on the log being durable, and is left to connections that see to that.
    fn leave_durability(&mut self, has_empty_log: bool) -> Result<()> {
        let level = if has_empty_log { "OFF" } else { "NORMAL" };
        let set = format!("PRAGMA synchronous = {level}; PRAGMA wal_autocheckpoint = 0;");
        self.regulator
            .trust(|| self.db.execute_batch(&set))
            .map_err(|error| Error::internal("prepare a migration", error))
    }

    fn has_empty_log(&self) -> bool {
        let Some(path) = self.db.path() else { return false };
        match fs::metadata(beside(Path::new(path), "-wal")) {
            Ok(log) => log.len() == 0,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}
