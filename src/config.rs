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

    /// How long a deleted database can be restored: hours, or such as 7d, 90m, 0
    #[arg(long, env = "HRANAD_RETENTION", value_name = "TIME", default_value = "24h", value_parser = retention)]
    pub retention: Duration,

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

/// A whole number with a unit: `90m`, `24h`, `7d`. Without one it is hours.
fn retention(text: &str) -> Result<Duration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "" | "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err("expected a time such as 24h, 7d or 0".to_owned()),
    };
    let number: u32 = number.parse().map_err(|_| "expected a time such as 24h, 7d or 0")?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Cli, retention, seconds};

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
    fn retentions_have_units() {
        for (text, seconds) in [("0", 0), ("24", 86_400), ("90m", 5400), ("7d", 604_800)] {
            assert_eq!(retention(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "h", "-1h", "1x", "1.5h", "99999999999d"] {
            assert!(retention(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_are_positive_and_bounded() {
        assert_eq!(seconds("0.5").unwrap().as_millis(), 500);
        for text in ["", "x", "0", "-1", "NaN", "inf", "1e9"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
