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
use crate::catalog::{GroupName, NamespaceName, Role, Settings};
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

    fn is_schema(&self) -> bool {
        self.shared_schema == Some(true)
    }
}

const SQLD_PAGE_BYTES: u64 = 4096;

/// Where a copy of the metastore is read, in our data directory.
const SCRATCH: &str = "import-sqld.sqlite";

pub fn import_sqld(args: &ImportArgs) -> Result<()> {
    let mut found = namespaces(&args.directory)?;
    let owner = Owner::open_or_create(&args.data.data_dir)?;
    let configs = configs(&owner, &args.directory.join("metastore/data"))?;
    let group = owner.group(&args.group)?.name;
    // Schema databases before their children.
    found.sort_by_key(|(name, _)| !configs.get(name).is_some_and(SqldConfig::is_schema));
    let bar = progress(found.len());
    let mut failures = 0;
    for (name, file) in &found {
        bar.set_message(name.clone());
        let config = configs.get(name).cloned().unwrap_or_default();
        let line = match import(&owner, name, file, &group, &config) {
            Ok(role) => format!("{name}: imported{}", describe(&role, &config)),
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

/// What a database is from now on, where that is something to tell.
fn describe(role: &Role, config: &SqldConfig) -> String {
    match (role, &config.shared_schema_name) {
        (Role::Schema, _) => " as a schema database".to_owned(),
        (Role::Child(schema), _) => format!(" as a child of {}", schema.name),
        (Role::Plain, Some(schema)) => {
            format!(" as a database of its own: {schema} is not here as a schema database")
        }
        (Role::Plain, None) => String::new(),
    }
}

/// What a database contains, and whose child it is. sqld lets children refer to what is no schema database.
fn seed(owner: &Owner, file: &Path, config: &SqldConfig) -> Seed {
    let find = |name: &String| owner.namespaces.find(&NamespaceName::parse(name).ok()?).ok();
    let schema = config.shared_schema_name.as_ref().and_then(find);
    match schema.filter(|schema| schema.role.is_schema()) {
        Some(schema) => Seed::ForeignChild(file.to_owned(), Box::new(schema)),
        None => Seed::Foreign(file.to_owned()),
    }
}

fn import(
    owner: &Owner,
    name: &str,
    file: &Path,
    group: &GroupName,
    config: &SqldConfig,
) -> Result<Role> {
    let name = NamespaceName::parse(name)?;
    // Before anything is made: a key that cannot be read would leave a database that nobody can open.
    if let Some(key) = &config.jwt_key {
        VerifyingKey::parse(key)?;
    }
    let new = NewDatabase {
        name,
        group: group.clone(),
        is_schema: config.is_schema(),
        seed: if config.is_schema() {
            Seed::Foreign(file.to_owned())
        } else {
            seed(owner, file, config)
        },
        settings: config.settings(),
        jwt_key: config.jwt_key.clone(),
    };
    owner.namespaces.create_instead_of_empty(new).map(|record| record.role)
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
