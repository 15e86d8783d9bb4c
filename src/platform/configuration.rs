//! `databases/{database}/configuration` and `…/instances`: what can be set of a database, and where it is.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::databases::find;
use super::fields;
use super::operator::Operator;
use super::place::Place;
use super::shapes::{DatabaseBody, LOCATION};
use crate::auth::Scope;
use crate::catalog::{Record, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::http::App;
use crate::http::wire::{WholeBody, json_response};

#[derive(Serialize)]
struct ConfigurationBody {
    /// With a unit; `0` is no limit.
    size_limit: String,
    allow_attach: bool,
    block_reads: bool,
    block_writes: bool,
    delete_protection: bool,
    allowed_ips: [String; 0],
    allowed_aws_vpc_ids: [String; 0],
}

impl ConfigurationBody {
    fn new(settings: &Settings) -> Self {
        ConfigurationBody {
            size_limit: settings.size_limit.unwrap_or_default().to_string(),
            allow_attach: settings.allow_attach,
            block_reads: settings.block_reads,
            block_writes: settings.block_writes,
            delete_protection: settings.delete_protection,
            allowed_ips: [],
            allowed_aws_vpc_ids: [],
        }
    }
}

/// `GET …/databases/{database}/configuration`
pub(crate) async fn show(operator: Operator, place: Place) -> Result<Response> {
    let record = find(&operator, &place, Scope::Read)?;
    Ok(json_response(&ConfigurationBody::new(&record.settings)))
}

/// What is absent or null stays as it is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigureFields {
    size_limit: Option<Size>,
    allow_attach: Option<bool>,
    block_reads: Option<bool>,
    block_writes: Option<bool>,
    delete_protection: Option<bool>,
    allowed_ips: Option<Vec<String>>,
    allowed_aws_vpc_ids: Option<Vec<String>>,
}

/// `PATCH …/databases/{database}/configuration`
pub(crate) async fn configure(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let record = find(&operator, &place, Scope::DbConfigure)?;
    let fields: ConfigureFields = fields::decode(&body)?;
    let has_some = |list: Option<Vec<String>>| list.is_some_and(|list| !list.is_empty());
    if has_some(fields.allowed_ips) || has_some(fields.allowed_aws_vpc_ids) {
        return Err(Error::bad_request(
            "rules by address are not available on this server; use a firewall or a proxy before it",
        ));
    }
    let mut settings = record.settings.clone();
    let set = |to: &mut bool, from: Option<bool>| *to = from.unwrap_or(*to);
    set(&mut settings.allow_attach, fields.allow_attach);
    set(&mut settings.block_reads, fields.block_reads);
    set(&mut settings.block_writes, fields.block_writes);
    set(&mut settings.delete_protection, fields.delete_protection);
    if let Some(limit) = fields.size_limit {
        settings.size_limit = limit.limit();
    }
    app.namespaces.configure(&record, &settings)?;
    Ok(json_response(&ConfigurationBody::new(&settings)))
}

/// Bytes, as a number or as a text such as `500mb`; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Bytes(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Bytes(bytes) => Ok(Size(bytes)),
            Form::Text(text) => Size::parse(&text).ok_or_else(|| {
                serde::de::Error::custom(format!("{text:?} is not a size such as 500mb or 2gb"))
            }),
        }
    }
}

impl Size {
    /// The limit that this says, if any.
    pub(super) fn limit(self) -> Option<u64> {
        Some(self.0).filter(|bytes| *bytes > 0)
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor: u64 = match unit.trim() {
            "" | "b" => 1,
            "k" | "kb" | "kib" => 1 << 10,
            "m" | "mb" | "mib" => 1 << 20,
            "g" | "gb" | "gib" => 1 << 30,
            "t" | "tb" | "tib" => 1 << 40,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor).map(Size)
    }
}

/// The one place where a database is.
fn instance(record: &Record, place: &Place) -> serde_json::Value {
    json!({
        "uuid": record.id,
        "name": LOCATION,
        "type": "primary",
        "region": LOCATION,
        "hostname": DatabaseBody::new(record, place).hostname,
    })
}

/// `GET …/databases/{database}/instances`
pub(crate) async fn instances(operator: Operator, place: Place) -> Result<Response> {
    let record = find(&operator, &place, Scope::Read)?;
    Ok(json_response(&json!({ "instances": [instance(&record, &place)] })))
}

/// `GET …/databases/{database}/instances/{instance}`
pub(crate) async fn one_instance(operator: Operator, place: Place) -> Result<Response> {
    let record = find(&operator, &place, Scope::Read)?;
    if place.param("instance") != LOCATION {
        let message = format!("there is one instance of database {}: {LOCATION}", record.name);
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    Ok(json_response(&json!({ "instance": instance(&record, &place) })))
}

/// `POST …/databases/{database}/wakeup` and `…/update`: no database sleeps, and all are as new as the server.
pub(crate) async fn is_ready(operator: Operator, place: Place) -> Result<Response> {
    let record = find(&operator, &place, Scope::Read)?;
    Ok(json_response(&json!({ "database": DatabaseBody::new(&record, &place) })))
}

/// `POST …/databases/{database}/transfer`
pub(crate) async fn transfer(operator: Operator, place: Place) -> Result<Response> {
    find(&operator, &place, Scope::DbConfigure)?;
    Err(Error::bad_request("a database cannot be transferred: this server has one organization"))
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("0", 0), ("4096", 4096), ("10mb", 10 << 20), ("2 GB", 2 << 30), ("1KiB", 1024)]
        {
            assert_eq!(Size::parse(text), Some(Size(bytes)), "{text}");
        }
        for text in ["", "mb", "1.5gb", "-1", "1pb", "99999999999999tb"] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
    }
}
