//! `databases`: create, list, show, delete.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::fields;
use super::operator::Operator;
use super::place::Place;
use super::seeds::{self, SeedFields};
use super::shapes::{DatabaseBody, DeletedBody, ListBody, OneBody, Pagination};
use super::size::Size;
use crate::auth::Scope;
use crate::catalog::{Filter, Group, GroupName, NamespaceName, Record, Role, Settings};
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::wire::{WholeBody, json_response};
use crate::namespace::{NewDatabase, Seed};
use crate::sqlite::block;

/// The fields of a request to create a database. Where databases are is not for the client to say.
#[derive(Default, Deserialize)]
#[serde(default)]
struct CreateFields {
    name: Option<String>,
    group: Option<String>,
    group_id: Option<String>,
    seed: Option<SeedFields>,
    is_schema: Option<bool>,
    schema: Option<String>,
    size_limit: Option<Size>,
    remote_encryption: Option<IgnoredAny>,
    use_tursodb: Option<bool>,
}

impl CreateFields {
    /// Refuses what a database would have to have from the start and does not.
    fn check(&self) -> Result<()> {
        let missing = if self.remote_encryption.is_some() {
            "`remote_encryption` is not available on this server; keep its data directory on an encrypted disk"
        } else if self.use_tursodb == Some(true) {
            "`use_tursodb` is not available on this server; its databases are SQLite's"
        } else {
            return Ok(());
        };
        Err(Error::bad_request(missing))
    }
}

/// `POST …/databases`
pub(crate) async fn create(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let fields: CreateFields = fields::decode(&body)?;
    fields.check()?;
    let name = fields.name.as_deref();
    let name = name.ok_or_else(|| Error::bad_request("the field `name` is missing"))?;
    let name = NamespaceName::parse(name)?;
    let names_group = fields.group.is_some() || fields.group_id.is_some();
    let mut group = find_group(&app, &operator, &fields)?;
    operator.may(Scope::DbCreate, &group)?;
    let size_limit = fields.size_limit.and_then(Size::limit);
    let settings = Settings { size_limit, ..Settings::default() };
    let mut work = None;
    let is_schema = fields.is_schema == Some(true);
    let schema = fields.schema.filter(|schema| !schema.is_empty());
    let seed = match (schema, fields.seed) {
        (None, None) => Seed::Empty,
        (Some(schema), None) => {
            work = Some(app.seeds.work().await?);
            seeds::schema(&app, &operator, &schema)?
        }
        (Some(_), Some(_)) => {
            return Err(Error::bad_request(
                "a database with a schema database starts as that does; leave `seed` out",
            ));
        }
        (None, Some(seed)) => {
            // Before what may take long.
            app.namespaces.check_is_free(&name)?;
            work = Some(app.seeds.work().await?);
            seeds::read(&app, &operator, seed, &settings).await?
        }
    };
    if let Seed::Copy(source) = &seed
        && source.role != Role::Plain
        && !names_group
    {
        // That of its schema database: no other is possible.
        group = source.group.clone();
        operator.may(Scope::DbCreate, &group)?;
    }
    let new = NewDatabase { name, group: group.name, seed, is_schema, settings, jwt_key: None };
    let record = app.namespaces.create(new)?;
    drop(work);
    Ok(json_response(&OneBody { database: DatabaseBody::new(&record, &place) }))
}

/// The group that a new database is to be in, by name or by id.
fn find_group(app: &App, operator: &Operator, fields: &CreateFields) -> Result<Group> {
    let given = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
    let (group, text) = match (given(&fields.group), given(&fields.group_id)) {
        (Some(_), Some(_)) => {
            return Err(Error::bad_request("`group` and `group_id` cannot both be given"));
        }
        (None, Some(id)) => {
            let groups = block(|| app.catalog.groups())?;
            (groups.into_iter().find(|group| group.id.to_string() == id), id)
        }
        (name, None) => {
            let name =
                name.map_or_else(|| Ok(GroupName::default_name()), |n| GroupName::parse(&n))?;
            (block(|| app.catalog.group(&name))?, name.to_string())
        }
    };
    let group = group.filter(|group| operator.knows(group));
    group.ok_or_else(|| Error::bad_request(format!("group not found: there is no group {text}")))
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    group: Option<String>,
    /// Children of this schema database.
    schema: Option<String>,
    /// Copies of the database with this id.
    parent: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// `GET …/databases`: all of them, or a page of `limit`.
pub(crate) async fn list(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response> {
    let Query(query) = query.map_err(|error| Error::bad_request(error.body_text()))?;
    let given = |filter: Option<String>| filter.filter(|filter| !filter.is_empty());
    let limit = query.limit.filter(|limit| *limit > 0);
    let mut records = Vec::new();
    if operator.may_somewhere(Scope::Read).is_ok() {
        let filter = Filter {
            group: given(query.group),
            only_group: operator.only_group(),
            parent: given(query.parent),
            schema: given(query.schema),
            after: query.cursor.unwrap_or_default(),
            // One more tells whether there is a next page.
            limit: limit.map(|limit| limit.saturating_add(1)),
        };
        records = block(|| app.catalog.databases(&filter))?;
    }
    let mut next = None;
    if let Some(limit) = limit.filter(|limit| records.len() > *limit) {
        records.truncate(limit);
        next = records.last().map(|record| record.name.to_string());
    }
    let databases = records.iter().map(|record| DatabaseBody::new(record, &place)).collect();
    Ok(json_response(&ListBody { databases, pagination: Pagination { next } }))
}

/// The database in the URL, if the operator may do this to it.
pub(super) fn find(operator: &Operator, place: &Place, scope: Scope) -> Result<Record> {
    let record = place.database(operator)?;
    operator.may(scope, &record.group)?;
    Ok(record)
}

/// `GET …/databases/{database}`
pub(crate) async fn show(operator: Operator, place: Place) -> Result<Response> {
    let record = find(&operator, &place, Scope::Read)?;
    Ok(json_response(&OneBody { database: DatabaseBody::new(&record, &place) }))
}

/// `DELETE …/databases/{database}`
pub(crate) async fn delete(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    let record = find(&operator, &place, Scope::DbDelete)?;
    app.namespaces.delete(&record.name)?;
    Ok(json_response(&DeletedBody { database: record.name.to_string() }))
}
