//! How costs grow: with the rows of a result, with clients, with databases in the catalog, with children of a schema.

use std::time::Instant;

use crate::api::{Api, Role};
use crate::args::{Extent, RunArgs, Scenario};
use crate::client::{self, Client};
use crate::driver::{Measured, Requests, drive};
use crate::placement::Apart;
use crate::report::{Report, Unit, micros};
use crate::server::{Kind, Server};
use crate::statements::{point_reads, statement};
use crate::workload::check;
use crate::{Result, load, migrations, say};

const ROWS: [u32; 5] = [1, 10, 100, 1_000, 10_000];
const CLIENTS: [u32; 5] = [1, 4, 16, 64, 256];

pub(crate) async fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    if args.wants(Scenario::GrowthRows) || args.wants(Scenario::GrowthClients) {
        measure_requests(args, extent, report).await?;
    }
    if args.wants(Scenario::GrowthDatabases) {
        measure_databases(args, extent, report).await?;
    }
    if args.wants(Scenario::GrowthChildren) {
        for kind in Kind::all(args).filter(|kind| *kind != Kind::Floor) {
            measure_children(kind, args, extent, report).await?;
        }
    }
    Ok(())
}

async fn measure_requests(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut servers = Vec::new();
    for kind in Kind::all(args) {
        let server = Server::start(kind, args, &directory.path().join(kind.name())).await?;
        load::fill(&server).await?;
        servers.push(server);
    }
    for round in 1..=extent.rounds {
        say(&mut std::io::stderr(), &format!("growth, round {round} of {}", extent.rounds));
        for rows in ROWS.into_iter().filter(|_| args.wants(Scenario::GrowthRows)) {
            for server in &servers {
                let sql = format!("SELECT id, name FROM items LIMIT {rows}");
                let request = [client::execute(server.address, "", &statement(&sql, None))];
                let expected = format!("the name of item {rows}\"");
                let measured = ask(server, &Requests::from(request), &expected, 1, extent).await?;
                let micros = micros(measured.p50);
                report.add_point("growth_rows", rows, Unit::P50Micros, server.kind, micros);
            }
        }
        for clients in CLIENTS.into_iter().filter(|_| args.wants(Scenario::GrowthClients)) {
            for server in &servers {
                let measured = ask_for_points(server, clients as usize, extent).await?;
                let per_second = measured.per_second;
                report.add_point(
                    "growth_clients",
                    clients,
                    Unit::PerSecond,
                    server.kind,
                    per_second,
                );
            }
        }
    }
    Ok(())
}

/// So many databases in the catalog: how long hranad takes to start, and to read from one of them.
async fn measure_databases(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    let (kind, directory) = (Kind::Hranad, tempfile::tempdir()?);
    load::fill(&Server::start(kind, args, directory.path()).await?).await?;
    let mut existing = 0;
    for count in [1, extent.databases / 10, extent.databases, extent.databases * 10] {
        say(&mut std::io::stderr(), &format!("growth, {count} databases"));
        let server = Server::start(kind, args, directory.path()).await?;
        let api = Api::of(&server, directory.path())?;
        let mut client = Client::connect(api.address).await?;
        for index in existing..count {
            client.ask(&api.create(&format!("database-{index}"), Role::Plain)).await?;
        }
        existing = count;
        drop(server);
        for _ in 0..extent.rounds {
            let asked = Instant::now();
            let server = Server::start(kind, args, directory.path()).await?;
            let millis = asked.elapsed().as_secs_f64() * 1e3;
            let micros = micros(ask_for_points(&server, 1, extent).await?.p50);
            let mebibytes = server.resident_mebibytes()?;
            report.add_point("growth_databases", count, Unit::P50Micros, kind, micros);
            report.add_point("growth_databases_start", count, Unit::Millis, kind, millis);
            report.add_point("growth_databases_memory", count, Unit::Mebibytes, kind, mebibytes);
        }
    }
    Ok(())
}

/// One change in so many children; on hranad also in ten times as many.
async fn measure_children(
    kind: Kind,
    args: &RunArgs,
    extent: Extent,
    report: &mut Report,
) -> Result<()> {
    let mut sizes = vec![extent.databases / 10, extent.databases];
    sizes.extend((kind == Kind::Hranad).then_some(extent.databases * 10));
    for children in sizes {
        let directory = tempfile::tempdir()?;
        let server = Server::start_with_admin(kind, args, directory.path()).await?;
        migrations::prepare(&server, directory.path(), children).await?;
        for round in 1..=extent.rounds {
            let asked = Instant::now();
            let sql = format!("ALTER TABLE items ADD COLUMN added_{round} TEXT");
            migrations::execute(&server, "schema", &sql).await?;
            let millis = asked.elapsed().as_secs_f64() * 1e3;
            report.add_point("growth_children", children, Unit::Millis, kind, millis);
        }
    }
    Ok(())
}

async fn ask_for_points(server: &Server, clients: usize, extent: Extent) -> Result<Measured> {
    let reads = point_reads();
    let requests = reads.iter().map(|stmt| client::execute(server.address, "", stmt)).collect();
    ask(server, &requests, "the name of item 1\"", clients, extent).await
}

async fn ask(
    server: &Server,
    requests: &Requests,
    expected: &str,
    clients: usize,
    extent: Extent,
) -> Result<Measured> {
    check(Client::connect(server.address).await?.ask(&requests[0]).await?, expected)?;
    let _apart = if clients == 1 { Apart::place(server.id())? } else { None };
    drive(server.address, requests, clients, extent.warm_up, extent.length).await
}
