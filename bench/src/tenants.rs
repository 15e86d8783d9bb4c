//! Many databases: what the first query of each costs after a restart of hranad, in time and in memory.
//!
//! *Cold* means that the process has neither the catalog's entry nor the file open; the operating system
//! may have the pages.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::args::{Extent, RunArgs, Scenario};
use crate::client::{self, Client};
use crate::report::{Report, Unit};
use crate::server::{Kind, Server};
use crate::statements::statement;
use crate::{Result, say};

pub(crate) const SCHEMA: [&str; 2] = [
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    "INSERT INTO items (name) VALUES ('the only item')",
];

pub(crate) const QUERY: &str = "SELECT id, name FROM items WHERE id = 1";

/// Creates the databases, then restarts hranad and asks each of them once, in every round.
pub(crate) async fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    let (times, memory) = (args.wants(Scenario::ColdOpen), args.wants(Scenario::IdleMemory));
    if !times && !memory {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    say(&mut std::io::stderr(), &format!("creating {} databases", extent.databases));
    create(args, directory.path(), extent.databases).await?;
    for round in 1..=extent.rounds {
        say(&mut std::io::stderr(), &format!("databases, round {round} of {}", extent.rounds));
        let (mut opened, kib) = open_all(args, directory.path(), extent.databases).await?;
        opened.sort_unstable();
        if times {
            report.add_times("cold_open", Kind::Hranad, &opened);
        }
        if memory {
            report.add("idle_memory", Unit::KibPerDatabase, Kind::Hranad, kib);
        }
    }
    Ok(())
}

async fn create(args: &RunArgs, directory: &Path, count: u32) -> Result<()> {
    let server = Server::start(Kind::Hranad, args, directory).await?;
    let address = server.address;
    let token = std::fs::read_to_string(directory.join("api-token"))?;
    let authorization = format!("authorization: Bearer {}\r\n", token.trim());
    let mut client = Client::connect(address).await?;
    for index in 0..count {
        let body = format!("{{\"name\":\"{}\",\"group\":\"default\"}}", name(index));
        client.ask(&client::post(address, "/v1/databases", &authorization, &body)).await?;
        for sql in SCHEMA {
            let prefix = format!("/db/{}", name(index));
            client.ask(&client::execute(address, &prefix, &statement(sql, None))).await?;
        }
    }
    Ok(())
}

/// The time of the first query of each database, and the memory that each has cost, in KiB.
async fn open_all(args: &RunArgs, directory: &Path, count: u32) -> Result<(Vec<Duration>, f64)> {
    let server = Server::start(Kind::Hranad, args, directory).await?;
    let mut client = Client::connect(server.address).await?;
    // What a process allocates once is no database's cost.
    let warm_up = client::execute(server.address, "", &statement("SELECT 1", None));
    for _ in 0..100 {
        client.ask(&warm_up).await?;
    }
    let query = statement(QUERY, None);
    let requests: Vec<_> = (0..count)
        .map(|index| client::execute(server.address, &format!("/db/{}", name(index)), &query))
        .collect();
    let before = server.resident_kib()?;
    let mut times = Vec::with_capacity(requests.len());
    for request in &requests {
        let asked = Instant::now();
        client.ask(request).await?;
        times.push(asked.elapsed());
    }
    let grown = server.resident_kib()?.saturating_sub(before);
    Ok((times, grown as f64 / f64::from(count)))
}

fn name(index: u32) -> String {
    format!("tenant-{index}")
}
