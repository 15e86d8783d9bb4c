//! Read locks that are kept: who sees what, and in whose way they are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rusqlite::Connection;
use tempfile::TempDir;

use super::file::{create_file, open_file};
use super::read_locks::ReadLocks;
use crate::limits;

/// A database without anything in it, which is there as long as its directory.
fn create() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a.sqlite");
    create_file(&path).unwrap();
    (directory, path)
}

/// A connection as tenants have it.
fn join(locks: &ReadLocks, path: &Path) -> Connection {
    let db = open_file(path).unwrap();
    locks.join(&db).unwrap();
    db
}

fn count(db: &Connection) -> i64 {
    db.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
}

/// Moves the log into the file and empties it. Whether that went to the end.
fn truncate(db: &Connection) -> bool {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).unwrap() == 0
}

fn kept(locks: &ReadLocks) -> Vec<i32> {
    locks.lock().kept.iter().map(|kept| kept.slot).collect()
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
fn the_newest_state_is_read_under_an_older_mark() {
    let (_directory, path) = create();
    let locks = ReadLocks::default();
    let (reader, writer) = (join(&locks, &path), join(&locks, &path));
    writer.execute_batch("PRAGMA synchronous = OFF; CREATE TABLE t (a);").unwrap();
    let (started, mut marked) = (Instant::now(), HashSet::new());
    for written in 1..=2_000 {
        writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert_eq!(count(&reader), written);
        marked.insert(locks.lock().marked);
    }
    let bound = started.elapsed().div_duration_f64(limits::READ_MARK_AGE) as usize + 2;
    assert!(marked.len() <= bound, "{} marks, where {bound} would do", marked.len());
    // A mark is in nobody's way unless it is in use, and then only what is behind it.
    let checkpoints = locks.open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM t;").unwrap();
    writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    assert!(!truncate(&checkpoints));
    assert_eq!((count(&reader), count(&writer)), (2_000, 2_001));
    reader.execute_batch("COMMIT").unwrap();
    assert!(truncate(&checkpoints));
    assert_eq!(count(&reader), 2_001);
}

/// The mark of a lock that is always in use stays as it is; then another one has to be set.
#[test]
fn an_old_mark_does_not_stay_because_somebody_always_reads() {
    let (_directory, path) = create();
    let locks = ReadLocks::default();
    let (readers, writer) = ([join(&locks, &path), join(&locks, &path)], join(&locks, &path));
    writer.execute_batch("CREATE TABLE t (a)").unwrap();
    let checkpoints = locks.open(&path).unwrap();
    for number in 0..20 {
        // One of them begins before the other one ends.
        let [one, other] = &readers;
        let (begins, ends) = if number % 2 == 0 { (one, other) } else { (other, one) };
        writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        begins.execute_batch("BEGIN; SELECT * FROM t;").unwrap();
        if !ends.is_autocommit() {
            ends.execute_batch("COMMIT").unwrap();
        }
        std::thread::sleep(limits::READ_MARK_AGE);
    }
    let row = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
    let left = checkpoints.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], row).unwrap();
    assert!(left <= 4, "{left} pages of the log cannot be moved into the file");
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
                let reader = join(&locks, path);
                let mut last = 0;
                while last < 300 {
                    let now = count(&reader);
                    assert!(now >= last, "{now} after {last}");
                    last = now;
                }
            });
        }
        scope.spawn(|| {
            let writer = join(&locks, path);
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
