//! Requests under load: throughput, latency, and what the server used for it, of each server in turn.

use std::path::Path;

use crate::args::{Extent, RunArgs, Scenario};
use crate::client::{self, Client};
use crate::driver::{Failures, Measured};
use crate::placement::Apart;
use crate::report::{Report, Unit, micros};
use crate::server::{Kind, Server};
use crate::socket::{self, Socket};
use crate::statements::{SCHEMA, point_reads, statement};
use crate::streams::{self, Shape};
use crate::workload::{Workload, check};
use crate::{Result, say};

const SCENARIOS: [Scenario; 13] = [
    Scenario::Select1,
    Scenario::PointRead,
    Scenario::Http2PointRead,
    Scenario::ProtobufPointRead,
    Scenario::ConnectionChurn,
    Scenario::Insert,
    Scenario::Batch50,
    Scenario::Transaction,
    Scenario::Mixed,
    Scenario::Rows1000,
    Scenario::Cursor100000,
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
    for kind in Kind::all_under_load(args) {
        servers.push(start(kind, args, &directory.path().join(kind.name())).await?);
    }
    for round in 1..=extent.rounds {
        say(&mut std::io::stderr(), &format!("load, round {round} of {}", extent.rounds));
        for &scenario in &scenarios {
            for load in Load::of(scenario) {
                for server in servers.iter_mut().filter(|server| load.is_for(server.kind)) {
                    let Err(error) = load.measure(server, extent, report).await else { continue };
                    let error = format!("{}, {}: {error}", load.name(), server.kind.name());
                    if Failures::of(server.kind) == Failures::Fatal {
                        return Err(error.into());
                    }
                    // It has hung, or lost what it had. The others' rounds shall not be in vain.
                    say(&mut std::io::stderr(), &format!("{error}; it is started anew"));
                    let anew = tempfile::tempdir_in(&directory)?.keep();
                    *server = start(server.kind, args, &anew).await?;
                    load.measure(server, extent, report).await?;
                }
            }
        }
    }
    Ok(())
}

async fn start(kind: Kind, args: &RunArgs, directory: &Path) -> Result<Server> {
    let server = Server::start(kind, args, directory).await?;
    fill(&server).await.map_err(|error| format!("{}: {error}", kind.name()))?;
    Ok(server)
}

/// Makes the tables.
pub(crate) async fn fill(server: &Server) -> Result<()> {
    let mut client = Client::connect(server.address).await?;
    for sql in SCHEMA {
        client.ask(&server.execute("", &statement(sql, None))?).await?;
    }
    Ok(())
}

/// Who asks, and for what.
enum Load {
    /// So many clients over HTTP.
    Clients(Workload, usize),
    /// Point reads over WebSocket.
    Streams(Shape),
}

impl Load {
    fn of(scenario: Scenario) -> Vec<Load> {
        match scenario {
            Scenario::WsPointRead => vec![Load::Streams(Shape { sockets: 4, streams: 8 })],
            Scenario::WsOneStream => vec![Load::Streams(Shape { sockets: 1, streams: 1 })],
            _ => {
                let counts = Workload::new(scenario).map(|workload| workload.clients());
                let load = |count: &usize| Some(Load::Clients(Workload::new(scenario)?, *count));
                counts.unwrap_or_default().iter().filter_map(load).collect()
            }
        }
    }

    fn is_for(&self, kind: Kind) -> bool {
        match self {
            Load::Clients(workload, _) => workload.is_for(kind),
            Load::Streams(_) => kind != Kind::Rqlite,
        }
    }

    fn name(&self) -> String {
        match self {
            Load::Clients(workload, 1) => format!("{}, 1 client", workload.name),
            Load::Clients(workload, clients) => format!("{}, {clients} clients", workload.name),
            Load::Streams(shape) if shape.all() == 1 => "ws_one_stream".to_owned(),
            Load::Streams(shape) => {
                format!("ws_point_read, {} streams on {} sockets", shape.all(), shape.sockets)
            }
        }
    }

    /// Whether only one side works at a time.
    fn is_alone(&self) -> bool {
        match self {
            Load::Clients(_, clients) => *clients == 1,
            Load::Streams(shape) => shape.all() == 1,
        }
    }

    async fn measure(&self, server: &Server, extent: Extent, report: &mut Report) -> Result<()> {
        // Dropped at the end of the measurement.
        let _apart = if self.is_alone() { Apart::place(server.id())? } else { None };
        let before = server.processor_time()?;
        let measured = match self {
            Load::Clients(workload, clients) => workload.drive(server, *clients, extent).await?,
            Load::Streams(shape) => by_streams(server, *shape, extent).await?,
        };
        let used = micros(server.processor_time()?.saturating_sub(before));
        let (name, kind) = (self.name(), server.kind);
        report.add(&name, Unit::PerSecond, kind, measured.per_second);
        report.add_waits(&name, kind, &measured);
        report.add(&name, Unit::ProcessorMicros, kind, used / measured.answered as f64);
        report.add(&name, Unit::Mebibytes, kind, server.resident_mebibytes()?);
        // rqlite waits for its log on the disk, whatever SQLite does.
        if let Load::Clients(Workload { writes: true, .. }, _) = self
            && kind != Kind::Rqlite
        {
            report.add(&name, Unit::Synchronous, kind, synchronous(server).await?);
        }
        Ok(())
    }
}

async fn by_streams(server: &Server, shape: Shape, extent: Extent) -> Result<Measured> {
    let mut socket = Socket::connect(server.sockets).await?;
    socket.queue(&socket::open_stream(0));
    socket.queue(&socket::execute(0, &point_reads()[0]));
    socket.send().await?;
    socket.next().await?;
    check(socket.next().await?, "the name of item 1\"")?;
    drop(socket);
    streams::drive(server.sockets, shape, extent.warm_up, extent.length).await
}

/// How durable the server says its commits are.
async fn synchronous(server: &Server) -> Result<f64> {
    let mut client = Client::connect(server.address).await?;
    let request = client::execute(server.address, "", &statement("PRAGMA synchronous", None));
    let answer = std::str::from_utf8(client.ask(&request).await?)?;
    let level = answer.split_once("\"value\":\"").and_then(|(_, rest)| rest.split('"').next());
    Ok(level.ok_or("the server does not tell its synchronous level")?.parse()?)
}
