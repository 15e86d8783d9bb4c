//! Database files that arrive in pieces, in any order, each perhaps more than once.

use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::scratch::ScratchFile;
use super::seeds::Seeds;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A file that is on its way.
pub struct Upload {
    /// The database that awaits it.
    database: Uuid,
    file: ScratchFile,
    opened: File,
    size: u64,
    arrived: Mutex<Arrived>,
    _place: OwnedSemaphorePermit,
}

struct Arrived {
    chunks: Vec<bool>,
    last: Instant,
}

impl Seeds {
    /// Expects a file of `size` bytes for a database; whatever of one has come before is forgotten.
    pub fn begin_upload(&self, database: Uuid, size: u64) -> Result<Uuid> {
        if size > limits::SEED_BYTES_MAX {
            let gibibytes = limits::SEED_BYTES_MAX / limits::GIB;
            let message = format!("a database of more than {gibibytes} GiB cannot be uploaded");
            return Err(Error::new(ErrorKind::BodyTooLarge, message));
        }
        let place = self.place()?;
        let file = self.scratch_file();
        let opened = file.create()?;
        let count =
            usize::try_from(size.div_ceil(limits::UPLOAD_CHUNK_BYTES)).unwrap_or(usize::MAX);
        let arrived = Arrived { chunks: vec![false; count], last: Instant::now() };
        let arrived = Mutex::new(arrived);
        let upload = Upload { database, file, opened, size, arrived, _place: place };
        let id = Uuid::new_v4();
        let mut uploads = self.lock_uploads();
        uploads.retain(|_, other| other.database != database);
        uploads.insert(id, Arc::new(upload));
        Ok(id)
    }

    /// The upload of this id, if it is for this database.
    pub fn upload(&self, id: &str, database: Uuid) -> Result<Arc<Upload>> {
        let upload = Uuid::try_parse(id).ok().and_then(|id| self.lock_uploads().get(&id).cloned());
        upload.filter(|upload| upload.database == database).ok_or_else(no_upload)
    }

    /// The whole file, after which the upload is not there any more.
    pub fn finish_upload(&self, id: &str, database: Uuid) -> Result<ScratchFile> {
        let upload = self.upload(id, database)?;
        upload.check()?;
        let mut uploads = self.lock_uploads();
        uploads.retain(|_, other| !Arc::ptr_eq(other, &upload));
        drop(uploads);
        Arc::into_inner(upload).map(|upload| upload.file).ok_or_else(|| {
            Error::bad_request("a chunk of the upload was still arriving; start again")
        })
    }

    /// Forgets files of which nothing has come for long.
    pub(super) fn sweep_uploads(&self, now: Instant) {
        let is_fresh =
            |upload: &Upload| now.saturating_duration_since(upload.lock().last) < limits::SEED_KEPT;
        let mut forgotten = Vec::new();
        self.lock_uploads().retain(|_, upload| {
            let is_fresh = is_fresh(upload);
            if !is_fresh {
                forgotten.push(Arc::clone(upload));
            }
            is_fresh
        });
    }
}

impl Upload {
    /// Where the bytes of a chunk, counted from 0, belong.
    pub fn place(&self, chunk: u64) -> Result<Range<u64>> {
        let start = chunk.saturating_mul(limits::UPLOAD_CHUNK_BYTES);
        if start >= self.size {
            return Err(Error::bad_request(format!("the upload has no chunk {chunk}")));
        }
        Ok(start..self.size.min(start + limits::UPLOAD_CHUNK_BYTES))
    }

    pub fn file(&self) -> &File {
        &self.opened
    }

    /// Notes that all of a chunk is in the file.
    pub fn note(&self, chunk: u64) {
        let mut arrived = self.lock();
        arrived.last = Instant::now();
        if let Some(has) = usize::try_from(chunk).ok().and_then(|i| arrived.chunks.get_mut(i)) {
            *has = true;
        }
    }

    /// Fails unless all is there.
    fn check(&self) -> Result<()> {
        match self.lock().chunks.iter().position(|has| !has) {
            None => Ok(()),
            Some(chunk) => Err(Error::bad_request(format!(
                "the upload is not whole: chunk {chunk} has not arrived"
            ))),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_upload() -> Error {
    Error::new(ErrorKind::NotFound, "there is no such upload of this database; start again")
}
