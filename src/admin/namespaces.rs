//! Databases: list, create, fork, delete; and what is done to one as a whole.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::body::{Failure, Fields, Result};
use super::configuration::{check_jwt_key, jwt_key};
use super::params::Params;
use super::size::MaxSize;
use crate::catalog::{Filter, GroupName, NamespaceName, Record, Role, Settings};
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
    let is_schema = fields.shared_schema == Some(true);
    let name = params.name("namespace")?;
    // It is there from the start, and tools create it to be sure.
    let is_plain = !is_schema && fields.shared_schema_name.is_none() && fields.dump_url.is_none();
    if name == NamespaceName::default_name() && is_plain {
        return Ok(());
    }
    let key = check_jwt_key(fields.jwt_key)?;
    let seed = match (&fields.shared_schema_name, fields.dump_url) {
        (Some(_), _) if is_schema => {
            return Err(usage(
                "Shared schema error: shared schema database cannot reference another shared schema",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(usage(
                "Shared schema usage error: database using shared schema database cannot be created from a dump",
            ));
        }
        (Some(schema), None) => Seed::Copy(Box::new(find_schema(&app, schema)?)),
        (None, Some(_)) => return Err(usage("`dump_url` is not supported yet")),
        (None, None) => Seed::Empty,
    };
    let settings = Settings {
        size_limit: fields.max_db_size.and_then(|size| size.0),
        allow_attach: fields.allow_attach,
        ..Settings::default()
    };
    create_with_key(&app, NewDatabase { seed, is_schema, settings, jwt_key: key, ..new(name) })
}

/// The schema database of a new child.
fn find_schema(app: &App, name: &str) -> Result<Record> {
    let schema = app.namespaces.find(&NamespaceName::parse(name)?)?;
    match schema.role.is_schema() {
        true => Ok(schema),
        false => {
            Err(usage(format!("{name} is not a schema database; create one with `shared_schema`")))
        }
    }
}

fn usage(message: impl Into<Cow<'static, str>>) -> Failure {
    Error::bad_request(message).into()
}

/// An empty database in the group `default`.
fn new(name: NamespaceName) -> NewDatabase {
    NewDatabase::empty(name, GroupName::default_name())
}

/// Creates a database in its group; a child in that of its schema database.
fn create_with_key(app: &App, mut new: NewDatabase) -> Result<()> {
    if let Seed::Copy(source) = &new.seed
        && source.role != Role::Plain
    {
        new.group = source.group.name.clone();
    }
    app.namespaces.create(new)?;
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
    if source.role.is_schema() {
        return Err(usage(format!(
            "a schema database cannot be forked; create a child with `\"shared_schema_name\":\"{}\"`",
            source.name
        )));
    }
    let key = jwt_key(&app, &source)?;
    // What protects the one is not asked for the other.
    let settings = Settings { delete_protection: false, ..source.settings.clone() };
    let seed = Seed::Copy(Box::new(source));
    create_with_key(&app, NewDatabase { seed, settings, jwt_key: key, ..new(to) })
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
