//! `databases`: create, list, show, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, RawPathParams, State};
use axum::http::request::Parts;
use axum::response::Response;
use hrana_protocol::json;
use serde::Deserialize;

use super::shapes::{DatabaseBody, DeletedBody, ListBody, OneBody, Pagination};
use crate::catalog::{Filter, GroupName, NamespaceName};
use crate::error::{Error, ErrorKind, Result};
use crate::http::App;
use crate::http::caller::Owner;
use crate::http::target::{self, ORGANIZATION};
use crate::http::wire::{WholeBody, json_response};
use crate::namespace::NewDatabase;
use crate::sqlite::block;

/// What the URL says, and how the client reached the server.
pub(crate) struct Place {
    database: Option<String>,
    host: String,
}

impl FromRequestParts<Arc<App>> for Place {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let host = target::host(&parts.uri, &parts.headers)
            .map_or_else(|| app.address.to_string(), str::to_owned);
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|error| Error::bad_request(error.to_string()))?;
        let mut place = Place { database: None, host };
        for (name, value) in &params {
            match name {
                "database" => place.database = Some(value.to_owned()),
                "organization" if value != ORGANIZATION => {
                    return Err(Error::new(
                        ErrorKind::NotFound,
                        format!(
                            "there is no organization {value:?}; this server's is {ORGANIZATION:?}"
                        ),
                    ));
                }
                _ => {}
            }
        }
        Ok(place)
    }
}

impl Place {
    fn name(&self) -> Result<NamespaceName> {
        NamespaceName::parse(self.database.as_deref().unwrap_or_default())
    }
}

/// The fields of a request to create a database that this version understands.
#[derive(Default)]
struct CreateFields {
    name: Option<String>,
    group: Option<String>,
}

impl CreateFields {
    /// Reads the fields, with their names in any case, as the CLI and the SDKs differ in it.
    fn decode(body: &[u8]) -> Result<Self> {
        let fields: BTreeMap<String, serde_json::Value> = json::decode(body)?;
        let mut read = CreateFields::default();
        for (name, value) in fields {
            match (name.to_ascii_lowercase().as_str(), value) {
                ("name", serde_json::Value::String(value)) => read.name = Some(value),
                ("group", serde_json::Value::String(value)) => read.group = Some(value),
                (name @ ("name" | "group"), _) => {
                    return Err(Error::bad_request(format!("the field `{name}` must be a string")));
                }
                (_, serde_json::Value::Null | serde_json::Value::Bool(false)) => {}
                (name @ ("schema" | "is_schema" | "seed"), _) => {
                    return Err(Error::bad_request(format!(
                        "the field `{name}` is not supported yet: only empty databases can be created"
                    )));
                }
                _ => {}
            }
        }
        Ok(read)
    }
}

/// `POST …/databases`
pub(crate) async fn create(
    _: Owner,
    place: Place,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let fields = CreateFields::decode(&body)?;
    let name = fields.name.ok_or_else(|| Error::bad_request("the field `name` is missing"))?;
    let name = NamespaceName::parse(&name)?;
    let group = match fields.group {
        Some(group) => GroupName::parse(&group)?,
        None => GroupName::default_name(),
    };
    let record = app.namespaces.create(NewDatabase::empty(name, group))?;
    Ok(json_response(&OneBody { database: DatabaseBody::new(record, &place.host) }))
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    group: Option<String>,
    /// Children of a schema database; there are none yet.
    schema: Option<String>,
    /// Branches of a database; there are none yet.
    parent: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// `GET …/databases`: all of them, or a page of `limit`.
pub(crate) async fn list(
    _: Owner,
    place: Place,
    State(app): State<Arc<App>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response> {
    let Query(query) = query.map_err(|error| Error::bad_request(error.body_text()))?;
    let is_none = |filter: &Option<String>| filter.as_ref().is_none_or(String::is_empty);
    let limit = query.limit.filter(|limit| *limit > 0);
    let mut records = Vec::new();
    if is_none(&query.schema) && is_none(&query.parent) {
        let filter = Filter {
            group: query.group.filter(|group| !group.is_empty()),
            after: query.cursor.unwrap_or_default(),
            // One more tells whether there is a next page.
            limit: limit.map(|limit| limit.saturating_add(1)),
            ..Filter::default()
        };
        records = block(|| app.catalog.databases(&filter))?;
    }
    let mut next = None;
    if let Some(limit) = limit.filter(|limit| records.len() > *limit) {
        records.truncate(limit);
        next = records.last().map(|record| record.name.to_string());
    }
    let databases = records.into_iter().map(|record| DatabaseBody::new(record, &place.host));
    Ok(json_response(&ListBody { databases: databases.collect(), pagination: Pagination { next } }))
}

/// `GET …/databases/{database}`
pub(crate) async fn show(_: Owner, place: Place, State(app): State<Arc<App>>) -> Result<Response> {
    let record = app.namespaces.find(&place.name()?)?;
    Ok(json_response(&OneBody { database: DatabaseBody::new(record, &place.host) }))
}

/// `DELETE …/databases/{database}`
pub(crate) async fn delete(
    _: Owner,
    place: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    let name = place.name()?;
    app.namespaces.delete(&name)?;
    Ok(json_response(&DeletedBody { database: name.to_string() }))
}
