//! Flags and environment variables. Nothing else reads the environment.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// A server for libSQL's Hrana protocol, with a SQLite file per tenant.
#[derive(Debug, Parser)]
#[command(name = "hranad", version, about, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: ServeArgs,
}

const EXAMPLES: &str = "\
Examples:
  hranad                                        serve ./hranad-data on http://127.0.0.1:8080
  hranad --data-dir /var/lib/hranad             keep the data elsewhere
  hranad serve --listen 127.0.0.1:0             pick a free port and print it
  HRANAD_LISTEN=0.0.0.0:8080 hranad             be reachable from other machines, with the API token only

Create a database and use it:
  curl -H \"Authorization: Bearer $(cat hranad-data/api-token)\" \\
       -d '{\"name\":\"shop\",\"group\":\"default\"}' http://127.0.0.1:8080/v1/databases
  curl -d '{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"SELECT 1\"}},{\"type\":\"close\"}]}' \\
       http://127.0.0.1:8080/db/shop/v2/pipeline";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server; the same as no command at all
    Serve(ServeArgs),
    /// Ask a running server whether it is well, and exit with 0 if it is
    Health(HealthArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, env = "HRANAD_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = address)]
    pub listen: SocketAddr,

    /// Directory of all data; created if it is not there
    #[arg(long, env = "HRANAD_DATA_DIR", value_name = "DIR", default_value = "hranad-data")]
    pub data_dir: PathBuf,

    /// Longest time that one statement may run
    #[arg(long, env = "HRANAD_STATEMENT_TIMEOUT", value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub statement_timeout: Duration,

    /// Longest time that a stream may be idle inside a transaction before it is rolled back
    #[arg(long, env = "HRANAD_TRANSACTION_IDLE", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub transaction_idle: Duration,

    /// Longest time that a statement waits for other writers of its database
    #[arg(long, env = "HRANAD_WRITE_WAIT", value_name = "SECONDS", default_value = "15", value_parser = seconds)]
    pub write_wait: Duration,

    /// Statements that may run at once, over all databases [default: 4 per core, at least 8]
    #[arg(long, env = "HRANAD_THREADS", value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,

    /// What to log: error, warn, info, debug, trace, or a filter by module
    #[arg(long, env = "HRANAD_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

#[derive(Clone, Debug, Args)]
pub struct HealthArgs {
    /// Address of the server
    #[arg(long, env = "HRANAD_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = address)]
    pub listen: SocketAddr,
}

impl ServeArgs {
    /// Statements that may run at once.
    pub fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        self.threads.map_or((cores * 4).max(8), usize::from)
    }
}

/// An address, or a name that stands for one on this machine.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| {
        format!("expected an address and a port, such as 127.0.0.1:8080 ({error})")
    })?;
    found.next().ok_or_else(|| format!("{text} has no address"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && duration <= DAY => Ok(duration),
        _ => Err("expected more than 0 and at most 86400 seconds".to_owned()),
    }
}

const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Cli, seconds};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_what_no_command_means() {
        let cli = Cli::try_parse_from(["hranad", "--listen", "127.0.0.1:0"]).unwrap();
        assert!(cli.command.is_none() && cli.serve.listen.port() == 0);
        assert!(Cli::try_parse_from(["hranad", "serve", "--data-dir", "x"]).is_ok());
        assert!(Cli::try_parse_from(["hranad", "--listen", "nowhere"]).is_err());
        let cli = Cli::try_parse_from(["hranad", "--listen", "localhost:80"]).unwrap();
        assert!(cli.serve.listen.ip().is_loopback());
    }

    #[test]
    fn seconds_are_positive_and_bounded() {
        assert_eq!(seconds("0.5").unwrap().as_millis(), 500);
        for text in ["", "x", "0", "-1", "NaN", "inf", "1e9"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
