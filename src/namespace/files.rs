//! Where the files of the databases are, and how they come and go.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::sqlite;

/// The directory with one file per database, called by its id, so that no name ever becomes a path.
pub(super) struct Files {
    directory: PathBuf,
}

impl Files {
    pub(super) fn open(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)
            .map_err(|e| Error::internal(format!("create {}", directory.display()), e))?;
        Ok(Files { directory: directory.to_owned() })
    }

    pub(super) fn path(&self, id: Uuid) -> PathBuf {
        self.directory.join(format!("{id}.sqlite"))
    }

    /// Creates the file of an empty database, durably, or nothing.
    pub(super) fn create(&self, id: Uuid) -> Result<()> {
        let path = self.path(id);
        let created = sqlite::create_file(&path).and_then(|()| self.sync_directory());
        if created.is_err() {
            self.remove(id)?;
        }
        created
    }

    /// Removes the files of a database, as far as they are there, for good.
    pub(super) fn remove(&self, id: Uuid) -> Result<()> {
        for suffix in ["-shm", "-wal", ""] {
            let mut path = OsString::from(self.path(id));
            path.push(suffix);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::internal("remove a database file", error));
                }
                _ => {}
            }
        }
        self.sync_directory()
    }

    fn sync_directory(&self) -> Result<()> {
        let directory = fs::File::open(&self.directory);
        directory
            .and_then(|directory| directory.sync_all())
            .map_err(|e| Error::internal("make a new database file durable", e))
    }
}
