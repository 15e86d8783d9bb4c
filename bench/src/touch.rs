//! Many databases touched at random: how fast, and how much memory is held at the end.

use std::path::Path;

use crate::api::{Api, Role};
use crate::args::{Extent, RunArgs, Scenario};
use crate::client::{self, Client};
use crate::driver::{Requests, drive};
use crate::report::{Report, Unit, micros};
use crate::server::{Kind, Server};
use crate::statements::statement;
use crate::workload::check;
use crate::{Result, say};

const CLIENTS: usize = 8;

/// So many measurements long, that most databases have their turn.
const LENGTHS: u32 = 5;

/// Reads the file's first page, so that it has to be open.
const QUERY: &str = "SELECT count(*) FROM sqlite_schema";

/// On every server, and on hranad with ten times as many.
pub(crate) async fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    if !args.wants(Scenario::RandomTouch) {
        return Ok(());
    }
    for kind in Kind::all(args).filter(|kind| *kind != Kind::Floor) {
        measure_one(kind, args, extent, extent.databases, report).await?;
    }
    measure_one(Kind::Hranad, args, extent, extent.databases * 10, report).await
}

async fn measure_one(
    kind: Kind,
    args: &RunArgs,
    extent: Extent,
    count: u32,
    report: &mut Report,
) -> Result<()> {
    let directory = tempfile::tempdir()?;
    say(&mut std::io::stderr(), &format!("{}: creating {count} databases", kind.name()));
    let server = Server::start_with_admin(kind, args, directory.path()).await?;
    create(&server, directory.path(), count).await?;
    drop(server);
    let name = format!("random_touch, {count} databases");
    for _ in 0..extent.rounds {
        // Each time with none of them open.
        let server = Server::start_with_admin(kind, args, directory.path()).await?;
        let requests = requests(&server, count);
        let mut client = Client::connect(server.address).await?;
        check(client.ask(&requests[0]).await?, "\"value\":\"0\"")?;
        let length = extent.length * LENGTHS;
        let measured = drive(server.address, &requests, CLIENTS, extent.warm_up, length).await?;
        report.add(&name, Unit::PerSecond, kind, measured.per_second);
        report.add(&name, Unit::P99Micros, kind, micros(measured.p99));
        report.add(&name, Unit::Mebibytes, kind, server.resident_mebibytes()?);
    }
    Ok(())
}

async fn create(server: &Server, directory: &Path, count: u32) -> Result<()> {
    let api = Api::of(server, directory)?;
    let mut client = Client::connect(api.address).await?;
    for index in 0..u64::from(count) {
        client.ask(&api.create(&database(index), Role::Plain)).await?;
    }
    Ok(())
}

/// All databases, in an order that jumps about.
fn requests(server: &Server, count: u32) -> Requests {
    const STRIDE: u64 = 7919;
    let query = statement(QUERY, None);
    let request = |index: u64| {
        let database = database(index * STRIDE % u64::from(count));
        client::execute_on(server.address, &database, &query)
    };
    (0..u64::from(count)).map(request).collect()
}

fn database(index: u64) -> String {
    format!("touched-{index}")
}
