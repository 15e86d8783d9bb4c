//! `hranad import-sqld`: takes over the databases of a data directory of sqld.
//!
//! sqld keeps each namespace in `dbs/NAME/data`, and their configuration in the database `metastore/data`, as
//! Protobuf (`metadata.proto` of libsql-replication). Nothing in that directory is changed.

use std::collections::HashMap;
use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use prost::Message;

use super::{Owner, say};
use crate::auth::VerifyingKey;
use crate::catalog::{GroupName, NamespaceName, Settings};
use crate::config::ImportArgs;
use crate::error::{Error, Result};
use crate::namespace::{NewDatabase, Seed};
use crate::sqlite;

/// The fields of sqld's `DatabaseConfig` that mean something here.
#[derive(Clone, PartialEq, Message)]
struct SqldConfig {
    #[prost(bool, tag = "1")]
    block_reads: bool,
    #[prost(bool, tag = "2")]
    block_writes: bool,
    #[prost(string, optional, tag = "3")]
    block_reason: Option<String>,
    #[prost(uint64, tag = "4")]
    max_db_pages: u64,
    #[prost(string, optional, tag = "7")]
    jwt_key: Option<String>,
    #[prost(bool, tag = "9")]
    allow_attach: bool,
    #[prost(bool, optional, tag = "11")]
    shared_schema: Option<bool>,
    #[prost(string, optional, tag = "12")]
    shared_schema_name: Option<String>,
}

impl SqldConfig {
    fn settings(&self) -> Settings {
        // sqld writes "no limit" as a number that no file reaches.
        let has_limit = (1..=u64::from(u32::MAX)).contains(&self.max_db_pages);
        Settings {
            block_reads: self.block_reads,
            block_writes: self.block_writes,
            block_reason: self.block_reason.clone(),
            size_limit: has_limit.then(|| self.max_db_pages * SQLD_PAGE_BYTES),
            allow_attach: self.allow_attach,
            ..Settings::default()
        }
    }

    fn is_of_schema(&self) -> bool {
        self.shared_schema == Some(true) || self.shared_schema_name.is_some()
    }
}

const SQLD_PAGE_BYTES: u64 = 4096;

/// Where a copy of the metastore is read, in our data directory.
const SCRATCH: &str = "import-sqld.sqlite";

pub fn import_sqld(args: &ImportArgs) -> Result<()> {
    let found = namespaces(&args.directory)?;
    let owner = Owner::open_or_create(&args.data.data_dir)?;
    let configs = configs(&owner, &args.directory.join("metastore/data"))?;
    let group = owner.group(&args.group)?.name;
    let bar = progress(found.len());
    let mut failures = 0;
    for (name, file) in &found {
        bar.set_message(name.clone());
        let config = configs.get(name).cloned().unwrap_or_default();
        let line = match import(&owner, name, file, &group, &config) {
            Ok(()) if config.is_of_schema() => {
                format!("{name}: imported as a database of its own, without its schema database")
            }
            Ok(()) => format!("{name}: imported"),
            Err(error) => {
                failures += 1;
                format!("{name}: not imported: {error}")
            }
        };
        bar.suspend(|| say(&line));
        bar.inc(1);
    }
    bar.finish_and_clear();
    match failures {
        0 => Ok(()),
        _ => Err(Error::bad_request(format!(
            "{failures} of {} databases were not imported; the others are in use from now on",
            found.len()
        ))),
    }
}

/// The namespaces of a directory, and where their files are.
fn namespaces(directory: &Path) -> Result<Vec<(String, PathBuf)>> {
    let databases = directory.join("dbs");
    let entries = fs::read_dir(&databases).map_err(|error| {
        Error::bad_request(format!(
            "{} is not a data directory of sqld: it has no directory `dbs` ({error})",
            directory.display()
        ))
    })?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::internal("read the directory of sqld", error))?;
        let file = entry.path().join("data");
        if file.is_file() {
            found.push((entry.file_name().to_string_lossy().into_owned(), file));
        }
    }
    found.sort();
    Ok(found)
}

/// The configuration of each namespace, as far as sqld has noted one.
fn configs(owner: &Owner, metastore: &Path) -> Result<HashMap<String, SqldConfig>> {
    if !metastore.is_file() {
        return Ok(HashMap::new());
    }
    let scratch = owner.data_dir.path().join(SCRATCH);
    let sql = "SELECT namespace, config FROM namespace_configs";
    let rows = sqlite::read_copy(metastore, &scratch, sql, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
    })?;
    let decode = |(name, bytes): (String, Vec<u8>)| match SqldConfig::decode(&*bytes) {
        Ok(config) => Ok((name, config)),
        Err(error) => Err(Error::internal(format!("read sqld's configuration of {name}"), error)),
    };
    rows.into_iter().map(decode).collect()
}

fn import(
    owner: &Owner,
    name: &str,
    file: &Path,
    group: &GroupName,
    config: &SqldConfig,
) -> Result<()> {
    let name = NamespaceName::parse(name)?;
    // Before anything is made: a key that cannot be read would leave a database that nobody can open.
    if let Some(key) = &config.jwt_key {
        VerifyingKey::parse(key)?;
    }
    let new = NewDatabase {
        name,
        group: group.clone(),
        is_schema: false,
        seed: Seed::Foreign(file.to_owned()),
        settings: config.settings(),
        jwt_key: config.jwt_key.clone(),
    };
    owner.namespaces.create_instead_of_empty(new).map(drop)
}

/// A bar on a terminal, nothing elsewhere.
fn progress(count: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
