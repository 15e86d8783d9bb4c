//! Databases that come into being: one after the other, as tenants sign up, and as copies of a large one.

use std::time::Instant;

use crate::api::{Api, Role};
use crate::args::{Extent, RunArgs, Scenario};
use crate::client::{self, Client};
use crate::report::{Report, Unit};
use crate::server::{Kind, Server};
use crate::statements::statement;
use crate::{Result, say};

/// Mebibytes of the database that is copied, in a run that is no smoke test.
const COPIED_MEBIBYTES: u32 = 100;

pub(crate) async fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    if args.wants(Scenario::CreateDatabase) {
        measure_creating(args, extent, report).await?;
    }
    if args.wants(Scenario::CopyDatabase) {
        measure_copying(args, extent, report).await?;
    }
    Ok(())
}

/// Empty databases through the API that each server has for it; the floor has none.
async fn measure_creating(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut servers = Vec::new();
    for kind in Kind::all(args).filter(|kind| *kind != Kind::Floor) {
        let place = directory.path().join(kind.name());
        servers.push((Server::start_with_admin(kind, args, &place).await?, place));
    }
    for round in 1..=extent.rounds {
        say(&mut std::io::stderr(), &format!("creating, round {round} of {}", extent.rounds));
        for (server, place) in &servers {
            let api = Api::of(server, place)?;
            let mut client = Client::connect(api.address).await?;
            let requests: Vec<_> = (0..extent.databases)
                .map(|index| api.create(&format!("round-{round}-{index}"), Role::Plain))
                .collect();
            let (started, mut times) = (Instant::now(), Vec::new());
            for request in &requests {
                let asked = Instant::now();
                client.ask(request).await?;
                times.push(asked.elapsed());
            }
            let per_second = requests.len() as f64 / started.elapsed().as_secs_f64();
            times.sort_unstable();
            report.add("create_database", Unit::PerSecond, server.kind, per_second);
            report.add_times("create_database", server.kind, &times);
        }
    }
    Ok(())
}

/// The copy of a large database; libsql-server's API copies none.
async fn measure_copying(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let server = Server::start(Kind::Hranad, args, directory.path()).await?;
    let api = Api::of(&server, directory.path())?;
    let mut client = Client::connect(server.address).await?;
    client.ask(&api.create("large", Role::Plain)).await?;
    let mebibytes = if args.smoke { 1 } else { COPIED_MEBIBYTES };
    let mut fill = vec!["CREATE TABLE blobs (id INTEGER PRIMARY KEY, data BLOB)".to_owned()];
    fill.extend((0..mebibytes).map(|_| {
        "INSERT INTO blobs (data) SELECT randomblob(1000) FROM \
         (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1024) SELECT i FROM n)"
            .to_owned()
    }));
    for sql in fill {
        client.ask(&client::execute(server.address, "/db/large", &statement(&sql, None))).await?;
    }
    for round in 1..=extent.rounds {
        say(&mut std::io::stderr(), &format!("copying, round {round} of {}", extent.rounds));
        let request = api.create(&format!("copy-{round}"), Role::CopyOf("large"));
        let asked = Instant::now();
        client.ask(&request).await?;
        let millis = asked.elapsed().as_secs_f64() * 1e3;
        report.add(&format!("copy_database, {mebibytes} MiB"), Unit::Millis, Kind::Hranad, millis);
    }
    Ok(())
}
