//! `kill -9` at any time, while clients write to all databases and migrate.

use std::net::SocketAddr;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use super::estate::{CHILDREN, Estate, SCHEMA, queries, query};
use crate::program::Program;

/// How long a client may take to be told of its first success.
const PATIENCE: Duration = Duration::from_secs(60);

/// Inserts a row, again and again, and returns those whose success was told.
fn write_until_killed(
    address: SocketAddr,
    name: &str,
    round: u64,
    first: &Sender<()>,
) -> Vec<String> {
    let mut told = Vec::new();
    for number in 0.. {
        let id = format!("{round}-{number}");
        let Ok(outcome) = query(address, name, &format!("INSERT INTO log VALUES ('{id}')")) else {
            break;
        };
        outcome.unwrap();
        told.push(id);
        if number == 0 {
            first.send(()).unwrap();
        }
    }
    told
}

/// Migrates again and again. How often the success was told.
fn migrate_until_killed(address: SocketAddr, round: u64, first: &Sender<()>) -> usize {
    let mut told = 0;
    loop {
        let add = format!("ALTER TABLE t ADD COLUMN c_{round}_{told}");
        let Ok(outcome) =
            queries(address, SCHEMA, &["BEGIN", "UPDATE t SET n = n + 1", &add, "COMMIT"])
        else {
            return told;
        };
        outcome.unwrap();
        told += 1;
        if told == 1 {
            first.send(()).unwrap();
        }
    }
}

#[test]
fn nothing_told_is_lost_or_done_twice_when_the_process_dies_among_writers_and_migrations() {
    const ROUNDS: usize = 4;
    let names: Vec<_> = CHILDREN.into_iter().chain(["other"]).collect();
    let estate = Estate::new();
    let (mut told, mut migrated) = (vec![Vec::new(); names.len()], 0);
    for round in 0..ROUNDS as u64 {
        let server = Program::start(&estate.data_dir());
        let address = server.address();
        let (first, firsts) = mpsc::channel();
        std::thread::scope(|scope| {
            let writers: Vec<_> = names
                .iter()
                .map(|name| {
                    let first = first.clone();
                    scope.spawn(move || write_until_killed(address, name, round, &first))
                })
                .collect();
            let migrating = scope.spawn(move || migrate_until_killed(address, round, &first));
            // All have been told of something then.
            (0..=names.len()).for_each(|_| firsts.recv_timeout(PATIENCE).unwrap());
            // Not the same moment in every round.
            std::thread::sleep(Duration::from_millis(50 + 90 * round));
            server.kill();
            for (told, writer) in told.iter_mut().zip(writers) {
                told.extend(writer.join().unwrap());
            }
            migrated += migrating.join().unwrap();
        });
    }
    assert!(migrated >= ROUNDS && told.iter().all(|told| told.len() >= ROUNDS));

    let server = Program::start(&estate.data_dir());
    let ask = |name: &str, sql| query(server.address(), name, sql).unwrap().unwrap();
    // Whoever comes next waits for what was going on.
    ask(SCHEMA, "CREATE TABLE next (a)");
    let columns = ask(SCHEMA, "SELECT count(*) - 2 FROM pragma_table_info('t')");
    let times: usize = columns.parse().unwrap();
    assert!((migrated..=migrated + ROUNDS).contains(&times), "{times} of {migrated}");
    estate.check(&server, times);
    for (name, told) in names.iter().zip(told) {
        let there = ask(name, "SELECT group_concat(id) FROM log");
        let there: std::collections::BTreeSet<_> = there.split(',').collect();
        for id in &told {
            assert!(there.contains(id.as_str()), "{name} has lost {id}");
        }
    }
}
