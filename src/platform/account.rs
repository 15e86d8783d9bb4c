//! Who the owner is, the organization, where it is, and what it may use: answers that a self-hosted server gives
//! to questions meant for a cloud.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::operator::Operator;
use super::place::Place;
use super::shapes::LOCATION;
use crate::error::{Error, ErrorKind, Result};
use crate::http::wire::json_response;

/// The plan's name: everything that the machine has.
const PLAN: &str = "self-hosted";

/// `GET /v1/current-user` and `/v1/user`. The user is called as the organization: applications take one for the
/// other.
pub(crate) async fn user(_: Operator, place: Place) -> Result<Response> {
    let name = place.organization();
    let user =
        json!({ "username": name, "name": name, "email": "", "avatarUrl": "", "plan": PLAN });
    Ok(json_response(&json!({ "user": user })))
}

fn organization(place: &Place) -> Value {
    json!({
        "id": "",
        "name": place.organization(),
        "slug": place.organization(),
        "type": "personal",
        "overages": false,
        "blocked_reads": false,
        "blocked_writes": false,
        "plan_id": PLAN,
        "plan_timeline": "",
        "platform": "local",
    })
}

/// `GET /v1/organizations` and `/v2/organizations`
pub(crate) async fn organizations(_: Operator, place: Place) -> Result<Response> {
    Ok(json_response(&json!({ "organizations": [organization(&place)] })))
}

/// `GET /v1/organizations/{organization}`
pub(crate) async fn show(_: Operator, place: Place) -> Result<Response> {
    Ok(json_response(&json!({ "organization": organization(&place) })))
}

/// `PATCH /v1/organizations/{organization}`: the only thing to set is whether use beyond the plan is paid for, and
/// there is no plan.
pub(crate) async fn change(operator: Operator, place: Place) -> Result<Response> {
    operator.may_everything()?;
    Ok(json_response(&json!({ "organization": organization(&place) })))
}

/// Whatever would make or end an organization.
pub(crate) async fn stays(operator: Operator) -> Result<Response> {
    operator.may_everything()?;
    Err(Error::bad_request(
        "this server has one organization, named by --org; there cannot be another or none",
    ))
}

/// `POST …/members` and `…/invites`
pub(crate) async fn no_members(operator: Operator) -> Result<Response> {
    operator.may_everything()?;
    Err(Error::bad_request(
        "nobody can be invited to become a member: this server knows its owner only; mint an API token \
         for others",
    ))
}

/// `DELETE …/members/{username}`
pub(crate) async fn remove_member(operator: Operator, place: Place) -> Result<Response> {
    operator.may_everything()?;
    if place.param("username") == place.organization() {
        return Err(Error::bad_request("the owner of the server cannot be removed"));
    }
    let message = format!("there is no member {:?}", place.param("username"));
    Err(Error::new(ErrorKind::NotFound, message))
}

/// `DELETE …/invites/{email}`
pub(crate) async fn remove_invite(operator: Operator, place: Place) -> Result<Response> {
    operator.may_everything()?;
    let message = format!("there is no invitation of {:?}", place.param("email"));
    Err(Error::new(ErrorKind::NotFound, message))
}

/// `GET …/members`
pub(crate) async fn members(_: Operator, place: Place) -> Result<Response> {
    let owner = json!({ "username": place.organization(), "role": "owner", "email": "" });
    Ok(json_response(&json!({ "members": [owner] })))
}

/// `GET …/invites`
pub(crate) async fn invites(_: Operator) -> Result<Response> {
    Ok(json_response(&json!({ "invites": [] })))
}

/// `GET …/audit-logs`
pub(crate) async fn audit_logs(_: Operator) -> Result<Response> {
    let pagination = json!({ "page": 1, "page_size": 0, "total_pages": 0, "total_rows": 0 });
    Ok(json_response(&json!({ "audit_logs": [], "pagination": pagination })))
}

/// `GET …/invoices`
pub(crate) async fn invoices(_: Operator) -> Result<Response> {
    Ok(json_response(&json!({ "invoices": [] })))
}

/// `GET …/subscription`
pub(crate) async fn subscription(_: Operator) -> Result<Response> {
    let plan = json!({ "plan": PLAN, "timeline": "", "overages": false });
    Ok(json_response(&json!({ "subscription": plan })))
}

/// `GET /v1/plans` and `…/plans`: one, and everything in it is without a limit, which 0 says.
pub(crate) async fn plans(_: Operator) -> Result<Response> {
    let quotas = json!({
        "rowsRead": 0, "rowsWritten": 0, "databases": 0, "bytesSynced": 0, "locations": 0, "storage": 0, "groups": 0,
    });
    let plan = json!({ "name": PLAN, "price": "0", "quotas": quotas });
    Ok(json_response(&json!({ "plans": [plan] })))
}

/// `GET /v2/locations`: by platform.
pub(crate) async fn locations_by_platform(_: Operator) -> Result<Response> {
    Ok(json_response(&json!({ "locations": { "local": { LOCATION: "this server" } } })))
}

/// `GET /v1/locations`
pub(crate) async fn locations(_: Operator) -> Result<Response> {
    Ok(json_response(&json!({ "locations": { LOCATION: "this server" } })))
}

/// `GET /v1/locations/{location}`
pub(crate) async fn location(_: Operator, Path(location): Path<String>) -> Result<Response> {
    if location != LOCATION {
        let message = format!("there is no location {location:?}; this server's is {LOCATION:?}");
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    let location = json!({ "code": LOCATION, "description": "this server", "closest": [] });
    Ok(json_response(&json!({ "location": location })))
}

/// `GET /releases/latest`: the version that the CLI already has. With any other it would fetch a program from the
/// internet and run it.
pub(crate) async fn latest_release(headers: HeaderMap) -> Response {
    let own = headers.get("tursocliversion").and_then(|version| version.to_str().ok());
    json_response(&json!({ "latest": own.unwrap_or("v0.0.0") }))
}
