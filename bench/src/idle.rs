//! Many sockets that nobody uses: what each costs in memory.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::args::{Extent, RunArgs, Scenario};
use crate::report::{Report, Unit};
use crate::server::{Kind, Server};
use crate::socket::{self, Socket};
use crate::statements::statement;
use crate::{Result, say};

/// Files that this process has open besides the sockets.
const FILES: u64 = 100;

/// Sockets of libsql-server, which serves a bounded number.
const PEER_SOCKETS: u32 = 100;

/// Opens the sockets, with a stream each that asks one thing, and looks what the server has grown by.
pub(crate) async fn measure(args: &RunArgs, extent: Extent, report: &mut Report) -> Result<()> {
    if !args.wants(Scenario::IdleSockets) {
        return Ok(());
    }
    allow_files(u64::from(extent.sockets) + FILES)?;
    let directory = tempfile::tempdir()?;
    for round in 1..=extent.rounds {
        for kind in Kind::all(args) {
            say(&mut std::io::stderr(), &format!("sockets, round {round}: {}", kind.name()));
            let server = Server::start(kind, args, &directory.path().join(kind.name())).await?;
            let before = server.resident_kib()?;
            let is_peer = kind == Kind::LibsqlServer;
            let count = if is_peer { extent.sockets.min(PEER_SOCKETS) } else { extent.sockets };
            let mut sockets = Vec::new();
            for _ in 0..count {
                sockets.push(
                    open(&server).await.map_err(|error| format!("{}: {error}", kind.name()))?,
                );
            }
            let grown = server.resident_kib()?.saturating_sub(before) as f64;
            report.add("idle_sockets", Unit::KibPerSocket, kind, grown / f64::from(count));
        }
    }
    Ok(())
}

async fn open(server: &Server) -> Result<Socket> {
    let mut socket = Socket::connect(server.sockets).await?;
    socket.queue(&socket::open_stream(0));
    socket.queue(&socket::execute(0, &statement("SELECT 1", None)));
    socket.send().await?;
    socket.next().await?;
    socket.next().await?;
    Ok(socket)
}

/// Lets this process have so many files open.
fn allow_files(count: u64) -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        limit.current = limit.maximum.map_or(Some(count), |most| Some(most.min(count)));
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(())
}
