//! `auth/tokens` and `auth/rotate` of databases and groups: tokens for the data plane.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::operator::Operator;
use super::place::Place;
use super::{databases, fields, groups};
use crate::auth::{Grant, Scope, TablePermissions, parse_expiration};
use crate::catalog::{self, Group, NamespaceName, Record};
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::wire::{WholeBody, json_response};

#[derive(Deserialize)]
pub(crate) struct MintQuery {
    #[serde(default)]
    expiration: String,
    #[serde(default)]
    authorization: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MintFields {
    permissions: Option<Permissions>,
    fine_grained_permissions: Option<TablePermissions>,
}

#[derive(Deserialize)]
struct Permissions {
    read_attach: Option<ReadAttach>,
}

#[derive(Deserialize)]
struct ReadAttach {
    #[serde(default)]
    databases: Vec<String>,
}

/// `POST …/databases/{database}/auth/tokens`
pub(crate) async fn of_database(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    query: Result<Query<MintQuery>, QueryRejection>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let record = databases::find(&operator, &place, Scope::DbMintToken)?;
    let token = mint(&app, &operator, &record.group, Some(&record), query, &body)?;
    Ok(json_response(&json!({ "jwt": token })))
}

/// `POST …/groups/{group}/auth/tokens`: for all databases of the group, those created later as well.
pub(crate) async fn of_group(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    query: Result<Query<MintQuery>, QueryRejection>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let group = groups::find(&operator, &place, Scope::GroupMintToken)?;
    let token = mint(&app, &operator, &group, None, query, &body)?;
    Ok(json_response(&json!({ "jwt": token })))
}

fn mint(
    app: &App,
    operator: &Operator,
    group: &Group,
    database: Option<&Record>,
    query: Result<Query<MintQuery>, QueryRejection>,
    body: &[u8],
) -> Result<String> {
    let Query(query) = query.map_err(|error| Error::bad_request(error.body_text()))?;
    let fields: MintFields = fields::decode(body)?;
    let write = match query.authorization.as_str() {
        "" | "full-access" => true,
        "read-only" => false,
        other => {
            return Err(Error::bad_request(format!(
                "the authorization {other:?} is neither full-access nor read-only"
            )));
        }
    };
    let attach = fields.permissions.and_then(|p| p.read_attach).map(|r| r.databases);
    let id_of = |name: &String| -> Result<Uuid> {
        let record = operator.database(app, &NamespaceName::parse(name)?)?;
        // A token must not open what whoever mints it may not.
        operator.may(Scope::DbMintToken, &record.group)?;
        Ok(record.id)
    };
    let issued_at = catalog::now();
    let lasts = parse_expiration(&query.expiration)?;
    app.authority.mint(&Grant {
        group: group.id,
        group_generation: group.generation,
        database: database.map(|record| (record.id, record.generation)),
        write,
        child_ddl: false,
        // The CLI sends an empty list where none was asked for.
        tables: fields.fine_grained_permissions.filter(|tables| !tables.is_empty()),
        attach: attach.unwrap_or_default().iter().map(id_of).collect::<Result<_>>()?,
        issued_at,
        expires_at: lasts.map(|lasts| issued_at.saturating_add(lasts.as_secs())),
    })
}

/// `POST …/databases/{database}/auth/rotate`: tokens of the group stay valid.
pub(crate) async fn rotate_database(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    let record = databases::find(&operator, &place, Scope::DbRotateCreds)?;
    app.namespaces.rotate(&record)?;
    Ok(json_response(&json!({ "database": record.name.as_str() })))
}

/// `POST …/groups/{group}/auth/rotate`: tokens of the group's databases are invalid afterwards, too.
pub(crate) async fn rotate_group(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    let group = groups::find(&operator, &place, Scope::GroupRotateCreds)?;
    app.namespaces.rotate_group(group.id)?;
    Ok(json_response(&json!({ "group": group.name.as_str() })))
}
