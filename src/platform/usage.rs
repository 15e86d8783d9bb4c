//! `usage` of databases and of the organization, and what the top queries have cost.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::databases::find;
use super::dates;
use super::operator::Operator;
use super::place::Place;
use crate::auth::Scope;
use crate::catalog::{Filter, Record, Usage};
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::wire::json_response;
use crate::sqlite::block;

#[derive(Deserialize)]
pub(crate) struct Period {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

impl Period {
    /// Days from 1970-01-01, both included: usage is kept by day, in UTC. Without a beginning it is that of the month.
    fn days(query: Result<Query<Period>, QueryRejection>) -> Result<(i64, i64)> {
        let Query(period) = query.map_err(|error| Error::bad_request(error.body_text()))?;
        let today = dates::today();
        let day = |text: &str, otherwise: i64| match text {
            "" => Ok(otherwise),
            text => dates::day(text),
        };
        Ok((day(&period.from, dates::first_of_month())?, day(&period.to, today)?))
    }
}

/// What was used: rows that statements have read and written, and what the files take now.
#[derive(Clone, Copy, Default, Serialize)]
struct UsageBody {
    rows_read: u64,
    rows_written: u64,
    storage_bytes: u64,
    /// There are no replicas that would be brought up to date.
    bytes_synced: u64,
}

impl UsageBody {
    fn new(app: &App, record: &Record, used: Option<&Usage>) -> Self {
        let used = used.copied().unwrap_or_default();
        UsageBody {
            rows_read: used.rows_read,
            rows_written: used.rows_written,
            storage_bytes: app.namespaces.storage_bytes(record.id),
            bytes_synced: 0,
        }
    }
}

/// The usage of one database; what is `usage` for the CLI is `total` in the documentation.
fn shape(record: &Record, usage: UsageBody) -> Value {
    json!({
        "uuid": record.id,
        "name": record.name.as_str(),
        "instances": [{ "uuid": record.id, "usage": usage }],
        "usage": usage,
        "total": usage,
    })
}

/// `GET …/databases/{database}/usage`
pub(crate) async fn of_database(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    period: Result<Query<Period>, QueryRejection>,
) -> Result<Response> {
    let record = find(&operator, &place, Scope::Read)?;
    let (from, to) = Period::days(period)?;
    let used = app.namespaces.usage(Some(record.id), from, to)?;
    let usage = block(|| UsageBody::new(&app, &record, used.get(&record.id)));
    Ok(json_response(&json!({ "database": shape(&record, usage) })))
}

/// `GET …/usage`: of all databases that the operator may see.
pub(crate) async fn of_organization(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
    period: Result<Query<Period>, QueryRejection>,
) -> Result<Response> {
    let (from, to) = Period::days(period)?;
    let used = app.namespaces.usage(None, from, to)?;
    let records = block(|| app.catalog.databases(&Filter::default()))?;
    let groups = block(|| app.catalog.groups())?;
    let records: Vec<_> = records.iter().filter(|record| operator.sees(&record.group)).collect();
    let usages: Vec<_> = block(|| {
        records.iter().map(|record| UsageBody::new(&app, record, used.get(&record.id))).collect()
    });
    let sum = |of: fn(&UsageBody) -> u64| usages.iter().map(of).sum::<u64>();
    let usage = json!({
        "rows_read": sum(|usage| usage.rows_read),
        "rows_written": sum(|usage| usage.rows_written),
        "storage_bytes": sum(|usage| usage.storage_bytes),
        "bytes_synced": 0,
        "databases": records.len(),
        "groups": groups.iter().filter(|group| operator.sees(group)).count(),
        "locations": 1,
    });
    let databases = records.iter().zip(usages).map(|(record, usage)| shape(record, usage));
    let organization = json!({
        "uuid": place.organization(),
        "usage": usage,
        "databases": databases.collect::<Vec<_>>(),
    });
    Ok(json_response(&json!({ "organization": organization })))
}

#[derive(Serialize)]
struct QueryBody {
    query: Arc<str>,
    rows_read: u64,
    rows_written: u64,
}

fn queries(app: &App, operator: &Operator, place: &Place) -> Result<Vec<QueryBody>> {
    let record = find(operator, place, Scope::Read)?;
    let top = app.namespaces.top_queries(record.id).into_iter();
    Ok(top
        .map(|top| QueryBody {
            query: top.text,
            rows_read: top.rows_read,
            rows_written: top.rows_written,
        })
        .collect())
}

/// `GET …/databases/{database}/usage/queries`: the texts that have cost most, since the server was started. A time
/// to count from, which the CLI sends, is passed over.
pub(crate) async fn top_queries(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    Ok(json_response(&queries(&app, &operator, &place)?))
}

/// `GET …/databases/{database}/stats`: the same, as it is documented.
pub(crate) async fn stats(
    operator: Operator,
    place: Place,
    State(app): State<Arc<App>>,
) -> Result<Response> {
    let top = queries(&app, &operator, &place)?;
    Ok(json_response(&json!({ "top_queries": top })))
}
