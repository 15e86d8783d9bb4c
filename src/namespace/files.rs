//! Where the files of the databases are, and how they come and go.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::spares::Spares;
use crate::error::{Error, Result};
use crate::limits;
use crate::sqlite;

/// The id of a new database. The CLI shows those with 16 as their sixth byte as databases of Turso's own kind, not as
/// SQLite.
pub(super) fn new_id() -> Uuid {
    loop {
        let id = Uuid::new_v4();
        if id.as_bytes()[5] != 16 {
            return id;
        }
    }
}

/// The directory with one file per database, called by its id, so that no name ever becomes a path.
pub(super) struct Files {
    directory: PathBuf,
    spares: Spares,
}

impl Files {
    pub(super) fn open(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)
            .map_err(|e| Error::internal(format!("create {}", directory.display()), e))?;
        Ok(Files { directory: directory.to_owned(), spares: Spares::new(directory) })
    }

    pub(super) fn path(&self, id: Uuid) -> PathBuf {
        self.directory.join(file_name(id))
    }

    /// Creates the file of an empty database, durably, or nothing. By which id it is called.
    pub(super) fn create(&self) -> Result<Uuid> {
        match self.spares.take() {
            Some(id) => Ok(id),
            None => {
                let id = new_id();
                self.make(id, sqlite::create_file).map(|()| id)
            }
        }
    }

    /// Files as large as an empty one that nobody has written to for long, and their ids.
    pub(super) fn empty_for_long(&self) -> Result<Vec<(Uuid, PathBuf)>> {
        let cannot_list = |error| Error::internal("list the database files", error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(cannot_list)? {
            let path = entry.map_err(cannot_list)?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let Some(id) = stem.and_then(|stem| Uuid::try_parse(stem).ok()) else { continue };
            let Ok(file) = fs::metadata(&path) else { continue };
            let age = file.modified().ok().and_then(|modified| modified.elapsed().ok());
            let is_old = age.is_some_and(|age| age > limits::LOST_FILE);
            if path == self.path(id) && is_old && file.len() <= sqlite::EMPTY_FILE_BYTES {
                found.push((id, path));
            }
        }
        Ok(found)
    }

    /// Creates the file of a database with what another one contains now, durably, or nothing.
    pub(super) fn copy(&self, from: Uuid, id: Uuid) -> Result<()> {
        self.make(id, |path| self.copy_to(from, path))
    }

    /// Makes another file with what a database contains now.
    pub(super) fn copy_to(&self, from: Uuid, path: &Path) -> Result<()> {
        sqlite::copy_file(&self.path(from), path)
    }

    /// Makes a file, which nobody has open, that of a database.
    pub(super) fn adopt(&self, from: &Path, id: Uuid) -> Result<()> {
        self.make(id, |path| rename(from, path))
    }

    /// Makes a file that is somebody else's, and stays so, that of a database.
    pub(super) fn take_over(&self, from: &Path, id: Uuid) -> Result<()> {
        self.make(id, |path| sqlite::take_over(from, path))
    }

    /// Whether nothing was ever created in a database.
    pub(super) fn is_empty(&self, id: Uuid) -> Result<bool> {
        sqlite::is_empty(&self.path(id))
    }

    /// What is wrong with the file of a database.
    pub(super) fn check(&self, id: Uuid) -> Result<Vec<String>> {
        sqlite::check_file(&self.path(id))
    }

    /// Making may take long; a file has its own name once it is whole, so that a crash leaves none that looks like
    /// somebody's database.
    fn make(&self, id: Uuid, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let unfinished = self.directory.join(format!("{id}.{UNFINISHED}"));
        let made = make(&unfinished)
            .and_then(|()| rename(&unfinished, &self.path(id)))
            .and_then(|()| self.sync_directory());
        if made.is_err() {
            remove_all(&unfinished)?;
            self.remove(id)?;
        }
        made
    }

    /// Removes what was being made when an earlier process came to its end.
    pub(super) fn remove_unfinished(&self) -> Result<()> {
        let cannot_look = |error| Error::internal("look for unfinished database files", error);
        for entry in fs::read_dir(&self.directory).map_err(cannot_look)? {
            let path = entry.map_err(cannot_look)?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if extension.is_some_and(|extension| extension.starts_with(UNFINISHED)) {
                fs::remove_file(&path).map_err(cannot_remove)?;
            }
        }
        Ok(())
    }

    /// What the files of a database take, in bytes.
    pub(super) fn size(&self, id: Uuid) -> u64 {
        let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        let path = self.path(id);
        size(&path) + size(&sqlite::beside(&path, "-wal"))
    }

    /// Removes the files of a database, as far as they are there, for good.
    pub(super) fn remove(&self, id: Uuid) -> Result<()> {
        remove_all(&self.path(id))?;
        self.sync_directory()
    }

    fn sync_directory(&self) -> Result<()> {
        sync_directory(&self.directory)
    }
}

/// How the names of files end that are being made; SQLite puts more behind it.
const UNFINISHED: &str = "new";

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| Error::internal(format!("move {}", from.display()), error))
}

/// Removes a database file and those that SQLite keeps beside it, as far as they are there.
fn remove_all(path: &Path) -> Result<()> {
    for suffix in ["-journal", "-shm", "-wal", ""] {
        match fs::remove_file(sqlite::beside(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(cannot_remove(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn cannot_remove(error: io::Error) -> Error {
    Error::internal("remove a database file", error)
}

/// What the file of a database is called.
pub(super) fn file_name(id: Uuid) -> String {
    format!("{id}.sqlite")
}

/// Makes it durable which files there are.
pub(super) fn sync_directory(directory: &Path) -> Result<()> {
    let directory = fs::File::open(directory);
    directory
        .and_then(|directory| directory.sync_all())
        .map_err(|e| Error::internal("make a new database file durable", e))
}

#[cfg(test)]
mod tests {
    use super::new_id;

    #[test]
    fn no_new_database_is_shown_as_one_of_another_kind() {
        assert!((0..10_000).all(|_| new_id().as_bytes()[5] != 16));
    }
}
