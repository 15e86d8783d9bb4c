//! `kill -9`, and a power failure, at every point of a migration at which something reaches the disk.
//!
//! Whatever the point: afterwards the job goes on by itself, and every child has made the change exactly once.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::panic::catch_unwind;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::estate::{CHILDREN, Estate, MIGRATION, SCHEMA, queries, query};
use super::points::{Death, arm, doomed, passed};
use crate::program::Program;

/// The least that is committed: five databases; the job, its dry runs, that it runs, its end.
const COMMITS: usize = 5 + 4;

/// The least that is synced: the job, its dry runs, that it runs, its children together, the schema database, its end.
const SYNCS: usize = 6;

/// Migrates in a program that dies on the way. Whether its end was told.
pub(super) fn migrate_until(estate: &Estate, death: Death) -> bool {
    let server = Program::run(doomed(estate, death));
    // One child is in use, the others are not.
    query(server.address(), CHILDREN[0], "UPDATE t SET n = n").unwrap().unwrap();
    arm(estate);
    let answer = queries(server.address(), SCHEMA, &MIGRATION);
    server.kill();
    match answer {
        Ok(outcome) => outcome.map(|_| true).unwrap(),
        Err(_) => false,
    }
}

/// Runs the program until it dies, from its start on; or until it has nothing left to do.
fn resume_until(estate: &Estate, death: Death) {
    arm(estate);
    let mut child =
        doomed(estate, death).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(60), "the job does not go on");
        if estate.catalog().unfinished_jobs().unwrap().is_empty() {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Starts the program again, and checks that all goes on as if nothing had happened.
fn check_after(estate: &Estate, was_told: bool) {
    let jobs = estate.catalog().jobs(None, i64::MAX, 100).unwrap();
    let is_stored = jobs.len() > Estate::JOBS;
    assert!(is_stored || !was_told);
    let server = Program::start(&estate.data_dir());
    // It waits for the one before, and is refused if that does not go on.
    query(server.address(), SCHEMA, "CREATE TABLE next (a)").unwrap().unwrap();
    estate.check(&server, usize::from(is_stored));
    let columns = query(server.address(), SCHEMA, "SELECT count(*) FROM pragma_table_info('t')");
    assert_eq!(columns.unwrap().unwrap(), if is_stored { "3" } else { "2" });
}

/// What becomes of what was written and is not durable.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// The process dies, the system does not.
    Nothing,
    /// The power fails: it is lost.
    Everything,
    /// The power fails, and some files had come to the disk by then; which, is different for each number.
    Some(u64),
}

/// How many points of a kind a migration has.
fn count(kind: &'static str) -> usize {
    let estate = Estate::new();
    assert!(migrate_until(&estate, Death { kind, at: 0 }));
    check_after(&estate, true);
    passed(&estate).len()
}

/// Kills the program at one point after the other, each time with data of its own. How often it was reached.
fn kill_at_each(loss: Loss, deaths: impl Iterator<Item = Vec<Death>>) -> usize {
    let mut reached = 0;
    for deaths in deaths {
        let estate = Estate::new();
        let was_told = migrate_until(&estate, deaths[0]);
        // Another thread may have passed the next point while this one died at its own.
        reached += usize::from(passed(&estate).len() >= deaths[0].at);
        for death in &deaths[1..] {
            resume_until(&estate, *death);
        }
        match loss {
            Loss::Nothing => {}
            Loss::Everything => estate.lose(|_| true),
            Loss::Some(number) => estate.lose(|file| hash(&(number, deaths[0].at, file)) % 2 == 0),
        }
        let outcome = catch_unwind(|| check_after(&estate, was_told));
        assert!(outcome.is_ok(), "{loss:?}, {deaths:?}: killed at {:?}", passed(&estate).last());
    }
    reached
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn kill_at_each_of(kind: &'static str, loss: Loss, least: usize) {
    let count = count(kind);
    // How many there are depends a little on who is faster.
    let reached = kill_at_each(loss, (1..=count).map(|at| vec![Death { kind, at }]));
    assert!(reached >= least, "{reached} of {count}");
}

#[test]
fn a_migration_goes_on_after_kill_9_at_each_commit() {
    kill_at_each_of("commit", Loss::Nothing, COMMITS);
}

#[test]
fn a_migration_goes_on_after_kill_9_at_each_sync() {
    kill_at_each_of("sync", Loss::Nothing, SYNCS);
}

#[test]
fn a_migration_goes_on_after_the_power_has_failed_at_each_commit() {
    kill_at_each_of("commit", Loss::Everything, COMMITS);
}

#[test]
fn a_migration_goes_on_after_the_power_has_failed_at_each_sync() {
    kill_at_each_of("sync", Loss::Everything, SYNCS);
    kill_at_each_of("sync", Loss::Some(1), SYNCS);
}

#[test]
#[ignore = "takes a minute"]
fn a_migration_goes_on_after_kill_9_at_each_change_of_a_file() {
    kill_at_each_of("any", Loss::Nothing, 60);
}

#[test]
fn a_migration_goes_on_after_kill_9_while_it_goes_on() {
    let kind = "commit";
    let deaths = |first| {
        let again = if first % 4 == 0 { vec![1, 1] } else { vec![2] };
        [first].into_iter().chain(again).map(|at| Death { kind, at }).collect()
    };
    assert!(kill_at_each(Loss::Nothing, (2..count(kind)).step_by(2).map(deaths)) >= 3);
}
