//! Who the owner is, the organization, where it is, and what it may use: answers that a self-hosted server gives
//! to questions meant for a cloud.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fields;
use super::operator::Operator;
use super::place::Place;
use super::shapes::LOCATION;
use crate::error::{Error, ErrorKind, Result};
use crate::http::wire::{WholeBody, json_response};

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

#[derive(Default, Deserialize)]
#[serde(default)]
struct UpdateFields {
    overages: bool,
}

/// `PATCH /v1/organizations/{organization}`: nobody can go over a quota where there is none.
pub(crate) async fn update(
    operator: Operator,
    place: Place,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    operator.may_everything()?;
    let fields: UpdateFields = fields::decode(&body)?;
    if fields.overages {
        return Err(Error::bad_request(
            "there are no overages on this server, as it has no quotas",
        ));
    }
    Ok(json_response(&json!({ "organization": organization(&place) })))
}

/// Whatever else would change the organization.
pub(crate) async fn stays(operator: Operator) -> Result<Response> {
    operator.may_everything()?;
    Err(Error::bad_request(
        "this server has one organization, named by --org; it has no other members, invoices or plans",
    ))
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

/// `GET /` of `region.turso.io`, which answers whoever asks: the location of the server and the one that is nearest to
/// the client.
pub(crate) async fn nearest_location() -> Response {
    json_response(&json!({ "server": LOCATION, "client": LOCATION }))
}

/// `GET /releases/latest`: the version that the CLI already has. With any other it would fetch a program from the
/// internet and run it.
pub(crate) async fn latest_release(headers: HeaderMap) -> Response {
    let own = headers.get("tursocliversion").and_then(|version| version.to_str().ok());
    json_response(&json!({ "latest": own.unwrap_or("v0.0.0") }))
}
