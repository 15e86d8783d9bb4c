//! `auth/api-tokens`: tokens for this API itself. The text of one is shown once, when it is minted.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::operator::Operator;
use super::place::Place;
use super::{dates, fields};
use crate::auth::{ApiToken, Scopes};
use crate::catalog::{self, ApiTokenRecord, GroupName};
use crate::error::{Error, ErrorKind, Result};
use crate::http::App;
use crate::http::wire::{WholeBody, json_response};
use crate::limits;
use crate::namespace::group_not_found;
use crate::sqlite::block;

#[derive(Default, Deserialize)]
#[serde(default)]
struct MintFields {
    organization: Option<String>,
    group: Option<String>,
    scopes: Option<Vec<String>>,
}

/// `POST /v1/auth/api-tokens/{token}`, as the SDKs read the answer.
pub(crate) async fn mint_v1(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let (record, token) = mint(&operator, &place, &app, &body)?;
    Ok(json_response(&json!({ "id": record.id, "name": record.name, "token": token })))
}

/// `POST /v2/auth/api-tokens/{token}`, as the CLI reads the answer.
pub(crate) async fn mint_v2(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let (record, token) = mint(&operator, &place, &app, &body)?;
    let token = json!({ "id": record.id, "name": record.name, "value": token });
    Ok(json_response(&json!({ "token": token })))
}

fn mint(
    operator: &Operator,
    place: &Place,
    app: &App,
    body: &[u8],
) -> Result<(ApiTokenRecord, String)> {
    // A limited token must not beget one that may do more.
    operator.may_everything()?;
    let fields: MintFields = fields::decode(body)?;
    let name = place.param("token");
    if name.is_empty() || name.len() > limits::TOKEN_NAME_BYTES_MAX {
        let message =
            format!("the name of a token has 1 to {} bytes", limits::TOKEN_NAME_BYTES_MAX);
        return Err(Error::new(ErrorKind::NameInvalid, message));
    }
    let own = place.organization();
    if let Some(other) = fields.organization.filter(|o| !o.is_empty() && o != own) {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("there is no organization {other:?}; this server's is {own:?}"),
        ));
    }
    let group = match fields.group.filter(|group| !group.is_empty()) {
        None => None,
        Some(group) => {
            let name = GroupName::parse(&group)?;
            let group = block(|| app.catalog.group(&name))?;
            let group = group.ok_or_else(|| group_not_found(&name))?;
            Some((group.id, group.name.to_string()))
        }
    };
    let scopes = match fields.scopes.filter(|scopes| !scopes.is_empty()) {
        None => None,
        Some(names) => {
            let scopes = Scopes::parse(names.iter().map(String::as_str))?;
            Some(scopes.names().join(" "))
        }
    };
    let created_at = i64::try_from(catalog::now()).unwrap_or(i64::MAX);
    let record =
        ApiTokenRecord { id: Uuid::new_v4(), name: name.to_owned(), scopes, group, created_at };
    let token = ApiToken::mint()?;
    block(|| app.catalog.create_api_token(&record, &ApiToken::hash(&token)))?;
    Ok((record, token))
}

/// `GET /v1/auth/api-tokens`
pub(crate) async fn list(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    operator.may_everything()?;
    let tokens = block(|| app.catalog.api_tokens())?;
    let tokens: Vec<Value> = tokens.iter().map(|token| shape(token, &place)).collect();
    Ok(json_response(&json!({ "tokens": tokens })))
}

fn shape(token: &ApiTokenRecord, place: &Place) -> Value {
    let scopes: Vec<_> = token.scopes.iter().flat_map(|names| names.split_whitespace()).collect();
    // The CLI shows a token without an organization as one for all of them; there is no other.
    let organization = if token.group.is_some() { place.organization() } else { "" };
    json!({
        "id": token.id,
        "name": token.name,
        "organization": organization,
        "group": token.group.as_ref().map_or("", |(_, name)| name),
        "scopes": scopes,
        "created_at": dates::rfc3339(token.created_at),
    })
}

/// `DELETE /v1/auth/api-tokens/{token}`, by name or by id.
pub(crate) async fn revoke(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    operator.may_everything()?;
    let name = place.param("token");
    if !block(|| app.catalog.revoke_api_token(name))? {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no api token {name:?}")));
    }
    Ok(json_response(&json!({ "token": name })))
}

/// `POST /v1/auth/invalidate`: all tokens but the owner's own, which is in a file.
pub(crate) async fn revoke_all(
    operator: Operator,
    _: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    operator.may_everything()?;
    block(|| app.catalog.revoke_all_api_tokens())?;
    let now = catalog::now();
    Ok(json_response(&json!({ "valid_from": now, "ValidFrom": now })))
}

/// `GET /v1/auth/validate` and `/v1/auth/api-tokens/validate`: until when the caller's token is valid. None
/// expires; the CLI asks each time again if it is told so, hence a date that is far away.
pub(crate) async fn validate(_: Operator) -> Result<Response> {
    let exp = catalog::now() + limits::API_TOKEN_SAID_TO_LAST.as_secs();
    Ok(json_response(&json!({ "exp": exp })))
}
