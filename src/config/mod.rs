//! Flags and environment variables. Nothing else reads the environment.

mod owner;
mod schemas;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use owner::{
    DataDirArgs, DbArgs, DbCommand, ImportArgs, KeyArgs, KeyCommand, MintArgs, RevokeArgs,
    TokenArgs, TokenCommand,
};
pub use schemas::{JobsArgs, JobsCommand, ModeArg, SchemaArgs, SchemaCommand, TypeArg};
pub use values::Network;
use values::{address, host_name, key, retention, seconds, slug};

/// A self-hosted server for clients of libSQL and Turso, with a SQLite file per database.
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
  HRANAD_LISTEN=0.0.0.0:8080 hranad             be reachable from other machines, with a token only
  hranad --tls local                            https with a private certificate authority, beside http
  hranad --listen 0.0.0.0:443 --tls local --domain turso.io --api-host api.turso.tech
                                                stand in for Turso, where its host names lead here

Create a database and use it, while the server runs:
  hranad db create shop
  curl -d '{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"SELECT 1\"}},{\"type\":\"close\"}]}' \\
       http://127.0.0.1:8080/db/shop/v2/pipeline

Or with the turso CLI:
  export TURSO_API_BASEURL=http://127.0.0.1:8080
  export TURSO_API_TOKEN=\"$(cat hranad-data/api-token)\"
  export TURSO_CONFIG_FOLDER=\"$HOME/.config/turso-hranad\"
  turso db create shop
  turso db shell shop";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server; the same as no command at all
    Serve(Box<ServeArgs>),
    /// Ask a running server whether it is well, and exit with 0 if it is
    Health(HealthArgs),
    /// Mint, list and revoke tokens, whether the server runs or not
    Token(TokenArgs),
    /// List, create, delete, restore and check databases, whether the server runs or not
    Db(DbArgs),
    /// List, verify and configure schema databases, whether the server runs or not
    Schema(SchemaArgs),
    /// List, show, watch, retry and cancel migrations of schema databases
    Jobs(JobsArgs),
    /// Accept tokens that others have signed
    Key(KeyArgs),
    /// Take over the databases of sqld's data directory
    ImportSqld(ImportArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, env = "HRANAD_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = address)]
    pub listen: SocketAddr,

    /// Directory of all data; created if it is not there
    #[arg(long, env = "HRANAD_DATA_DIR", value_name = "DIR", default_value = "hranad-data")]
    pub data_dir: PathBuf,

    /// Certificate chain in PEM, for https beside http on the same port; read again when it changes
    #[arg(long, env = "HRANAD_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    #[arg(long, env = "HRANAD_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// https with certificates of a private authority, which is made and kept in the data directory
    #[arg(long, env = "HRANAD_TLS", value_name = "HOW", conflicts_with_all = ["tls_cert", "tls_key"])]
    pub tls: Option<TlsMode>,

    /// Domain under which databases have host names, NAME-ORG.DOMAIN; all of them have to lead here, by DNS
    #[arg(long, env = "HRANAD_DOMAIN", value_name = "DOMAIN", value_parser = host_name)]
    pub domain: Option<String>,

    /// Host name of the platform API, which creates databases and tokens; it has to lead here, too
    #[arg(long, env = "HRANAD_API_HOST", value_name = "HOST", value_parser = host_name)]
    pub api_host: Option<String>,

    /// Name of the one organization, which all databases belong to; also what `turso auth whoami` prints
    #[arg(long, env = "HRANAD_ORG", value_name = "NAME", default_value = "local", value_parser = slug)]
    pub org: String,

    /// Who needs a token
    #[arg(long, env = "HRANAD_AUTH", value_name = "WHEN", default_value = "default")]
    pub auth: AuthMode,

    /// Reverse proxies whose X-Forwarded-… and Forwarded headers are believed: addresses or networks
    #[arg(long, env = "HRANAD_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxy: Vec<Network>,

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

    /// Children of schema databases that migrations work on at once; more are done sooner, and slow others down
    #[arg(long, env = "HRANAD_MIGRATION_WORKERS", value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub migration_workers: u16,

    /// Longest time that a client may ask for nothing on a connection, take nothing of what is sent to it, or say nothing
    /// on a WebSocket
    #[arg(long, env = "HRANAD_CLIENT_SILENCE", value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub client_silence: Duration,

    /// How long a deleted database can be restored: hours, or such as 7d, 90m, 0
    #[arg(long, env = "HRANAD_RETENTION", value_name = "TIME", default_value = "24h", value_parser = retention)]
    pub retention: Duration,

    /// Ed25519 public keys in PEM or base64, or a JWKS document; tokens signed with them are accepted
    #[arg(long, env = "HRANAD_AUTH_KEY", value_name = "FILE", value_delimiter = ',')]
    pub auth_key: Vec<PathBuf>,

    /// Address and port of the admin API, as sqld has it; without a key only on a loopback address
    #[arg(long, env = "HRANAD_ADMIN_LISTEN", value_name = "ADDR", value_parser = address)]
    pub admin_listen: Option<SocketAddr>,

    /// Key that the admin API asks for, in `authorization: basic KEY`
    #[arg(long, env = "HRANAD_ADMIN_AUTH_KEY", value_name = "KEY", hide_env_values = true, value_parser = key)]
    pub admin_auth_key: Option<String>,

    /// What to log: error, warn, info, debug, trace, or a filter by module
    #[arg(long, env = "HRANAD_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// Where the certificate comes from, if not from files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TlsMode {
    /// From a private authority in the data directory
    Local,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuthMode {
    /// Programs of this machine need none on a loopback address; everybody else does
    Default,
    /// Everybody does
    Required,
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

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Cli;

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
    fn certificates_come_from_one_place() {
        let parses = |flags: &[&str]| {
            Cli::try_parse_from([&["hranad"], flags].concat()).map_err(|error| error.to_string())
        };
        assert!(parses(&["--tls-cert", "c", "--tls-key", "k"]).is_ok());
        assert!(parses(&["--tls", "local"]).is_ok());
        let error = parses(&["--tls-cert", "c"]).unwrap_err();
        assert!(error.contains("--tls-key"), "{error}");
        let error = parses(&["--tls", "local", "--tls-cert", "c", "--tls-key", "k"]).unwrap_err();
        assert!(error.contains("cannot be used with"), "{error}");
    }
}
