//! `groups`: databases that share tokens. Where they are is not for the client to say: everything is here.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::fields;
use super::operator::Operator;
use super::place::Place;
use super::shapes::{GroupBody, LOCATION};
use crate::auth::Scope;
use crate::catalog::{Group, GroupName};
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::wire::{WholeBody, json_response};
use crate::sqlite::block;

/// `GET …/groups`
pub(crate) async fn list(
    operator: Operator,
    _: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    let groups = block(|| app.catalog.groups())?;
    let seen = groups.iter().filter(|group| operator.sees(group));
    let groups: Vec<_> = seen.map(GroupBody::new).collect();
    Ok(json_response(&json!({ "groups": groups })))
}

/// The group in the URL, if the operator may do this to it.
pub(super) fn find(operator: &Operator, place: &Place, scope: Scope) -> Result<Group> {
    let group = place.group(operator)?;
    operator.may(scope, &group)?;
    Ok(group)
}

fn answer(group: &Group) -> Response {
    json_response(&json!({ "group": GroupBody::new(group) }))
}

/// `GET …/groups/{group}`
pub(crate) async fn show(operator: Operator, place: Place) -> Result<Response> {
    find(&operator, &place, Scope::Read).map(|group| answer(&group))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CreateFields {
    name: Option<String>,
}

/// `POST …/groups`. A location is passed over: the CLI names one that it thinks is near.
pub(crate) async fn create(
    operator: Operator,
    _: Place,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    operator.may_everywhere(Scope::GroupConfigure)?;
    let fields: CreateFields = fields::decode(&body)?;
    let name = fields.name.ok_or_else(|| Error::bad_request("the field `name` is missing"))?;
    let group = app.namespaces.create_group(&GroupName::parse(&name)?)?;
    Ok(answer(&group))
}

/// `DELETE …/groups/{group}`, with all of its databases.
pub(crate) async fn delete(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    let group = find(&operator, &place, Scope::GroupConfigure)?;
    operator.may(Scope::DbDelete, &group)?;
    app.namespaces.delete_group(&group.name)?;
    Ok(answer(&group))
}

/// `GET …/groups/{group}/configuration`
pub(crate) async fn configuration(operator: Operator, place: Place) -> Result<Response> {
    let group = find(&operator, &place, Scope::Read)?;
    Ok(json_response(&json!({ "delete_protection": group.delete_protection })))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigureFields {
    delete_protection: Option<bool>,
}

/// `PATCH …/groups/{group}/configuration`
pub(crate) async fn configure(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let group = find(&operator, &place, Scope::GroupConfigure)?;
    let fields: ConfigureFields = fields::decode(&body)?;
    let delete_protection = fields.delete_protection.unwrap_or(group.delete_protection);
    app.namespaces.protect_group(&group, delete_protection)?;
    Ok(json_response(&json!({ "delete_protection": delete_protection })))
}

/// `GET …/groups/{group}/locations/{location}/wait`, `POST …/groups/{group}/unarchive` and `…/update`: there is
/// nothing to wait for or to do, a group is ready from the start.
pub(crate) async fn is_ready(operator: Operator, place: Place) -> Result<Response> {
    find(&operator, &place, Scope::Read).map(|group| answer(&group))
}

/// `POST` and `DELETE …/groups/{group}/locations/{location}`
pub(crate) async fn locations(operator: Operator, place: Place) -> Result<Response> {
    find(&operator, &place, Scope::GroupConfigure)?;
    Err(Error::bad_request(format!(
        "a self-hosted group is in one place, {LOCATION:?}; locations cannot be added or removed"
    )))
}

/// `POST …/groups/{group}/rename` and `…/transfer`
pub(crate) async fn stays(operator: Operator, place: Place) -> Result<Response> {
    find(&operator, &place, Scope::GroupConfigure)?;
    Err(Error::bad_request(
        "a group cannot be renamed or transferred: this server has one organization, and tokens and \
         applications know the group by its name",
    ))
}

/// `GET …/groups/{group}/aws/migration/info`
pub(crate) async fn migration(operator: Operator, place: Place) -> Result<Response> {
    find(&operator, &place, Scope::Read)?;
    let comment = "this server is not in a cloud; there is nothing to migrate";
    Ok(json_response(&json!({ "status": "none", "comment": comment })))
}
