//! `config`: what can be set of a database.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::body::{Fields, Result};
use super::params::Params;
use super::size::MaxSize;
use crate::auth::VerifyingKey;
use crate::catalog::{ForeignKeyRecord, JWT_KEY, Record};
use crate::error;
use crate::http::App;
use crate::http::wire::json_response;
use crate::sqlite::block;

/// In the order of sqld.
#[derive(Serialize)]
struct ConfigBody<'a> {
    block_reads: bool,
    block_writes: bool,
    block_reason: Option<&'a str>,
    max_db_size: String,
    /// Nothing is sent anywhere.
    heartbeat_url: Option<&'a str>,
    jwt_key: Option<&'a str>,
    allow_attach: bool,
    /// The same for all databases: `--transaction-idle`.
    txn_timeout_s: Option<u64>,
    /// What sqld calls `synchronous=FULL`.
    durability_mode: &'static str,
    /// Only where they are so.
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_schema: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_schema_name: Option<&'a str>,
}

/// `GET /v1/namespaces/{namespace}/config`
pub(crate) async fn show(State(app): State<Arc<App>>, params: Params) -> Result<Response> {
    let record = params.database()?;
    let key = jwt_key(&app, &record)?;
    let settings = &record.settings;
    Ok(json_response(&ConfigBody {
        block_reads: settings.block_reads,
        block_writes: settings.block_writes,
        block_reason: settings.block_reason.as_deref(),
        max_db_size: MaxSize(settings.size_limit).to_string(),
        heartbeat_url: None,
        jwt_key: key.as_deref(),
        allow_attach: settings.allow_attach,
        txn_timeout_s: None,
        durability_mode: "strong",
        shared_schema: record.role.is_schema().then_some(true),
        shared_schema_name: record.role.schema().map(|schema| schema.name.as_str()),
    }))
}

/// What is absent is cleared, but for the size. The other fields of sqld are passed over: here they belong to the
/// whole server, or are not there.
#[derive(Deserialize)]
pub(crate) struct ConfigFields {
    block_reads: bool,
    block_writes: bool,
    block_reason: Option<String>,
    max_db_size: Option<MaxSize>,
    jwt_key: Option<String>,
    #[serde(default)]
    allow_attach: bool,
}

/// `POST /v1/namespaces/{namespace}/config`
pub(crate) async fn replace(
    State(app): State<Arc<App>>,
    params: Params,
    Fields(fields): Fields<ConfigFields>,
) -> Result<()> {
    let record = params.database()?;
    let key = check_jwt_key(fields.jwt_key)?;
    let mut settings = record.settings.clone();
    settings.block_reads = fields.block_reads;
    settings.block_writes = fields.block_writes;
    settings.block_reason = fields.block_reason;
    settings.allow_attach = fields.allow_attach;
    if let Some(MaxSize(limit)) = fields.max_db_size {
        settings.size_limit = limit;
    }
    set_jwt_key(&app, &record, key)?;
    Ok(app.namespaces.configure(&record, &settings)?)
}

/// The text of the key whose tokens open this database, in place of all others' keys.
pub(super) fn jwt_key(app: &App, record: &Record) -> error::Result<Option<String>> {
    let key = block(|| app.catalog.key_of_database(JWT_KEY, record.id))?;
    Ok(key.map(|key| key.text))
}

/// Fails unless this is a key, or none.
pub(super) fn check_jwt_key(text: Option<String>) -> error::Result<Option<String>> {
    let text = text.filter(|text| !text.trim().is_empty());
    if let Some(text) = &text {
        VerifyingKey::parse(text).map_err(|error| {
            error::Error::bad_request(format!("the field `jwt_key` could not be read: {error}"))
        })?;
    }
    Ok(text)
}

/// Replaces the key of a database. `text` has been checked. Counts for those who are connected when the database is
/// configured afterwards.
fn set_jwt_key(app: &App, record: &Record, text: Option<String>) -> error::Result<()> {
    block(|| {
        match text {
            None => app.catalog.remove_foreign_key(JWT_KEY, None, Some(record.id)).map(drop)?,
            Some(text) => app.catalog.save_foreign_key(&ForeignKeyRecord {
                name: JWT_KEY.to_owned(),
                group: None,
                database: Some(record.id),
                text,
                url: None,
            })?,
        }
        app.refresh_keys()
    })
}
