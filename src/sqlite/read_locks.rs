//! Read locks that outlive their transactions.
//!
//! A reader takes a shared lock on one of five bytes of the index of the write-ahead log, and gives it back when it is
//! done (`sqlite.org/walformat.html`, "WAL Locks"): two calls of the system, which are a tenth of what a point read
//! costs. The next reader mostly wants the same lock. So a connection keeps the lock it had, as if it were still reading,
//! which at worst makes others wait who want it exclusively: to note a newer state for readers, to move the log into the
//! file, to begin the log anew. Where they are of this process it is given back at once; programs outside see a reader
//! that goes when nothing more is read, with the next [`ReadLocks::give_back`].
//!
//! With the lock goes a mark, up to where the log may be moved into the file while the lock is held. A reader who finds
//! that there is more in the log takes the lock exclusively to set the mark anew, which needs four calls of the system.
//! It need not: told that it cannot have it, it reads the newest state all the same. So it is told so, but for a few times
//! in a second.
//!
//! SQLite asks for locks through the methods of the file, so what is put in their place here is `xShmLock`, and
//! `xShmUnmap`, after which there must not be a lock any more (`sqlite.org/c3ref/io_methods.html`).

#![expect(unsafe_code, reason = "SQLite locks files through a table of C functions")]

use std::ffi::{c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::ffi;

use super::file::open_file;
use crate::error::{Error, Result};
use crate::limits;

/// The locks that connections to one file keep. All connections of this process should share them: who does not, only
/// waits longer for a lock.
#[derive(Clone, Default)]
pub(super) struct ReadLocks(Arc<Mutex<Locks>>);

#[derive(Default)]
pub(super) struct Locks {
    pub(super) kept: Vec<Kept>,
    /// When a mark was set last.
    pub(super) marked: Option<Instant>,
}

/// A lock that SQLite believes to have given back. A file has at most one.
pub(super) struct Kept {
    file: *mut ffi::sqlite3_file,
    pub(super) slot: c_int,
    lock: ShmLock,
}

// SAFETY: the file is of a connection that does not lock anything meanwhile: whatever it does to its locks, it does under
// the mutex around this, see `ReadLocks`. SQLite's own mutex guards what files share.
unsafe impl Send for Kept {}

type ShmLock = unsafe extern "C" fn(*mut ffi::sqlite3_file, c_int, c_int, c_int) -> c_int;
type ShmUnmap = unsafe extern "C" fn(*mut ffi::sqlite3_file, c_int) -> c_int;
type Close = unsafe extern "C" fn(*mut ffi::sqlite3_file) -> c_int;

/// The methods of a file with ours among them, and the ones they stand for.
#[repr(C)]
struct Methods {
    /// First, as a file refers to this.
    table: ffi::sqlite3_io_methods,
    lock: ShmLock,
    unmap: ShmUnmap,
    close: Close,
    locks: ReadLocks,
    /// Whether it may be told that it cannot set a mark.
    is_patient: bool,
}

/// The first byte that readers lock, those who need nothing of the log. Bytes before it are for writers and for
/// checkpoints; those behind it have marks.
const FIRST_SLOT: c_int = 3;

const TAKE_SHARED: c_int = ffi::SQLITE_SHM_LOCK | ffi::SQLITE_SHM_SHARED;
const GIVE_SHARED: c_int = ffi::SQLITE_SHM_UNLOCK | ffi::SQLITE_SHM_SHARED;
const TAKE_EXCLUSIVE: c_int = ffi::SQLITE_SHM_LOCK | ffi::SQLITE_SHM_EXCLUSIVE;

impl ReadLocks {
    /// Opens a connection for the server itself that shares the locks.
    pub(super) fn open(&self, path: &Path) -> Result<rusqlite::Connection> {
        let db = open_file(path)?;
        self.join_as(&db, false)?;
        Ok(db)
    }

    /// Lets a connection keep its locks from now on. It must not be reading, and moves no log into the file.
    pub(super) fn join(&self, db: &rusqlite::Connection) -> Result<()> {
        self.join_as(db, true)
    }

    fn join_as(&self, db: &rusqlite::Connection, is_patient: bool) -> Result<()> {
        let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
        // SAFETY: the connection is open; this operation stores a pointer to where it is told to.
        let code = unsafe {
            let place: *mut c_void = ptr::from_mut(&mut file).cast();
            ffi::sqlite3_file_control(
                db.handle(),
                c"main".as_ptr(),
                ffi::SQLITE_FCNTL_FILE_POINTER,
                place,
            )
        };
        if code != ffi::SQLITE_OK || file.is_null() {
            return Err(Error::internal("find the file of a connection", format!("code {code}")));
        }
        // SAFETY: an open file has methods, which live at least as long as it is open.
        let table = unsafe { &*(*file).pMethods };
        let (Some(lock), Some(unmap), Some(close)) =
            (table.xShmLock, table.xShmUnmap, table.xClose)
        else {
            return Err(Error::internal("keep read locks", "the file has none"));
        };
        let mut ours = *table;
        ours.xShmLock = Some(shm_lock);
        ours.xShmUnmap = Some(shm_unmap);
        ours.xClose = Some(close_file);
        let methods = Methods { table: ours, lock, unmap, close, locks: self.clone(), is_patient };
        // SAFETY: the file is open and only this thread uses its connection. `close_file` drops the methods, as nobody
        // asks a closed file.
        unsafe { (*file).pMethods = Box::into_raw(Box::new(methods)).cast() };
        Ok(())
    }

    /// Gives back all locks that are kept and not in use.
    pub(super) fn give_back(&self) {
        self.lock().kept.drain(..).for_each(Kept::give_back);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Locks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn give_back(self) {
        // SAFETY: the file is open as long as it has a lock (see `shm_unmap`), and has this one. Under the mutex.
        unsafe { (self.lock)(self.file, self.slot, 1, GIVE_SHARED) };
    }
}

impl Locks {
    /// Takes out what a file keeps.
    fn take_out(&mut self, file: *mut ffi::sqlite3_file) -> Option<Kept> {
        let index = self.kept.iter().position(|kept| ptr::eq(kept.file, file))?;
        Some(self.kept.swap_remove(index))
    }

    /// Whether a file has a mark that is new enough.
    fn has_mark(&self, file: *mut ffi::sqlite3_file) -> bool {
        // While the lock is kept nobody else sets its mark, and the log does not begin anew.
        let keeps_one =
            self.kept.iter().any(|own| ptr::eq(own.file, file) && own.slot > FIRST_SLOT);
        keeps_one && self.marked.is_some_and(|then| then.elapsed() < limits::READ_MARK_AGE)
    }
}

/// The methods that [`ReadLocks::join`] has given to the file.
///
/// # Safety
///
/// The file must be one that has joined, and open.
unsafe fn methods<'a>(file: *mut ffi::sqlite3_file) -> &'a Methods {
    // SAFETY: what the file refers to is the first field of this.
    unsafe { &*(*file).pMethods.cast() }
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    slot: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite calls this for files that are open and have these methods.
    let methods = unsafe { methods(file) };
    let mut locks = methods.locks.lock();
    let sets_mark = flags == TAKE_EXCLUSIVE && count == 1 && slot > FIRST_SLOT;
    match flags {
        TAKE_SHARED => {
            if let Some(own) = locks.take_out(file) {
                if own.slot == slot {
                    return ffi::SQLITE_OK;
                }
                own.give_back();
            }
        }
        GIVE_SHARED if slot >= FIRST_SLOT => {
            locks.kept.push(Kept { file, slot, lock: methods.lock });
            return ffi::SQLITE_OK;
        }
        TAKE_EXCLUSIVE => {
            if sets_mark && methods.is_patient && locks.has_mark(file) {
                return ffi::SQLITE_BUSY;
            }
            let wanted = slot..slot.saturating_add(count);
            let given_back = locks.kept.extract_if(.., |kept| wanted.contains(&kept.slot));
            given_back.for_each(Kept::give_back);
        }
        _ => {}
    }
    // SAFETY: as SQLite has called this. Under the mutex, as `Kept::give_back` is.
    let code = unsafe { (methods.lock)(file, slot, count, flags) };
    if sets_mark && code == ffi::SQLITE_OK {
        locks.marked = Some(Instant::now());
    }
    code
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: see `shm_lock`.
    let methods = unsafe { methods(file) };
    if let Some(own) = methods.locks.lock().take_out(file) {
        own.give_back();
    }
    // SAFETY: as SQLite has called this.
    unsafe { (methods.unmap)(file, delete) }
}

unsafe extern "C" fn close_file(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: made by `join` for this file alone, which SQLite asks nothing more.
    let methods: Box<Methods> = unsafe { Box::from_raw((*file).pMethods.cast_mut().cast()) };
    // SAFETY: as SQLite has called this.
    unsafe { (methods.close)(file) }
}
