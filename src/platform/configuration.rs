//! `databases/{database}/configuration` and `…/instances`: what can be set of a database, and where it is.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::databases::find;
use super::fields;
use super::operator::Operator;
use super::place::Place;
use super::shapes::{DatabaseBody, LOCATION};
use super::size::Size;
use crate::auth::Scope;
use crate::catalog::{Record, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::http::App;
use crate::http::wire::{WholeBody, json_response};

#[derive(Serialize)]
struct ConfigurationBody {
    /// With a unit; `0` is no limit.
    size_limit: String,
    allow_attach: bool,
    block_reads: bool,
    block_writes: bool,
    delete_protection: bool,
    allowed_ips: [String; 0],
    allowed_aws_vpc_ids: [String; 0],
    #[serde(flatten)]
    migrations: Option<MigrationsBody>,
}

/// What only schema databases have.
#[derive(Serialize)]
struct MigrationsBody {
    migration_mode: Mode,
    migration_canaries: u64,
}

/// What is locked while a migration runs: all children, or each while it is migrated itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Locked,
    Rolling,
}

impl ConfigurationBody {
    fn new(record: &Record, settings: &Settings) -> Self {
        let migrations = record.role.is_schema().then_some(MigrationsBody {
            migration_mode: if settings.is_rolling { Mode::Rolling } else { Mode::Locked },
            migration_canaries: settings.canaries,
        });
        ConfigurationBody {
            migrations,
            size_limit: settings.size_limit.unwrap_or_default().to_string(),
            allow_attach: settings.allow_attach,
            block_reads: settings.block_reads,
            block_writes: settings.block_writes,
            delete_protection: settings.delete_protection,
            allowed_ips: [],
            allowed_aws_vpc_ids: [],
        }
    }
}

/// `GET …/databases/{database}/configuration`
pub(crate) async fn show(operator: Operator, place: Place) -> Result<Response> {
    let record = find(&operator, &place, Scope::Read)?;
    Ok(json_response(&ConfigurationBody::new(&record, &record.settings)))
}

/// What is absent or null stays as it is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigureFields {
    size_limit: Option<Size>,
    allow_attach: Option<bool>,
    block_reads: Option<bool>,
    block_writes: Option<bool>,
    delete_protection: Option<bool>,
    allowed_ips: Option<Vec<String>>,
    allowed_aws_vpc_ids: Option<Vec<String>>,
    migration_mode: Option<Mode>,
    migration_canaries: Option<u64>,
}

impl ConfigureFields {
    /// Fails unless everything that is asked for is there.
    fn check(&self, record: &Record) -> Result<()> {
        let has_some = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|l| !l.is_empty());
        if has_some(&self.allowed_ips) || has_some(&self.allowed_aws_vpc_ids) {
            return Err(Error::bad_request(
                "rules by address are not available on this server; use a firewall or a proxy before it",
            ));
        }
        let is_of_schema = self.migration_mode.is_some() || self.migration_canaries.is_some();
        if is_of_schema && !record.role.is_schema() {
            return Err(Error::bad_request(format!(
                "`migration_mode` and `migration_canaries` are of schema databases, and {} is none",
                record.name
            )));
        }
        Ok(())
    }
}

/// `PATCH …/databases/{database}/configuration`
pub(crate) async fn configure(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let record = find(&operator, &place, Scope::DbConfigure)?;
    let fields: ConfigureFields = fields::decode(&body)?;
    fields.check(&record)?;
    let mut settings = record.settings.clone();
    let set = |to: &mut bool, from: Option<bool>| *to = from.unwrap_or(*to);
    set(&mut settings.allow_attach, fields.allow_attach);
    set(&mut settings.block_reads, fields.block_reads);
    set(&mut settings.block_writes, fields.block_writes);
    set(&mut settings.delete_protection, fields.delete_protection);
    if let Some(limit) = fields.size_limit {
        settings.size_limit = limit.limit();
    }
    if let Some(mode) = fields.migration_mode {
        settings.is_rolling = mode == Mode::Rolling;
    }
    settings.canaries = fields.migration_canaries.unwrap_or(settings.canaries);
    app.namespaces.configure(&record, &settings)?;
    Ok(json_response(&ConfigurationBody::new(&record, &settings)))
}

/// The one place where a database is.
fn instance(record: &Record, place: &Place) -> serde_json::Value {
    json!({
        "uuid": record.id,
        "name": LOCATION,
        "type": "primary",
        "region": LOCATION,
        "hostname": DatabaseBody::new(record, place).hostname,
    })
}

/// `GET …/databases/{database}/instances`
pub(crate) async fn instances(operator: Operator, place: Place) -> Result<Response> {
    let record = find(&operator, &place, Scope::Read)?;
    Ok(json_response(&json!({ "instances": [instance(&record, &place)] })))
}

/// `GET …/databases/{database}/instances/{instance}`
pub(crate) async fn one_instance(operator: Operator, place: Place) -> Result<Response> {
    let record = find(&operator, &place, Scope::Read)?;
    if place.param("instance") != LOCATION {
        let message = format!("there is one instance of database {}: {LOCATION}", record.name);
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    Ok(json_response(&json!({ "instance": instance(&record, &place) })))
}

/// `POST …/databases/{database}/wakeup` and `…/update`: no database sleeps, and all are as new as the server.
pub(crate) async fn is_ready(operator: Operator, place: Place) -> Result<Response> {
    let record = find(&operator, &place, Scope::Read)?;
    Ok(json_response(&json!({ "database": DatabaseBody::new(&record, &place) })))
}

/// `POST …/databases/{database}/transfer`
pub(crate) async fn transfer(operator: Operator, place: Place) -> Result<Response> {
    find(&operator, &place, Scope::DbConfigure)?;
    Err(Error::bad_request("a database cannot be transferred: this server has one organization"))
}
