//! Measures hranad against what bounds it from above and from below, on this machine, in one run.
//!
//! Above is the *floor*: the least that a server has to do for the same answer (`floor`). Below is
//! libsql-server, where `SQLD_BIN` names one. All of them are processes of their own, measured in turn,
//! round after round, so that a noisy minute hits each of them. Read the ratios, not the absolutes.
//!
//! | module | what it is |
//! |---|---|
//! | `args` | the command line |
//! | `run` | which measurements, in which order |
//! | `load`, `tokens`, `databases`, `migrations`, `tenants`, `idle` | the measurements: requests under load; what a token costs; new databases; schema migrations; many databases; many sockets |
//! | `neighbours`, `touch`, `growth`, `in_process` | more of them: a hot tenant beside calm ones; databases touched at random; how costs grow; SQLite without a server |
//! | `api` | how each server is asked for databases |
//! | `workload`, `statements` | what is asked for under load; the SQL of it |
//! | `driver`, `clients` | clients in a closed loop; the manners in which they ask |
//! | `open_loop` | clients that ask by a schedule |
//! | `client`, `http2`, `protobuf` | one HTTP/1.1 connection; requests over HTTP/2; requests in Protobuf |
//! | `streams`, `socket` | streams in a closed loop; one WebSocket |
//! | `server`, `placement` | the processes that are measured; on which processors |
//! | `floor` | the server that does no more than it must |
//! | `report`, `plots`, `svg` | the table; what is drawn of it; how |

mod api;
mod args;
mod client;
mod clients;
mod databases;
mod driver;
mod floor;
mod growth;
mod http2;
mod idle;
mod in_process;
mod load;
mod migrations;
mod neighbours;
mod open_loop;
mod placement;
mod plots;
mod protobuf;
mod report;
mod rqlite;
mod run;
mod server;
mod socket;
mod statements;
mod streams;
mod svg;
mod tenants;
mod tokens;
mod touch;
mod workload;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, Command};

/// Failures end the run; what the reader needs is their text.
type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Floor(args)) => floor::serve(&args.database),
        None => run::run(&cli.run),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("hranad-bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line, and does not mind if nobody reads.
fn say(to: &mut impl std::io::Write, line: &str) {
    let _ = writeln!(to, "{line}");
    let _ = to.flush();
}
