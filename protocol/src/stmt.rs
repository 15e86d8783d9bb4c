//! Statements and their results (*Statements* and *Statement results* in the specification).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::DecodeError;
use crate::result_rows::ResultRows;
use crate::value::Value;

/// Where the text of a statement comes from: exactly one of `sql` and `sql_id` is on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SqlRef {
    /// The text itself.
    Text { sql: String },
    /// An id given earlier to `store_sql`; from Hrana 2 on.
    Stored { sql_id: i32 },
}

impl SqlRef {
    /// The reference that the two optional fields of a message express.
    pub(crate) fn new(sql: Option<String>, sql_id: Option<i32>) -> Result<Self, DecodeError> {
        match (sql, sql_id) {
            (Some(sql), None) => Ok(SqlRef::Text { sql }),
            (None, Some(sql_id)) => Ok(SqlRef::Stored { sql_id }),
            (Some(_), Some(_)) => {
                Err(DecodeError::new("Either `sql` or `sql_id` are required, but not both"))
            }
            (None, None) => Err(DecodeError::new("Either `sql` or `sql_id` are required")),
        }
    }
}

impl From<&str> for SqlRef {
    fn from(sql: &str) -> Self {
        SqlRef::Text { sql: sql.to_owned() }
    }
}

/// One SQL statement with its arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StmtFields")]
pub struct Stmt {
    /// One statement.
    #[serde(flatten)]
    pub sql: SqlRef,
    /// Bound by position.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Value>,
    /// Bound by name, with or without the prefix `:`, `@` or `$`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub named_args: Vec<NamedArg>,
    /// Whether rows are wanted in the result; absent means they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub want_rows: Option<bool>,
}

impl Stmt {
    /// A statement without arguments.
    pub fn new(sql: &str) -> Self {
        Stmt { sql: sql.into(), args: Vec::new(), named_args: Vec::new(), want_rows: None }
    }
}

/// The fields of [`Stmt`] as they are on the wire.
#[derive(Deserialize)]
#[serde(expecting = "struct Stmt")]
struct StmtFields {
    sql: Option<String>,
    sql_id: Option<i32>,
    #[serde(default)]
    args: Option<Vec<Value>>,
    #[serde(default)]
    named_args: Option<Vec<NamedArg>>,
    want_rows: Option<bool>,
}

impl TryFrom<StmtFields> for Stmt {
    type Error = DecodeError;

    fn try_from(fields: StmtFields) -> Result<Self, DecodeError> {
        Ok(Stmt {
            sql: SqlRef::new(fields.sql, fields.sql_id)?,
            args: fields.args.unwrap_or_default(),
            named_args: fields.named_args.unwrap_or_default(),
            want_rows: fields.want_rows,
        })
    }
}

/// An argument bound by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedArg {
    /// With or without the prefix `:`, `@` or `$`.
    pub name: String,
    pub value: Value,
}

/// The result of one statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StmtResult {
    /// Shared, because a cached statement answers with the same columns each time.
    #[serde(with = "crate::json::shared_slice")]
    pub cols: Arc<[Col]>,
    /// As wide as there are columns.
    pub rows: ResultRows,
    /// Rows that the statement itself inserted, updated or deleted; without meaning for others.
    pub affected_row_count: u64,
    /// The rowid of the last row inserted; without meaning where nothing was. A string in JSON.
    #[serde(default, with = "crate::json::optional_i64")]
    pub last_insert_rowid: Option<i64>,
    /// Rows that the statement visited; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_read: Option<u64>,
    /// Rows that the statement and its triggers wrote; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_written: Option<u64>,
    /// Time from preparing to the last row, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_duration_ms: Option<f64>,
}

/// A column of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Col {
    /// As given by `AS`; whatever SQLite makes of the expression otherwise.
    pub name: Option<String>,
    /// The type in the table's declaration; from Hrana 2 on.
    #[serde(default)]
    pub decltype: Option<String>,
}
