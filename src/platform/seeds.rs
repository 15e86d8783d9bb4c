//! What a new database contains: a copy of another one, what a dump makes, or a file that comes later.

use std::io::Read;

use serde::Deserialize;

use super::dumps;
use super::operator::Operator;
use crate::auth::Scope;
use crate::catalog::{NamespaceName, Settings};
use crate::error::{Error, Result};
use crate::fetch::{self, Bounds};
use crate::hrana::Disconnect;
use crate::http::App;
use crate::http::detached::detached;
use crate::limits;
use crate::namespace::{ScratchFile, Seed, UploadedSeed};
use crate::sqlite::{Import, block};

/// The field `seed`. The CLI calls the source of a copy `value`, the SDKs call it `name`.
#[derive(Deserialize)]
pub(super) struct SeedFields {
    #[serde(rename = "type")]
    kind: String,
    #[serde(alias = "value")]
    name: Option<String>,
    url: Option<String>,
    timestamp: Option<String>,
}

/// Finds or makes what a new database shall contain. That may take long; when the client goes, it ends.
pub(super) async fn read(
    app: &App,
    operator: &Operator,
    seed: SeedFields,
    settings: &Settings,
) -> Result<Seed> {
    match seed.kind.as_str() {
        "database" => {
            if seed.timestamp.is_some_and(|timestamp| !timestamp.is_empty()) {
                return Err(Error::bad_request(
                    "seed: there is no history to copy a database of the past from; leave `timestamp` out",
                ));
            }
            let name = seed.name.ok_or_else(|| Error::bad_request("seed: `name` is missing"))?;
            let source = operator.database(app, &NamespaceName::parse(&name)?)?;
            operator.may(Scope::Read, &source.group)?;
            if source.awaits_upload {
                let message = format!("seed: database {name} awaits the upload of its file itself");
                return Err(Error::bad_request(message));
            }
            Ok(Seed::Copy(Box::new(source)))
        }
        "database_upload" => Ok(Seed::Upload),
        "dump" => {
            let url = seed.url.ok_or_else(|| Error::bad_request("seed: `url` is missing"))?;
            let dump = if fetch::is_possible(&url) {
                // What the server can reach, others may not.
                operator.may_everything()?;
                Dump::Elsewhere(url)
            } else {
                Dump::Uploaded(dumps::take(app, operator, &url)?)
            };
            import(app.seeds.scratch_file(), dump, settings.size_limit).await
        }
        kind => Err(Error::bad_request(format!(
            "seed: the type {kind:?} is none of database, dump and database_upload"
        ))),
    }
}

/// What a child of a schema database starts with.
pub(super) fn schema(app: &App, operator: &Operator, name: &str) -> Result<Seed> {
    let source = operator.database(app, &NamespaceName::parse(name)?)?;
    if !source.role.is_schema() {
        return Err(Error::bad_request(format!(
            "{name} is not a schema database; create one with `is_schema`"
        )));
    }
    if source.awaits_upload {
        let message = format!("the schema database {name} awaits the upload of its file");
        return Err(Error::bad_request(message));
    }
    Ok(Seed::Copy(Box::new(source)))
}

const BOUNDS: Bounds = Bounds {
    bytes: limits::SEED_BYTES_MAX,
    time: limits::FETCH,
    stall: limits::FETCH_STALL,
    is_safe: false,
};

enum Dump {
    Uploaded(UploadedSeed),
    Elsewhere(String),
}

impl Dump {
    fn open(&self) -> Result<Box<dyn Read>> {
        Ok(match self {
            Dump::Uploaded(dump) => Box::new(dump.file.open()?),
            Dump::Elsewhere(url) => Box::new(fetch::open(url, "seed: the dump", BOUNDS)?),
        })
    }
}

/// Makes a database file of a dump.
async fn import(file: ScratchFile, dump: Dump, size_limit: Option<u64>) -> Result<Seed> {
    let disconnect = Disconnect::default();
    let watched = disconnect.clone();
    let work = async move {
        watched.before_blocking().await;
        block(|| {
            let mut import = Import::create(file.path(), size_limit)?;
            watched.watch(import.interruption());
            import.execute(dump.open()?)?;
            import.finish()
        })?;
        Ok(Seed::File(file))
    };
    // The token that asked for it was good, and what is made opens nothing by itself.
    detached(disconnect, std::future::pending, work).await
}
