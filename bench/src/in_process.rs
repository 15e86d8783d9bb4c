//! SQLite in this process, without a server: what no server can be faster than.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::args::{Extent, RunArgs, Scenario};
use crate::report::{Report, Unit};
use crate::server::Kind;
use crate::statements::{ITEMS, SCHEMA};
use crate::{Result, floor, say};

const READ: &str = "SELECT id, name FROM items WHERE id = ?";
const INSERT: &str = "INSERT INTO notes (body) VALUES ('a note of some forty bytes, as they are')";

/// Inserts in one transaction, where a server commits several clients' at once.
const GROUP: u32 = 32;

/// The numbers stand in the column of the floor.
pub(crate) fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    if !args.wants(Scenario::InProcess) {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let connection = floor::open(&directory.path().join("data"))?;
    for sql in SCHEMA {
        connection.execute_batch(sql)?;
    }
    check(&connection)?;
    for round in 1..=extent.rounds {
        say(&mut std::io::stderr(), &format!("in process, round {round} of {}", extent.rounds));
        let per_second = read(&connection, extent.length)?;
        report.add("in_process, point read", Unit::PerSecond, Kind::Floor, per_second);
        for (name, level) in [("FULL", 2.0), ("NORMAL", 1.0)] {
            connection.execute_batch(&format!("PRAGMA synchronous = {name}"))?;
            for group in [1, GROUP] {
                let row = format!("in_process, {group} inserts per transaction, {name}");
                let per_second = insert(&connection, group, extent.length)?;
                report.add(&row, Unit::PerSecond, Kind::Floor, per_second);
                report.add(&row, Unit::Synchronous, Kind::Floor, level);
            }
        }
    }
    Ok(())
}

fn check(connection: &Connection) -> Result<()> {
    let name: String = connection.query_row(READ, [1], |row| row.get(1))?;
    if name == "the name of item 1" { Ok(()) } else { Err(format!("item 1 is {name}").into()) }
}

fn read(connection: &Connection, length: Duration) -> Result<f64> {
    let mut statement = connection.prepare(READ)?;
    let mut index = 0;
    per_second(length, 1, || {
        index = (index + 7919) % ITEMS;
        let _name: String = statement.query_row([index as i64 + 1], |row| row.get(1))?;
        Ok(())
    })
}

fn insert(connection: &Connection, group: u32, length: Duration) -> Result<f64> {
    let mut statement = connection.prepare(INSERT)?;
    per_second(length, group, || {
        let transaction = if group > 1 { Some(connection.unchecked_transaction()?) } else { None };
        for _ in 0..group {
            statement.execute([])?;
        }
        transaction.map_or(Ok(()), |transaction| Ok(transaction.commit()?))
    })
}

/// How many things are done in a second by work that does `each` at once.
fn per_second(length: Duration, each: u32, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    let mut done = 0;
    while started.elapsed() < length {
        work()?;
        done += each;
    }
    Ok(f64::from(done) / started.elapsed().as_secs_f64())
}
