//! `POST /`: the API before Hrana (`http_api.md` of libSQL), which DBeaver's driver and scripts use.
//!
//! All statements of a request are one transaction. sqld commits them one by one, although its documentation
//! promises that a failure leaves no change; the promise is kept here.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hrana_protocol::batch::BatchStep;
use hrana_protocol::{
    Batch, BatchCond, NamedArg, ResultRows, Rows, Stmt, StmtResult, Value, ValueRef, json,
};
use serde::{Deserialize, Serialize};

use super::App;
use super::caller::Caller;
use super::detached::detached;
use super::v1;
use super::wire::{WholeBody, json_response};
use crate::error::{Error, Result};
use crate::hrana::check_batch;
use crate::sqlite::skip_blank;

#[derive(Deserialize)]
struct RequestBody {
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a statement is a string, or an object with `q` and `params`")]
enum Statement {
    Text(String),
    WithParams {
        q: String,
        #[serde(default)]
        params: Params,
    },
}

#[derive(Default, Deserialize)]
#[serde(untagged, expecting = "`params` is an array or an object")]
enum Params {
    #[default]
    None,
    Positional(Vec<Param>),
    Named(BTreeMap<String, Param>),
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a parameter is null, a boolean, a number, a string or {\"base64\": …}"
)]
enum Param {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Blob { base64: String },
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Results(Results),
    Error(String),
}

#[derive(Serialize)]
struct Results {
    columns: Vec<String>,
    rows: Vec<Vec<serde_json::Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_read: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_written: Option<u64>,
    query_duration_ms: f64,
}

pub(crate) async fn statements(
    State(app): State<Arc<App>>,
    caller: Caller,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let request: RequestBody = json::decode(&body)?;
    let stmts = request.statements.into_iter().map(statement).collect::<Result<Vec<_>>>()?;
    let batch = batch(stmts);
    check_batch(&batch)?;
    let (mut stream, disconnect) = v1::open(&app, &caller);
    let work = async move { Ok(stream.batch(batch, None).await?.into_steps()) };
    let steps = detached(disconnect, || caller.ended(), work).await?;
    Ok(json_response(&outcomes(steps)))
}

/// The statements between BEGIN and COMMIT, each on the condition that the one before succeeded. A single one
/// needs neither, and may be one that no transaction can hold, such as VACUUM.
fn batch(stmts: Vec<Stmt>) -> Batch {
    let is_alone = stmts.len() == 1;
    let around = |sql| (!is_alone).then(|| Stmt::new(sql));
    let stmts = around("BEGIN").into_iter().chain(stmts).chain(around("COMMIT"));
    let step = |(number, stmt): (u32, Stmt)| {
        let condition = number.checked_sub(1).map(|previous| BatchCond::Ok { step: previous });
        BatchStep { condition, stmt }
    };
    Batch { steps: (0..).zip(stmts).map(step).collect() }
}

fn statement(statement: Statement) -> Result<Stmt> {
    let (sql, params) = match statement {
        Statement::Text(sql) => (sql, Params::None),
        Statement::WithParams { q, params } => (q, params),
    };
    let is_word = |c: char| c.is_ascii_alphabetic();
    let start = skip_blank(&sql);
    let word = &start[..start.find(|c| !is_word(c)).unwrap_or(start.len())];
    const FORBIDDEN: [&str; 6] = ["begin", "commit", "end", "rollback", "savepoint", "release"];
    if FORBIDDEN.iter().any(|forbidden| word.eq_ignore_ascii_case(forbidden)) {
        return Err(Error::bad_request(format!(
            "{word} is not possible here: the statements of one request are a transaction already; \
             transactions over several requests need v2/pipeline"
        )));
    }
    let mut stmt = Stmt::new(&sql);
    match params {
        Params::None => {}
        Params::Positional(values) => {
            stmt.args = values.into_iter().map(value).collect::<Result<_>>()?;
        }
        Params::Named(values) => {
            let named = |(name, param)| Ok(NamedArg { name, value: value(param)? });
            stmt.named_args = values.into_iter().map(named).collect::<Result<_>>()?;
        }
    }
    Ok(stmt)
}

fn value(param: Param) -> Result<Value> {
    Ok(match param {
        Param::Null => Value::Null,
        Param::Boolean(value) => Value::Integer(value.into()),
        Param::Integer(value) => Value::Integer(value),
        Param::Float(value) => Value::Float(value),
        Param::Text(value) => Value::Text(value),
        Param::Blob { base64 } => {
            let decoded = STANDARD_NO_PAD.decode(base64.trim_end_matches('='));
            Value::Blob(decoded.map_err(|error| {
                Error::bad_request(format!("a parameter has invalid base64: {error}"))
            })?)
        }
    })
}

/// One entry per statement; after a failure the rest are `null`.
fn outcomes(steps: Vec<Option<Result<StmtResult>>>) -> Vec<Option<Outcome>> {
    let mut steps: Vec<_> = steps.into_iter().map(|step| step.map(outcome)).collect();
    if steps.len() == 1 {
        return steps;
    }
    let commit = steps.pop().flatten();
    let mut outcomes = steps.split_off(steps.len().min(1));
    // A commit that fails, by a deferred foreign key perhaps, is told with the last statement.
    if let (Some(Outcome::Error(message)), Some(last)) = (commit, outcomes.last_mut()) {
        *last = Some(Outcome::Error(message));
    }
    if let Some(Some(Outcome::Error(message))) = steps.pop() {
        outcomes.first_mut().map(|first| first.insert(Outcome::Error(message)));
    }
    outcomes
}

fn outcome(result: Result<StmtResult>) -> Outcome {
    match result {
        Ok(result) => Outcome::Results(Results {
            columns: result.cols.iter().map(|col| col.name.clone().unwrap_or_default()).collect(),
            rows: rows(&result.rows),
            rows_read: result.rows_read,
            rows_written: result.rows_written,
            query_duration_ms: result.query_duration_ms.unwrap_or_default(),
        }),
        // This API shows SQLite's own words.
        Err(error) => {
            let message = error.message();
            Outcome::Error(message.strip_prefix("SQLite error: ").unwrap_or(message).to_owned())
        }
    }
}

/// The rows are values: nobody was asked to encode them.
fn rows(rows: &ResultRows) -> Vec<Vec<serde_json::Value>> {
    let rows = rows.values().into_iter().flat_map(Rows::iter);
    rows.map(|row| row.values().map(plain).collect()).collect()
}

fn plain(value: ValueRef<'_>) -> serde_json::Value {
    match value {
        ValueRef::Null => serde_json::Value::Null,
        ValueRef::Integer(value) => value.into(),
        ValueRef::Float(value) => value.into(),
        ValueRef::Text(value) => value.into(),
        ValueRef::Blob(value) => serde_json::json!({ "base64": STANDARD_NO_PAD.encode(value) }),
    }
}
