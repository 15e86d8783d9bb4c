//! The command lines about schema databases and their migrations.

use clap::{Args, Subcommand, ValueEnum};

use super::owner::DataDirArgs;

#[derive(Clone, Debug, Args)]
pub struct JobsArgs {
    #[command(flatten)]
    pub data: DataDirArgs,
    #[command(subcommand)]
    pub command: JobsCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum JobsCommand {
    /// List the migrations of one schema database, or of all
    List {
        /// The schema database; all if not given
        #[arg(value_name = "SCHEMA")]
        schema: Option<String>,
        /// How many, the newest first
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// Show one migration and what has become of it in each child
    Show {
        /// The number of the migration, as `hranad jobs list` shows
        id: i64,
    },
    /// Show how a migration comes along until it has ended; fails if that does
    Watch {
        /// The number of the migration, as `hranad jobs list` shows
        id: i64,
    },
    /// Do again what has failed of a migration
    Retry {
        /// The number of the migration, as `hranad jobs list` shows
        id: i64,
    },
    /// End a migration where it is; children that have the change keep it
    Cancel {
        /// The number of the migration, as `hranad jobs list` shows
        id: i64,
    },
}

#[derive(Clone, Debug, Args)]
pub struct SchemaArgs {
    #[command(flatten)]
    pub data: DataDirArgs,
    #[command(subcommand)]
    pub command: SchemaCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum SchemaCommand {
    /// List all schema databases
    List,
    /// Compare every child with its schema database; fails if one differs
    Verify {
        /// The schema database
        name: String,
    },
    /// Set how migrations run
    Configure {
        /// The schema database
        name: String,
        /// What is locked while a migration runs: all children, or each while it is migrated itself
        #[arg(long, value_enum)]
        mode: Option<ModeArg>,
        /// How many children are migrated before all others
        #[arg(long, value_name = "N")]
        canaries: Option<u64>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// All children are locked until the end
    Locked,
    /// Children are locked one by one, and those not in use are migrated when they are
    Rolling,
}

/// What a new database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TypeArg {
    /// A schema database
    Schema,
}
