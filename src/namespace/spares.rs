//! Empty files made ahead, so that creating a database waits for the disk once, for its row in the catalog.
//!
//! A file is durable before it is a spare. Spares are for those who create one database after the other: the first
//! create makes its file itself. What a crash leaves is found by `Namespaces::remove_lost_spares`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::files::{self, file_name};
use crate::error::Result;
use crate::limits;
use crate::sqlite;

pub(super) struct Spares(Arc<State>);

struct State {
    directory: PathBuf,
    ready: Mutex<Ready>,
}

#[derive(Default)]
struct Ready {
    /// The ids that the files are called by.
    ids: Vec<Uuid>,
    is_wanted: bool,
    is_being_filled: bool,
    is_closed: bool,
}

impl Spares {
    pub(super) fn new(directory: &Path) -> Self {
        Spares(Arc::new(State { directory: directory.to_owned(), ready: Mutex::default() }))
    }

    /// The id of a file that is there and durable, if there is one. More are made meanwhile.
    pub(super) fn take(&self) -> Option<Uuid> {
        let mut ready = self.0.lock();
        let id = ready.ids.pop();
        let is_wanted = std::mem::replace(&mut ready.is_wanted, true);
        let is_short = ready.ids.len() < limits::SPARE_FILES / 2;
        let fills = is_wanted && is_short && !ready.is_being_filled;
        ready.is_being_filled |= fills;
        drop(ready);
        if fills {
            let state = Arc::clone(&self.0);
            sqlite::detach(move || state.fill());
        }
        id
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes as many files as are missing.
    fn fill(&self) {
        loop {
            let missing = limits::SPARE_FILES / 2;
            let made: Vec<_> = (0..missing).map_while(|_| self.make()).collect();
            let is_durable = files::sync_directory(&self.directory).is_ok();
            let mut ready = self.lock();
            if !is_durable || ready.is_closed || made.len() < missing {
                // Whoever creates a database will meet what is wrong, and tell of it.
                ready.is_being_filled = false;
                drop(ready);
                self.remove(&made);
                return;
            }
            ready.ids.extend(made);
            if ready.ids.len() > limits::SPARE_FILES / 2 {
                ready.is_being_filled = false;
                return;
            }
        }
    }

    fn make(&self) -> Option<Uuid> {
        let id = files::new_id();
        let path = self.directory.join(file_name(id));
        match sqlite::create_file(&path) {
            Ok(()) => Some(id),
            Err(_) => {
                let _ = fs::remove_file(path);
                None
            }
        }
    }

    fn remove(&self, ids: &[Uuid]) {
        for id in ids {
            let _ = fs::remove_file(self.directory.join(file_name(*id)));
        }
    }
}

impl Drop for Spares {
    fn drop(&mut self) {
        let mut ready = self.0.lock();
        ready.is_closed = true;
        let left = std::mem::take(&mut ready.ids);
        drop(ready);
        self.0.remove(&left);
    }
}

impl super::Namespaces {
    /// Removes empty files that no database has, if nobody can be about to make one of them. Blocks.
    pub fn remove_lost_spares(&self) -> Result<()> {
        for (id, path) in self.files.empty_for_long()? {
            if !self.catalog.has_id(id)? && sqlite::is_empty(&path)? {
                self.files.remove(id)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use super::Spares;
    use crate::limits;

    #[test]
    fn each_is_given_out_once_and_none_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let files = || std::fs::read_dir(directory.path()).unwrap().count();
        let spares = Spares::new(directory.path());
        assert!(spares.take().is_none());
        assert_eq!(files(), 0, "nobody has shown to create more than one");
        let taken = Mutex::new(HashSet::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..limits::SPARE_FILES * 3 {
                        if let Some(id) = spares.take() {
                            assert!(taken.lock().unwrap().insert(id), "{id} twice");
                            assert!(directory.path().join(super::file_name(id)).exists());
                        }
                    }
                });
            }
        });
        let taken = taken.into_inner().unwrap().len();
        assert!(taken > 0);
        assert!(files() <= taken + limits::SPARE_FILES);
        drop(spares);
        assert_eq!(files(), taken);
    }
}
