//! `jwks`: keys of identity providers, whose tokens open databases; and what such a token has to claim.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fields;
use super::operator::Operator;
use super::place::Place;
use crate::auth::TablePermissions;
use crate::catalog::{ForeignKeyRecord, GroupName, NamespaceName};
use crate::error::{Error, ErrorKind, Result};
use crate::http::App;
use crate::http::wire::{WholeBody, json_response};
use crate::keys::add_from_url;
use crate::namespace::group_not_found;
use crate::sqlite::block;

fn shape(name: &str, url: &str) -> Value {
    json!({ "jwks_name": name, "jwks_url": url })
}

/// Those of the whole organization that came from a URL.
fn published(app: &App) -> Result<Vec<ForeignKeyRecord>> {
    let mut keys = block(|| app.catalog.foreign_keys())?;
    keys.retain(|key| key.url.is_some() && key.group.is_none() && key.database.is_none());
    Ok(keys)
}

/// `GET /v2/organizations/{organization}/jwks`
pub(crate) async fn list(
    operator: Operator,
    _: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    operator.may_everything()?;
    let keys = published(&app)?;
    let shapes = keys.iter().map(|key| shape(&key.name, key.url.as_deref().unwrap_or_default()));
    Ok(json_response(&json!({ "jwks": shapes.collect::<Vec<_>>() })))
}

/// The CLI calls it `jwks_url`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SaveFields {
    #[serde(alias = "jwks_url")]
    url: Option<String>,
}

/// `PUT /v2/organizations/{organization}/jwks/{name}`
pub(crate) async fn save(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    operator.may_everything()?;
    let fields: SaveFields = fields::decode(&body)?;
    let url = fields.url.ok_or_else(|| Error::bad_request("the field `url` is missing"))?;
    let name = place.param("name");
    block(|| add_from_url(&app.catalog, name, &url, None))?;
    app.refresh_keys()?;
    Ok(json_response(&shape(name, &url)))
}

/// `DELETE /v2/organizations/{organization}/jwks/{name}`
pub(crate) async fn remove(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    operator.may_everything()?;
    let name = place.param("name");
    if !published(&app)?.iter().any(|key| key.name == name) {
        let message = format!("there are no keys {name:?} of an identity provider");
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    block(|| app.catalog.remove_foreign_key(name, None, None))?;
    app.refresh_keys()?;
    Ok(json_response(&json!({ "jwks_name": name })))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TemplateFields {
    database: Option<String>,
    group: Option<String>,
    scope: String,
    permissions: Option<TablePermissions>,
}

/// `GET /v2/organizations/{organization}/jwks-template`, with a body: the claims for a token with these rights.
pub(crate) async fn template(
    operator: Operator,
    _: Place,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    operator.may_everything()?;
    let fields: TemplateFields = fields::decode(&body)?;
    let right = match fields.scope.as_str() {
        "" | "full-access" => "rw",
        "read-only" => "ro",
        other => {
            let message = format!("the scope {other:?} is neither full-access nor read-only");
            return Err(Error::bad_request(message));
        }
    };
    // Ids, so that nobody gets into a database that has the name later.
    let given = |field: Option<String>| field.filter(|name| !name.is_empty());
    let mut claims = match (given(fields.database), given(fields.group)) {
        (None, None) => Map::from_iter([("a".to_owned(), json!(right))]),
        (Some(name), None) => {
            let record = app.namespaces.find(&NamespaceName::parse(&name)?)?;
            Map::from_iter([("p".to_owned(), json!({ right: { "ns": [record.id] } }))])
        }
        (None, Some(name)) => {
            let name = GroupName::parse(&name)?;
            let group = block(|| app.catalog.group(&name))?;
            let group = group.ok_or_else(|| group_not_found(&name))?;
            Map::from_iter([("p".to_owned(), json!({ right: { "tags": [group.id] } }))])
        }
        (Some(_), Some(_)) => {
            return Err(Error::bad_request("`database` and `group` cannot both be given"));
        }
    };
    if let Some(tables) = fields.permissions.filter(|tables| !tables.is_empty()) {
        claims.insert("perm".to_owned(), json!(tables));
    }
    Ok(json_response(&json!({ "template": claims })))
}
