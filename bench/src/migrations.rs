//! Schema migrations: one change over many children, what it costs others meanwhile, and what the same commits cost in a
//! bare loop.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::api::{Api, Role};
use crate::args::{Extent, RunArgs, Scenario};
use crate::client::{self, Client};
use crate::driver::quantile;
use crate::report::{Report, Unit, micros};
use crate::server::{Kind, Server};
use crate::statements::statement;
use crate::{Result, floor, say};

const TABLE: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL)";
const INSERT: &str = "INSERT INTO items (name) VALUES ('an item')";

/// How long the writers are measured without a migration.
const ALONE: Duration = Duration::from_secs(1);

pub(crate) async fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    if args.wants(Scenario::Migrate) {
        for kind in Kind::all(args) {
            let directory = tempfile::tempdir()?;
            if kind == Kind::Floor {
                measure_floor(directory.path(), extent, report)?;
            } else {
                measure_server(kind, args, directory.path(), extent, report).await?;
            }
        }
    }
    if args.wants(Scenario::MigrateCold) {
        measure_cold(args, extent, report).await?;
    }
    Ok(())
}

/// One more column in all children, while others write: a child, and a database outside the schema.
async fn measure_server(
    kind: Kind,
    args: &RunArgs,
    directory: &Path,
    extent: Extent,
    report: &mut Report,
) -> Result<()> {
    let server = Server::start_with_admin(kind, args, directory).await?;
    prepare(&server, directory, extent.databases).await?;
    let name = format!("migrate, {} children", extent.databases);
    for round in 1..=extent.rounds {
        say(&mut std::io::stderr(), &format!("migrations, round {round} of {}", extent.rounds));
        let alone = write_until(&server, "outside", tokio::time::sleep(ALONE)).await?;
        report.add(&format!("{name}: writer outside, alone"), Unit::P99Micros, kind, p99(alone));
        let (millis, outside, inside) = migrate(&server, round).await?;
        report.add(&name, Unit::Millis, kind, millis);
        report.add(&format!("{name}: writer outside"), Unit::P99Micros, kind, p99(outside));
        let longest = inside.into_iter().max().unwrap_or_default().as_secs_f64() * 1e3;
        report.add(
            &format!("{name}: longest wait of a writer inside"),
            Unit::Millis,
            kind,
            longest,
        );
        let mebibytes = server.resident_mebibytes()?;
        report.add(&format!("{name}: memory"), Unit::Mebibytes, kind, mebibytes);
    }
    Ok(())
}

/// A schema with so many children, and a database beside it.
pub(crate) async fn prepare(server: &Server, directory: &Path, children: u32) -> Result<()> {
    say(&mut std::io::stderr(), &format!("{}: creating {children} children", server.kind.name()));
    let api = Api::of(server, directory)?;
    let mut client = Client::connect(api.address).await?;
    client.ask(&api.create("schema", Role::Schema)).await?;
    client.ask(&api.create("outside", Role::Plain)).await?;
    for database in ["schema", "outside"] {
        execute(server, database, TABLE).await?;
    }
    for index in 0..children {
        client.ask(&api.create(&child(index), Role::ChildOf("schema"))).await?;
    }
    Ok(())
}

fn child(index: u32) -> String {
    format!("child-{index}")
}

/// Milliseconds of a migration, and the latencies of writers outside and inside of the schema meanwhile. (On
/// libsql-server a writer inside is refused; its latencies are empty then.)
async fn migrate(server: &Server, round: u32) -> Result<(f64, Vec<Duration>, Vec<Duration>)> {
    let (done, waiting) = tokio::sync::watch::channel(false);
    let wait = || {
        let mut waiting = waiting.clone();
        async move {
            let _ = waiting.wait_for(|done| *done).await;
        }
    };
    let change = async {
        let asked = Instant::now();
        let sql = format!("ALTER TABLE items ADD COLUMN added_{round} TEXT");
        let outcome = execute(server, "schema", &sql).await;
        done.send_replace(true);
        outcome.map(|()| asked.elapsed().as_secs_f64() * 1e3)
    };
    let inside = async { Ok(write_until(server, &child(0), wait()).await.unwrap_or_default()) };
    let outside = write_until(server, "outside", wait());
    let (millis, outside, inside) = tokio::join!(change, outside, inside);
    let inside: Result<_> = inside;
    Ok((millis?, outside?, inside?))
}

/// Writes one row after the other, and returns how long each took.
async fn write_until(
    server: &Server,
    database: &str,
    end: impl Future<Output = ()>,
) -> Result<Vec<Duration>> {
    let mut client = Client::connect(server.address).await?;
    let request = request(server, database, INSERT);
    let mut times = Vec::new();
    tokio::pin!(end);
    loop {
        let asked = Instant::now();
        tokio::select! {
            biased;
            answer = client.ask(&request) => answer.map(|_| times.push(asked.elapsed()))?,
            () = &mut end => return Ok(times),
        }
    }
}

pub(crate) async fn execute(server: &Server, database: &str, sql: &str) -> Result<()> {
    let mut client = Client::connect(server.address).await?;
    client.ask(&request(server, database, sql)).await.map(|_| ())
}

fn request(server: &Server, database: &str, sql: &str) -> Box<[u8]> {
    client::execute_on(server.address, database, &statement(sql, None))
}

fn p99(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    micros(quantile(&times, 0.99))
}

/// The same commits one after the other, without anything around them.
fn measure_floor(directory: &Path, extent: Extent, report: &mut Report) -> Result<()> {
    let path = |index: u32| directory.join(child(index));
    for index in 0..extent.databases {
        floor::open(&path(index))?.execute_batch(TABLE)?;
    }
    for round in 1..=extent.rounds {
        let started = Instant::now();
        for index in 0..extent.databases {
            let sql = format!("ALTER TABLE items ADD COLUMN added_{round} TEXT");
            floor::open(&path(index))?.execute_batch(&sql)?;
        }
        let millis = started.elapsed().as_secs_f64() * 1e3;
        let name = format!("migrate, {} children", extent.databases);
        report.add(&name, Unit::Millis, Kind::Floor, millis);
    }
    Ok(())
}

/// The same after a restart, with ten times as many children that nobody has opened.
async fn measure_cold(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    let (kind, directory) = (Kind::Hranad, tempfile::tempdir()?);
    let children = extent.databases * 10;
    let server = Server::start(kind, args, directory.path()).await?;
    prepare(&server, directory.path(), children).await?;
    drop(server);
    let server = Server::start(kind, args, directory.path()).await?;
    let name = format!("migrate_cold, {children} children");
    let asked = Instant::now();
    execute(&server, "schema", "ALTER TABLE items ADD COLUMN added TEXT").await?;
    report.add(&name, Unit::Millis, kind, asked.elapsed().as_secs_f64() * 1e3);
    let mebibytes = server.resident_mebibytes()?;
    report.add(&format!("{name}: memory"), Unit::Mebibytes, kind, mebibytes);
    Ok(())
}
