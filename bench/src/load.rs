//! Requests under load: throughput and latency of each server at 1 and 32 clients, in turn.

use crate::args::{Extent, RunArgs, Scenario};
use crate::client::Client;
use crate::driver::drive;
use crate::placement::Apart;
use crate::report::{Report, Unit};
use crate::server::{Kind, Server};
use crate::workload::{self, Workload};
use crate::{Result, say};

const CLIENTS: [usize; 2] = [1, 32];

const SCENARIOS: [Scenario; 4] =
    [Scenario::Select1, Scenario::PointRead, Scenario::Insert, Scenario::Rows1000];

/// Starts the servers, fills them, and measures every scenario that is wanted.
pub(crate) async fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    let scenarios: Vec<_> = SCENARIOS.into_iter().filter(|one| args.wants(*one)).collect();
    if scenarios.is_empty() {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let mut servers = Vec::new();
    for kind in Kind::all(args) {
        let server = Server::start(kind, args, &directory.path().join(kind.name())).await?;
        fill(&server).await.map_err(|error| format!("{}: {error}", kind.name()))?;
        servers.push(server);
    }
    for round in 1..=extent.rounds {
        say(&mut std::io::stderr(), &format!("load, round {round} of {}", extent.rounds));
        for &scenario in &scenarios {
            for clients in CLIENTS {
                for server in &servers {
                    let measured = one(server, scenario, clients, extent, report).await;
                    measured.map_err(|error| format!("{}: {error}", server.kind.name()))?;
                }
            }
        }
    }
    Ok(())
}

async fn fill(server: &Server) -> Result<()> {
    let mut client = Client::connect(server.address).await?;
    for request in workload::schema(server.address).iter() {
        client.ask(request).await?;
    }
    Ok(())
}

async fn one(
    server: &Server,
    scenario: Scenario,
    clients: usize,
    extent: Extent,
    report: &mut Report,
) -> Result<()> {
    let Some(workload) = Workload::new(scenario, server.address) else { return Ok(()) };
    let mut client = Client::connect(server.address).await?;
    let answer = std::str::from_utf8(client.ask(workload.first()).await?)?;
    if !answer.contains(workload.expected) {
        return Err(format!("the answer lacks {}: {answer}", workload.expected).into());
    }
    drop(client);
    // Dropped at the end of the measurement.
    let _apart = if clients == 1 { Apart::place(server.id())? } else { None };
    let (warm_up, length) = (extent.warm_up, extent.length);
    let measured = drive(server.address, &workload.requests, clients, warm_up, length).await?;
    let name =
        format!("{}, {clients} client{}", workload.name, if clients == 1 { "" } else { "s" });
    report.add(&name, Unit::PerSecond, server.kind, measured.per_second);
    report.add(&name, Unit::P50Micros, server.kind, measured.p50.as_secs_f64() * 1e6);
    report.add(&name, Unit::P99Micros, server.kind, measured.p99.as_secs_f64() * 1e6);
    Ok(())
}
