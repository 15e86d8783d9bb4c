//! Databases: list, create, fork, delete; and what is done to one as a whole.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::body::{Fields, Result};
use super::configuration::{check_jwt_key, jwt_key};
use super::params::Params;
use super::size::MaxSize;
use crate::catalog::{Filter, GroupName, NamespaceName, Record, Settings};
use crate::error::Error;
use crate::http::App;
use crate::http::wire::{WholeBody, json_response};
use crate::namespace::{NewDatabase, Seed};
use crate::sqlite::block;

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize)]
struct ListBody {
    namespaces: Vec<ListedBody>,
    /// Where the next page begins, if there is one.
    next: Option<String>,
}

#[derive(Serialize)]
struct ListedBody {
    name: String,
    id: String,
    group: String,
    /// In seconds since 1970.
    created_at: i64,
}

/// `GET /v1/namespaces`: all of them in the order of their names, or a page of `limit`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response> {
    let Query(query) = query.map_err(|error| Error::bad_request(error.body_text()))?;
    let limit = query.limit.filter(|limit| *limit > 0);
    let filter = Filter {
        after: query.cursor.unwrap_or_default(),
        // One more tells whether there is a next page.
        limit: limit.map(|limit| limit.saturating_add(1)),
        ..Filter::default()
    };
    let mut records = block(|| app.catalog.databases(&filter))?;
    let mut next = None;
    if let Some(limit) = limit.filter(|limit| records.len() > *limit) {
        records.truncate(limit);
        next = records.last().map(|record| record.name.to_string());
    }
    let namespaces = records.into_iter().map(|record| ListedBody {
        name: record.name.to_string(),
        id: record.id.to_string(),
        group: record.group.name.to_string(),
        created_at: record.created_at,
    });
    Ok(json_response(&ListBody { namespaces: namespaces.collect(), next }))
}

/// The other fields of sqld are passed over, as in `config`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct CreateFields {
    dump_url: Option<String>,
    max_db_size: Option<MaxSize>,
    jwt_key: Option<String>,
    allow_attach: bool,
    shared_schema: Option<bool>,
    shared_schema_name: Option<String>,
}

/// `POST /v1/namespaces/{namespace}/create`
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    params: Params,
    Fields(fields): Fields<CreateFields>,
) -> Result<()> {
    if fields.shared_schema == Some(true) || fields.shared_schema_name.is_some() {
        return Err(Error::bad_request("schema databases are not supported yet").into());
    }
    let name = params.name("namespace")?;
    // It is there from the start, and tools create it to be sure.
    if name == NamespaceName::default_name() && fields.dump_url.is_none() {
        return Ok(());
    }
    let key = check_jwt_key(fields.jwt_key)?;
    let seed = match fields.dump_url {
        None => Seed::Empty,
        Some(_) => return Err(Error::bad_request("`dump_url` is not supported yet").into()),
    };
    let settings = Settings {
        size_limit: fields.max_db_size.and_then(|size| size.0),
        allow_attach: fields.allow_attach,
        ..Settings::default()
    };
    create_with_key(&app, name, seed, settings, key)
}

/// Creates a database in the group `default`.
fn create_with_key(
    app: &App,
    name: NamespaceName,
    seed: Seed,
    settings: Settings,
    jwt_key: Option<String>,
) -> Result<()> {
    let group = GroupName::default_name();
    app.namespaces.create(NewDatabase {
        name,
        group,
        seed,
        is_schema: false,
        settings,
        jwt_key,
    })?;
    Ok(app.refresh_keys()?)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ForkFields {
    timestamp: Option<String>,
}

/// `POST /v1/namespaces/{namespace}/fork/{to}`: a copy, with the same configuration.
pub(crate) async fn fork(
    State(app): State<Arc<App>>,
    params: Params,
    WholeBody(body): WholeBody,
) -> Result<()> {
    let fields: ForkFields = match body.trim_ascii() {
        [] => ForkFields::default(),
        text => serde_json::from_slice(text).map_err(|error| {
            Error::bad_request(format!("the request body could not be read: {error}"))
        })?,
    };
    if fields.timestamp.is_some() {
        return Err(Error::bad_request(
            "there is no history to fork a database of the past from; leave `timestamp` out",
        )
        .into());
    }
    let (source, to) = (params.database()?, params.name("to")?);
    let key = jwt_key(&app, &source)?;
    // What protects the one is not asked for the other.
    let settings = Settings { delete_protection: false, ..source.settings.clone() };
    create_with_key(&app, to, Seed::Copy(Box::new(source)), settings, key)
}

/// `DELETE /v1/namespaces/{namespace}`. Its file is kept for as long as `--retention` says, with `keep_backup` or
/// without.
pub(crate) async fn delete(State(app): State<Arc<App>>, params: Params) -> Result<()> {
    Ok(app.namespaces.delete(&params.name("namespace")?)?)
}

/// `POST /v1/namespaces/{namespace}/checkpoint`
pub(crate) async fn checkpoint(State(app): State<Arc<App>>, params: Params) -> Result<()> {
    let Record { name, .. } = params.database()?;
    let namespace = app.namespaces.get(&name)?;
    Ok(namespace.database().checkpoint().await?)
}

/// `GET /v1/diagnostics`: the state of each stream of Hrana over HTTP.
pub(crate) async fn diagnostics(State(app): State<Arc<App>>) -> Response {
    json_response(&app.streams.states())
}
