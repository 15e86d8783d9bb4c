//! Requests under load: throughput and latency of each server, in turn, at 1 and 32 clients, and over WebSocket.

use crate::args::{Extent, RunArgs, Scenario};
use crate::client::Client;
use crate::driver::{Measured, drive};
use crate::placement::Apart;
use crate::report::{Report, Unit};
use crate::server::{Kind, Server};
use crate::socket::{self, Socket};
use crate::streams::{self, Shape};
use crate::workload::{self, Workload};
use crate::{Result, say};

const CLIENTS: [usize; 2] = [1, 32];

const SCENARIOS: [Scenario; 6] = [
    Scenario::Select1,
    Scenario::PointRead,
    Scenario::Insert,
    Scenario::Rows1000,
    Scenario::WsPointRead,
    Scenario::WsOneStream,
];

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
            for load in Load::of(scenario) {
                for server in &servers {
                    let measured = load.measure(server, scenario, extent, report).await;
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

/// Who asks.
#[derive(Clone, Copy, Debug)]
enum Load {
    /// So many clients over HTTP.
    Clients(usize),
    Streams(Shape),
}

impl Load {
    fn of(scenario: Scenario) -> Vec<Load> {
        match scenario {
            Scenario::WsPointRead => vec![Load::Streams(Shape { sockets: 4, streams: 8 })],
            Scenario::WsOneStream => vec![Load::Streams(Shape { sockets: 1, streams: 1 })],
            _ => CLIENTS.map(Load::Clients).into(),
        }
    }

    async fn measure(
        self,
        server: &Server,
        scenario: Scenario,
        extent: Extent,
        report: &mut Report,
    ) -> Result<()> {
        let (name, measured) = match self {
            Load::Clients(clients) => by_clients(server, scenario, clients, extent).await?,
            Load::Streams(shape) => by_streams(server, shape, extent).await?,
        };
        report.add(&name, Unit::PerSecond, server.kind, measured.per_second);
        report.add(&name, Unit::P50Micros, server.kind, measured.p50.as_secs_f64() * 1e6);
        report.add(&name, Unit::P99Micros, server.kind, measured.p99.as_secs_f64() * 1e6);
        Ok(())
    }
}

async fn by_clients(
    server: &Server,
    scenario: Scenario,
    clients: usize,
    extent: Extent,
) -> Result<(String, Measured)> {
    let workload = Workload::new(scenario, server.address).ok_or("it is no request under load")?;
    let mut client = Client::connect(server.address).await?;
    check(client.ask(workload.first()).await?, workload.expected)?;
    drop(client);
    // Dropped at the end of the measurement.
    let _apart = if clients == 1 { Apart::place(server.id())? } else { None };
    let (warm_up, length) = (extent.warm_up, extent.length);
    let measured = drive(server.address, &workload.requests, clients, warm_up, length).await?;
    let s = if clients == 1 { "" } else { "s" };
    Ok((format!("{}, {clients} client{s}", workload.name), measured))
}

async fn by_streams(server: &Server, shape: Shape, extent: Extent) -> Result<(String, Measured)> {
    let mut socket = Socket::connect(server.sockets).await?;
    socket.queue(&socket::open_stream(0));
    socket.queue(&socket::execute(0, &workload::point_reads()[0]));
    socket.send().await?;
    socket.next().await?;
    check(socket.next().await?, "the name of item 1\"")?;
    drop(socket);
    let streams = shape.sockets * shape.streams;
    let _apart = if streams == 1 { Apart::place(server.id())? } else { None };
    let measured = streams::drive(server.sockets, shape, extent.warm_up, extent.length).await?;
    let name = match streams {
        1 => "ws_one_stream".to_owned(),
        _ => format!("ws_point_read, {streams} streams on {} sockets", shape.sockets),
    };
    Ok((name, measured))
}

/// Only right answers are measured.
fn check(answer: &[u8], expected: &str) -> Result<()> {
    let answer = std::str::from_utf8(answer)?;
    if answer.contains(expected) {
        return Ok(());
    }
    Err(format!("the answer lacks {expected}: {answer}").into())
}
