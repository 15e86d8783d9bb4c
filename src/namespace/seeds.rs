//! What new databases are made of, until they are: dumps that were uploaded, and who may work on one.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use uuid::Uuid;

use super::scratch::{Scratch, ScratchFile};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

pub struct Seeds {
    scratch: Scratch,
    /// Dumps that may be here at once, half uploaded ones too.
    places: Arc<Semaphore>,
    dumps: Mutex<HashMap<Uuid, Kept>>,
    /// Files that may be read or written at once.
    workers: Arc<Semaphore>,
}

/// A dump that is there, or coming.
pub struct UploadedDump {
    pub file: ScratchFile,
    _place: OwnedSemaphorePermit,
}

struct Kept {
    dump: UploadedDump,
    /// The token it was uploaded with.
    owner: Option<Uuid>,
    since: Instant,
}

impl Seeds {
    /// Whatever an earlier process has left is removed.
    pub fn open(data_dir: &Path) -> Result<Self> {
        Ok(Seeds {
            scratch: Scratch::open(&data_dir.join("scratch"))?,
            places: Arc::new(Semaphore::new(limits::DUMPS_KEPT_MAX)),
            dumps: Mutex::default(),
            workers: Arc::new(Semaphore::new(limits::SEEDS_AT_ONCE)),
        })
    }

    /// A place for a file that is removed when nobody needs it any more.
    pub fn scratch_file(&self) -> ScratchFile {
        self.scratch.file()
    }

    /// A place for a dump that is about to be uploaded.
    pub fn begin_dump(&self) -> Result<UploadedDump> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Error::new(
                ErrorKind::Overloaded,
                "as many dumps have been uploaded as the server keeps; create databases of them, or try \
                 again later",
            )
        })?;
        Ok(UploadedDump { file: self.scratch.file(), _place: place })
    }

    /// Keeps a dump for the one who has uploaded it. The id is all that it is called by.
    pub fn keep_dump(&self, dump: UploadedDump, owner: Option<Uuid>) -> Uuid {
        let id = Uuid::new_v4();
        self.lock().insert(id, Kept { dump, owner, since: Instant::now() });
        id
    }

    /// Gives a dump to the one who has uploaded it, once.
    pub fn take_dump(&self, id: Uuid, owner: Option<Uuid>) -> Result<UploadedDump> {
        let mut dumps = self.lock();
        let is_own = dumps.get(&id).is_some_and(|kept| kept.owner == owner);
        let kept = if is_own { dumps.remove(&id) } else { None };
        kept.map(|kept| kept.dump).ok_or_else(|| {
            Error::bad_request(format!(
                "seed: this dump is not there; one that was uploaded can be used once, within {} minutes, with \
                 the same token",
                limits::DUMP_KEPT.as_secs() / 60
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
        let is_fresh = |kept: &Kept| now.duration_since(kept.since) < limits::DUMP_KEPT;
        let forgotten: Vec<_> = self.lock().extract_if(|_, kept| !is_fresh(kept)).collect();
        drop(forgotten);
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
            let dump = seeds.begin_dump().unwrap();
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
        seeds.sweep(Instant::now() + limits::DUMP_KEPT);
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
            (0..limits::DUMPS_KEPT_MAX).map(|_| seeds.begin_dump().unwrap()).collect();
        assert!(seeds.begin_dump().is_err());
        drop(dumps);
        seeds.begin_dump().unwrap();
    }
}
