//! The command lines of the owner's commands, which work on a data directory whether its server runs or not.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::schemas::TypeArg;

/// Where the data is.
#[derive(Clone, Debug, Args)]
pub struct DataDirArgs {
    /// Directory of all data
    #[arg(
        long,
        env = "HRANAD_DATA_DIR",
        value_name = "DIR",
        default_value = "hranad-data",
        global = true
    )]
    pub data_dir: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    #[command(flatten)]
    pub data: DataDirArgs,
    #[command(subcommand)]
    pub command: TokenCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Print a new token: for a database, for a group, or for the platform API
    Mint(MintArgs),
    /// List the tokens of the platform API
    List,
    /// Make a token of the platform API invalid, or all tokens of a database or a group
    Revoke(RevokeArgs),
}

#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("what").required(true).args(["database", "group", "api"]))]
pub struct MintArgs {
    /// For one database
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// For all databases of a group, those created later as well
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// For the platform API, under this name
    #[arg(long, value_name = "NAME")]
    pub api: Option<String>,
    /// For reading only
    #[arg(long, conflicts_with = "api")]
    pub read_only: bool,
    /// How long it is valid: never, 7d, 2w1d30m, 3600s
    #[arg(long, value_name = "TIME", default_value = "never", conflicts_with = "api")]
    pub expiration: String,
    /// What a token of the platform API may do, such as read or db:create; everything if not given
    #[arg(long, value_name = "SCOPE", requires = "api")]
    pub scope: Vec<String>,
    /// The only group that a token of the platform API may see
    #[arg(long, value_name = "NAME", requires = "api")]
    pub in_group: Option<String>,
}

#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("what").required(true).args(["name", "database", "group"]))]
pub struct RevokeArgs {
    /// Name of a token of the platform API
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// All tokens of one database; its group's stay valid
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// All tokens of a group and of its databases
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct DbArgs {
    #[command(flatten)]
    pub data: DataDirArgs,
    #[command(subcommand)]
    pub command: DbCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum DbCommand {
    /// List all databases
    List {
        /// Only those of one group
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
    },
    /// Create an empty database, a schema database, or a child of one
    Create {
        /// What to call it: 1 to 64 lowercase letters, digits and dashes
        name: String,
        /// The group that it belongs to; that of its schema database, or else `default`
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// Make it a schema database: what is changed in it is changed in all of its children
        #[arg(long = "type", value_enum, conflicts_with = "schema")]
        kind: Option<TypeArg>,
        /// The schema database that it becomes a child of
        #[arg(long, value_name = "NAME")]
        schema: Option<String>,
    },
    /// Delete a database; it can be restored for as long as the server's --retention says
    Delete {
        /// Which one
        name: String,
    },
    /// Give back a database that was deleted
    Restore {
        /// What it was called
        name: String,
    },
    /// Look whether the files of one database, or of all, are sound
    Check {
        /// Which one; all if not given
        name: Option<String>,
    },
}

#[derive(Clone, Debug, Args)]
pub struct KeyArgs {
    #[command(flatten)]
    pub data: DataDirArgs,
    #[command(subcommand)]
    pub command: KeyCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// Accept tokens signed with a key of somebody else, or replace the key of this name
    Add {
        /// What to call it
        name: String,
        /// A file with Ed25519 public keys in PEM or base64, or a JWKS document; or a URL of such a document
        #[arg(value_name = "FILE|URL")]
        source: String,
        /// For the databases of one group only
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
    },
    /// List the keys of others
    List,
    /// Accept a key no more
    Remove {
        /// What it is called, as `hranad key list` shows
        name: String,
        /// The group that it was for
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
    },
}

#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    pub data: DataDirArgs,
    /// Data directory of sqld, which must not be running
    pub directory: PathBuf,
    /// The group that the databases will belong to
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub group: String,
}
