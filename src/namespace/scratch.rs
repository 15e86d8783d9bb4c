//! Files that are on their way: what is uploaded, what is sent, and databases that nobody sees yet.

use std::fs;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::data_dir::create_private_dir;
use crate::error::{Error, Result};
use crate::sqlite::beside;

/// A directory with nothing in it that anybody misses after a restart.
pub(super) struct Scratch {
    directory: PathBuf,
}

/// The place of one such file, which is removed when this is dropped.
pub struct ScratchFile {
    path: PathBuf,
}

impl Scratch {
    /// Empties the directory, or makes it.
    pub(super) fn open(directory: &Path) -> Result<Self> {
        let cannot_empty = |error| Error::internal(format!("empty {}", directory.display()), error);
        create_private_dir(directory)?;
        for left in fs::read_dir(directory).map_err(cannot_empty)? {
            fs::remove_file(left.map_err(cannot_empty)?.path()).map_err(cannot_empty)?;
        }
        Ok(Scratch { directory: directory.to_owned() })
    }

    /// A place where no file is yet.
    pub(super) fn file(&self) -> ScratchFile {
        ScratchFile { path: self.directory.join(Uuid::new_v4().to_string()) }
    }
}

impl ScratchFile {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file, which is for reading and writing.
    pub fn create(&self) -> Result<fs::File> {
        let mut options = fs::OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).open(&self.path);
        file.map_err(|error| Error::internal("create a temporary file", error))
    }

    /// Opens it for reading.
    pub fn open(&self) -> Result<fs::File> {
        fs::File::open(&self.path).map_err(|error| Error::internal("open a temporary file", error))
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            // Most are not there; what cannot be removed now is removed at the next start.
            let _ = fs::remove_file(beside(&self.path, suffix));
        }
    }
}
