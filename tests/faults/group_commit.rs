//! Many clients that write one database share the wait for the disk. Between what they write and that wait the power
//! fails, or the disk does.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use super::estate::{Estate, queries, query};
use super::points::{Death, arm, doomed, passed};
use crate::program::Program;

const DATABASE: &str = "other";

/// Clients that write, in two manners.
const WRITERS: u32 = 6;

const READERS: u32 = 2;

/// How often the disk is waited for until the power fails.
const SYNCS: usize = 12;

type Ids = BTreeSet<u32>;

/// Writes and reads from many sides until the server has gone. What clients were told is written, and what they saw.
fn use_until_it_dies(server: &Program) -> (Ids, Ids) {
    let (address, next) = (server.address(), AtomicU32::new(1));
    let write = |writer: u32| {
        let mut told = Ids::new();
        loop {
            let id = next.fetch_add(1, Relaxed);
            let insert = format!("INSERT INTO log VALUES ({id})");
            let sqls: &[&str] = match writer % 2 {
                0 => &[&insert],
                _ => &["BEGIN", &insert, "COMMIT"],
            };
            let Ok(outcome) = queries(address, DATABASE, sqls) else { return told };
            outcome.unwrap();
            told.insert(id);
        }
    };
    let read = || {
        let mut seen = Ids::new();
        while let Ok(ids) = ids(address) {
            seen.extend(ids);
        }
        seen
    };
    thread::scope(|scope| {
        let write = &write;
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
        let told = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        (told, readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect())
    })
}

fn ids(address: SocketAddr) -> io::Result<Ids> {
    let rows = query(address, DATABASE, "SELECT id FROM log")?.unwrap();
    Ok(rows.split(',').filter_map(|id| id.parse().ok()).collect())
}

/// The disk fails once, or from then on.
fn with_broken_disk(estate: &Estate, times: &str) -> Program {
    let mut program = doomed(estate, Death { kind: "sync", at: 1 });
    program.env("FAULT_ERROR", times);
    let server = Program::run(program);
    // SQLite itself syncs the head of a new log.
    query(server.address(), DATABASE, "INSERT INTO log VALUES (6)").unwrap().unwrap();
    arm(estate);
    server
}

#[test]
fn what_was_told_or_shown_survives_a_power_failure_before_each_wait_for_the_disk() {
    for at in 1..=SYNCS {
        let estate = Estate::new();
        let server = Program::run(doomed(&estate, Death { kind: "sync", at }));
        arm(&estate);
        let (told, seen) = use_until_it_dies(&server);
        server.kill();
        assert_eq!(passed(&estate).len(), at);
        estate.lose(|_| true);
        let server = Program::start(&estate.data_dir());
        let left = ids(server.address()).unwrap();
        assert!(told.is_subset(&left), "{at}: of {told:?} there are {left:?}");
        assert!(seen.is_subset(&left), "{at}: {seen:?} were seen, there are {left:?}");
    }
}

#[test]
fn a_disk_that_fails_once_loses_nothing() {
    let estate = Estate::new();
    let server = with_broken_disk(&estate, "once");
    query(server.address(), DATABASE, "INSERT INTO log VALUES (7)").unwrap().unwrap();
    assert!(passed(&estate).len() > 1, "the disk was not asked again");
    server.kill();
    estate.lose(|_| true);
    let server = Program::start(&estate.data_dir());
    assert_eq!(ids(server.address()).unwrap(), Ids::from([6, 7]));
}

#[test]
fn nothing_is_told_and_nothing_shown_that_the_disk_does_not_take() {
    let estate = Estate::new();
    let server = with_broken_disk(&estate, "ever");
    let ask = |name, sql| query(server.address(), name, sql).unwrap();
    for sql in ["INSERT INTO log VALUES (7)", "SELECT id FROM log"] {
        let refusal = ask(DATABASE, sql).unwrap_err();
        assert_eq!(refusal.code, "SQLITE_IOERR", "{sql}: {refusal:?}");
        assert!(refusal.message.contains("cannot be made durable"), "{sql}: {refusal:?}");
    }
    // Others have nothing to wait for.
    assert_eq!(ask("c1", "SELECT count(*) FROM t"), Ok("2".to_owned()));
    // The disk works again.
    std::fs::remove_file(estate.points()).unwrap();
    assert_eq!(ask(DATABASE, "SELECT id FROM log"), Ok("6,7".to_owned()));
    assert_eq!(ask(DATABASE, "INSERT INTO log VALUES (8)"), Ok(String::new()));
    assert_eq!(ids(server.address()).unwrap(), Ids::from([6, 7, 8]));
}
