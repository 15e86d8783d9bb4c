//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measures hranad against a bare floor and, with SQLD_BIN and RQLITED_BIN, against libsql-server and rqlite.
#[derive(Debug, Parser)]
#[command(name = "hranad-bench", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Be the floor: serve one file with the least that a server has to do
    Floor(FloorArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FloorArgs {
    /// File of the database; created if it is not there
    pub(crate) database: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// How often each measurement is repeated; the table has medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Length of one measurement under load
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub(crate) seconds: f64,

    /// Measure only this; may be repeated [default: everything]
    #[arg(long = "scenario", value_name = "NAME", value_enum)]
    pub(crate) scenarios: Vec<Scenario>,

    /// Databases, tenants or children where there are many; some measurements take ten times as many
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) databases: u32,

    /// Sockets in `idle_sockets`
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) sockets: u32,

    /// Write the table and plots of it into this directory as well
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,

    /// Only prove that everything starts and answers, in half a minute
    #[arg(long, conflicts_with_all = ["rounds", "seconds", "databases", "sockets"])]
    pub(crate) smoke: bool,

    /// The server to measure [default: hranad beside this program, built anew under `cargo run`]
    #[arg(long, env = "HRANAD_BIN", value_name = "FILE")]
    pub(crate) hranad: Option<PathBuf>,

    /// Set by `cargo run`
    #[arg(long, env = "CARGO", hide = true)]
    pub(crate) cargo: Option<PathBuf>,

    /// libsql-server, to be measured as well
    #[arg(long, env = "SQLD_BIN", value_name = "FILE")]
    pub(crate) sqld: Option<PathBuf>,

    /// rqlite, to be measured as well where it is asked for single statements
    #[arg(long, env = "RQLITED_BIN", value_name = "FILE")]
    pub(crate) rqlited: Option<PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Scenario {
    /// A statement without a table
    #[value(name = "select_1")]
    Select1,
    /// One row of 10,000 by its primary key
    PointRead,
    /// The same from those who show a token, as a part more time than from those who need none
    TokenPointRead,
    /// One row in a transaction of its own, durable
    Insert,
    /// Fifty statements as one batch in a transaction
    #[value(name = "batch_50")]
    Batch50,
    /// A transaction of five statements, each a request
    Transaction,
    /// Nine point reads, then an insert
    #[value(name = "mixed_90_10")]
    Mixed,
    /// A result of 1,000 rows
    #[value(name = "rows_1000")]
    Rows1000,
    /// A cursor over 100,000 rows
    #[value(name = "cursor_100000")]
    Cursor100000,
    /// A point read on a new connection each time
    ConnectionChurn,
    /// One row of 10,000 by its primary key, over HTTP/2
    #[value(name = "http2_point_read")]
    Http2PointRead,
    /// The same in Protobuf, over HTTP/1.1
    ProtobufPointRead,
    /// One row of 10,000 by its primary key, over WebSocket: 32 streams on 4 sockets
    WsPointRead,
    /// The same from one stream that waits for each answer
    WsOneStream,
    /// An empty database through the API, one after the other
    CreateDatabase,
    /// A copy of a database of 100 MiB
    CopyDatabase,
    /// One more column in all children of a schema database
    Migrate,
    /// The same in ten times as many that nobody has opened
    MigrateCold,
    /// The first query of each of many databases after a restart
    ColdOpen,
    /// Memory of a database that was asked once
    IdleMemory,
    /// Memory of a WebSocket with a stream that was asked once
    IdleSockets,
    /// What calm tenants wait, alone and beside a hot one
    HotTenant,
    /// Databases touched at random, ten times as many as others have
    RandomTouch,
    /// SQLite without a server
    InProcess,
    /// The time of a read, against the rows of its result
    GrowthRows,
    /// The throughput of point reads, against clients
    GrowthClients,
    /// Start, point read and memory, against databases in the catalog
    GrowthDatabases,
    /// The time of a migration, against the children of the schema
    GrowthChildren,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) rounds: u32,
    pub(crate) length: Duration,
    /// Load before each measurement, not counted.
    pub(crate) warm_up: Duration,
    pub(crate) databases: u32,
    pub(crate) sockets: u32,
}

impl RunArgs {
    pub(crate) fn extent(&self) -> Extent {
        if self.smoke {
            let (length, warm_up) = (Duration::from_millis(50), Duration::ZERO);
            return Extent { rounds: 1, length, warm_up, databases: 20, sockets: 20 };
        }
        let length = Duration::from_secs_f64(self.seconds);
        let (databases, sockets) = (self.databases, self.sockets);
        Extent { rounds: self.rounds, length, warm_up: length / 4, databases, sockets }
    }

    pub(crate) fn wants(&self, scenario: Scenario) -> bool {
        self.scenarios.is_empty() || self.scenarios.contains(&scenario)
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("expected more than 0 and at most 3600 seconds".to_owned()),
    }
}
