//! Read locks that outlive their transactions.
//!
//! A reader takes a shared lock on one of five bytes of the index of the write-ahead log, and gives it back when it is
//! done (`sqlite.org/walformat.html`, "WAL Locks"): two calls of the system, which are a tenth of what a point read
//! costs. The next reader mostly wants the same lock. So a connection keeps the lock it had, as if it were still reading,
//! which at worst makes others wait who want it exclusively: to note a newer state for readers, to move the log into the
//! file, to begin the log anew. Where they are of this process it is given back at once; programs outside see a reader
//! that goes when nothing more is read, with the next [`ReadLocks::give_back`].
//!
//! SQLite asks for locks through the methods of the file, so what is put in their place here is `xShmLock`, and
//! `xShmUnmap`, after which there must not be a lock any more (`sqlite.org/c3ref/io_methods.html`).

#![expect(unsafe_code, reason = "SQLite locks files through a table of C functions")]

use std::ffi::{c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use super::file::open_file;
use crate::error::{Error, Result};

/// The locks that connections to one file keep. All connections of this process should share them: who does not, only
/// waits longer for a lock.
#[derive(Clone, Default)]
pub(super) struct ReadLocks(Arc<Mutex<Vec<Kept>>>);

/// A lock that SQLite believes to have given back. A file has at most one.
struct Kept {
    file: *mut ffi::sqlite3_file,
    slot: c_int,
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
}

/// The first byte that readers lock; those before it are for writers and for checkpoints.
const FIRST_SLOT: c_int = 3;

const TAKE_SHARED: c_int = ffi::SQLITE_SHM_LOCK | ffi::SQLITE_SHM_SHARED;
const GIVE_SHARED: c_int = ffi::SQLITE_SHM_UNLOCK | ffi::SQLITE_SHM_SHARED;
const TAKE_EXCLUSIVE: c_int = ffi::SQLITE_SHM_LOCK | ffi::SQLITE_SHM_EXCLUSIVE;

impl ReadLocks {
    /// Opens a connection for the server itself that shares the locks.
    pub(super) fn open(&self, path: &Path) -> Result<rusqlite::Connection> {
        let db = open_file(path)?;
        self.join(&db)?;
        Ok(db)
    }

    /// Lets a connection keep its locks from now on. It must not be reading.
    pub(super) fn join(&self, db: &rusqlite::Connection) -> Result<()> {
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
        let methods = Methods { table: ours, lock, unmap, close, locks: self.clone() };
        // SAFETY: the file is open and only this thread uses its connection. `close_file` drops the methods, as nobody
        // asks a closed file.
        unsafe { (*file).pMethods = Box::into_raw(Box::new(methods)).cast() };
        Ok(())
    }

    /// Gives back all locks that are kept and not in use.
    pub(super) fn give_back(&self) {
        self.lock().drain(..).for_each(Kept::give_back);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn give_back(self) {
        // SAFETY: the file is open as long as it has a lock (see `shm_unmap`), and has this one. Under the mutex.
        unsafe { (self.lock)(self.file, self.slot, 1, GIVE_SHARED) };
    }
}

/// Takes out what a file keeps.
fn take_out(kept: &mut Vec<Kept>, file: *mut ffi::sqlite3_file) -> Option<Kept> {
    let index = kept.iter().position(|kept| ptr::eq(kept.file, file))?;
    Some(kept.swap_remove(index))
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
    let mut kept = methods.locks.lock();
    match flags {
        TAKE_SHARED => {
            if let Some(own) = take_out(&mut kept, file) {
                if own.slot == slot {
                    return ffi::SQLITE_OK;
                }
                own.give_back();
            }
        }
        GIVE_SHARED if slot >= FIRST_SLOT => {
            kept.push(Kept { file, slot, lock: methods.lock });
            return ffi::SQLITE_OK;
        }
        TAKE_EXCLUSIVE => {
            let wanted = slot..slot.saturating_add(count);
            kept.extract_if(.., |kept| wanted.contains(&kept.slot)).for_each(Kept::give_back);
        }
        _ => {}
    }
    // SAFETY: as SQLite has called this. Under the mutex, as `Kept::give_back` is.
    unsafe { (methods.lock)(file, slot, count, flags) }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: see `shm_lock`.
    let methods = unsafe { methods(file) };
    if let Some(own) = take_out(&mut methods.locks.lock(), file) {
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use rusqlite::Connection;
    use tempfile::TempDir;

    use super::super::file::create_file;
    use super::ReadLocks;

    /// A database without anything in it, which is there as long as its directory.
    fn create() -> (TempDir, PathBuf) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("a.sqlite");
        create_file(&path).unwrap();
        (directory, path)
    }

    fn count(db: &Connection) -> i64 {
        db.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    /// Moves the log into the file and empties it. Whether that went to the end.
    fn truncate(db: &Connection) -> bool {
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).unwrap()
            == 0
    }

    fn kept(locks: &ReadLocks) -> Vec<i32> {
        locks.lock().iter().map(|kept| kept.slot).collect()
    }

    #[test]
    fn a_lock_is_kept_until_somebody_wants_it() {
        let (_directory, path) = create();
        let locks = ReadLocks::default();
        let (reader, writer) = (locks.open(&path).unwrap(), locks.open(&path).unwrap());
        writer.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1);").unwrap();
        assert_eq!(count(&reader), 1);
        // The writer's was in the way of the reader, who noted the newer state where the other had read.
        let before = kept(&locks);
        assert_eq!(before.len(), 1);
        assert_eq!(count(&reader), 1);
        assert_eq!(kept(&locks), before);
        // Newer states are seen, and noted where others read them.
        for written in 2..20 {
            writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
            assert_eq!(count(&reader), written);
        }
        // What is kept is in nobody's way, what is in use is.
        assert!(truncate(&writer));
        assert_eq!(count(&reader), 19);
        writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM t;").unwrap();
        writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert!(!truncate(&writer));
        assert_eq!(count(&reader), 20);
        reader.execute_batch("COMMIT").unwrap();
        assert!(truncate(&writer));
        assert_eq!(count(&reader), 21);
        drop(reader);
        drop(writer);
        assert!(kept(&locks).is_empty());
        let again = locks.open(&path).unwrap();
        assert_eq!(count(&again), 21);
    }

    #[test]
    fn many_read_write_and_checkpoint_at_once() {
        let (_directory, path) = create();
        let locks = ReadLocks::default();
        locks.open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let path = path.as_path();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let reader = locks.open(path).unwrap();
                    let mut last = 0;
                    while last < 300 {
                        let now = count(&reader);
                        assert!(now >= last, "{now} after {last}");
                        last = now;
                    }
                });
            }
            scope.spawn(|| {
                let writer = locks.open(path).unwrap();
                writer.execute_batch("PRAGMA synchronous = OFF").unwrap();
                let checkpoints = locks.open(path).unwrap();
                for number in 0..300 {
                    writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
                    if number % 10 == 0 {
                        truncate(&checkpoints);
                    }
                }
            });
        });
        assert!(kept(&locks).is_empty());
        assert!(truncate(&locks.open(path).unwrap()));
    }

    #[test]
    fn a_program_outside_waits_until_locks_are_given_back() {
        let (_directory, path) = create();
        let locks = ReadLocks::default();
        let db = locks.open(&path).unwrap();
        db.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1);").unwrap();
        assert_eq!(count(&db), 1);
        let outside = || {
            let script = "import sqlite3, sys\n\
                          db = sqlite3.connect(sys.argv[1], timeout=0)\n\
                          db.execute('INSERT INTO t VALUES (1)'); db.commit()\n\
                          print(db.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchone()[0])";
            let told = Command::new("python3").args(["-c", script]).arg(&path).output().unwrap();
            assert!(told.status.success(), "{told:?}");
            String::from_utf8(told.stdout).unwrap().trim() == "0"
        };
        assert!(!outside(), "it writes, but its checkpoint finds a reader");
        locks.give_back();
        assert!(outside());
        assert_eq!(count(&db), 3);
    }
}
