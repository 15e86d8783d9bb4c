//! What new databases are made of, until they are: dumps and files that were uploaded, and who may work on one.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use uuid::Uuid;

use super::scratch::{Scratch, ScratchFile};
use super::uploads::Upload;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

pub struct Seeds {
    scratch: Scratch,
    /// Dumps and files that may be here at once, half uploaded ones too.
    places: Arc<Semaphore>,
    dumps: Mutex<HashMap<Uuid, Kept>>,
    uploads: Mutex<HashMap<Uuid, Arc<Upload>>>,
    /// Files that may be read or written at once.
    workers: Arc<Semaphore>,
}

/// A dump or a file that is there, or coming.
pub struct UploadedSeed {
    pub file: ScratchFile,
    _place: OwnedSemaphorePermit,
}

struct Kept {
    dump: UploadedSeed,
    /// The token it was uploaded with.
    owner: Option<Uuid>,
    since: Instant,
}

impl Seeds {
    /// Whatever an earlier process has left is removed.
    pub fn open(data_dir: &Path) -> Result<Self> {
        Ok(Seeds {
            scratch: Scratch::open(&data_dir.join("scratch"))?,
            places: Arc::new(Semaphore::new(limits::SEEDS_KEPT_MAX)),
            dumps: Mutex::default(),
            uploads: Mutex::default(),
            workers: Arc::new(Semaphore::new(limits::SEEDS_AT_ONCE)),
        })
    }

    /// A place for a file that is removed when nobody needs it any more.
    pub fn scratch_file(&self) -> ScratchFile {
        self.scratch.file()
    }

    /// A place for something that is about to be uploaded.
    pub fn begin_seed(&self) -> Result<UploadedSeed> {
        Ok(UploadedSeed { _place: self.place()?, file: self.scratch.file() })
    }

    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Error::new(
                ErrorKind::Overloaded,
                "as many dumps and files have been uploaded as the server keeps; create databases of them, or \
                 try again later",
            )
        })
    }

    /// Keeps a dump for the one who has uploaded it. The id is all that it is called by.
    pub fn keep_dump(&self, dump: UploadedSeed, owner: Option<Uuid>) -> Uuid {
        let id = Uuid::new_v4();
        self.lock().insert(id, Kept { dump, owner, since: Instant::now() });
        id
    }

    /// Gives a dump to the one who has uploaded it, once.
    pub fn take_dump(&self, id: Uuid, owner: Option<Uuid>) -> Result<UploadedSeed> {
        let mut dumps = self.lock();
        let is_own = dumps.get(&id).is_some_and(|kept| kept.owner == owner);
        let kept = if is_own { dumps.remove(&id) } else { None };
        kept.map(|kept| kept.dump).ok_or_else(|| {
            Error::bad_request(format!(
                "seed: this dump is not there; one that was uploaded can be used once, within {} minutes, with \
                 the same token",
                limits::SEED_KEPT.as_secs() / 60
            ))
        })
    }

    /// Waits until there may be one more who reads or writes a whole database.
    pub async fn work(&self) -> Result<OwnedSemaphorePermit> {
        match timeout(limits::ADMISSION_WAIT, Arc::clone(&self.workers).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::new(
                ErrorKind::Overloaded,
                "the server is reading and writing as many whole databases as it may; try again later",
            )),
        }
    }

    /// Forgets dumps that nobody came for.
    pub fn sweep(&self, now: Instant) {
        let is_fresh = |kept: &Kept| now.duration_since(kept.since) < limits::SEED_KEPT;
        let forgotten: Vec<_> = self.lock().extract_if(|_, kept| !is_fresh(kept)).collect();
        drop(forgotten);
        self.sweep_uploads(now);
    }

    pub(super) fn lock_uploads(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Upload>>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Kept>> {
        self.dumps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tempfile::TempDir;
    use uuid::Uuid;

    use super::Seeds;
    use crate::limits;

    #[test]
    fn a_dump_is_for_its_owner_once_and_for_a_while() {
        let directory = TempDir::new().unwrap();
        let seeds = Seeds::open(directory.path()).unwrap();
        let files = || std::fs::read_dir(directory.path().join("scratch")).unwrap().count();
        let upload = |owner| {
            let dump = seeds.begin_seed().unwrap();
            dump.file.create().unwrap();
            seeds.keep_dump(dump, owner)
        };
        let (own, other) = (Some(Uuid::new_v4()), Some(Uuid::new_v4()));
        let id = upload(own);
        for stranger in [other, None] {
            assert!(seeds.take_dump(id, stranger).is_err());
        }
        let dump = seeds.take_dump(id, own).unwrap();
        assert!(seeds.take_dump(id, own).is_err());
        assert_eq!(files(), 1);
        drop(dump);
        assert_eq!(files(), 0);

        let id = upload(None);
        seeds.sweep(Instant::now());
        assert_eq!(files(), 1);
        seeds.sweep(Instant::now() + limits::SEED_KEPT);
        assert_eq!(files(), 0);
        assert!(seeds.take_dump(id, None).is_err());

        upload(own);
        drop(seeds);
        std::fs::write(directory.path().join("scratch/left"), "by a crash").unwrap();
        Seeds::open(directory.path()).unwrap();
        assert_eq!(files(), 0);
    }

    #[test]
    fn there_are_places_for_some_dumps() {
        let directory = TempDir::new().unwrap();
        let seeds = Seeds::open(directory.path()).unwrap();
        let dumps: Vec<_> =
            (0..limits::SEEDS_KEPT_MAX).map(|_| seeds.begin_seed().unwrap()).collect();
        assert!(seeds.begin_seed().is_err());
        drop(dumps);
        seeds.begin_seed().unwrap();
    }
}
