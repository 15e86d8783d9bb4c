//! What a stream can be asked, and what it answers.
//!
//! Hrana over HTTP and over WebSocket ask the same things of a stream; this is the one list. The
//! WebSocket messages add an id of the stream ([`crate::ws`]) and keep their stored SQL texts by
//! connection.

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, BatchResult};
use crate::describe::DescribeResult;
use crate::error::{DecodeError, Error};
use crate::stmt::{SqlRef, Stmt, StmtResult};

/// A request on a stream (`StreamRequest` in *Hrana over HTTP*).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "StreamRequestFields")]
pub enum StreamRequest {
    Close,
    Execute {
        stmt: Stmt,
    },
    Batch {
        batch: Batch,
    },
    /// Several statements in one text, without results.
    Sequence {
        #[serde(flatten)]
        sql: SqlRef,
    },
    Describe {
        #[serde(flatten)]
        sql: SqlRef,
    },
    StoreSql {
        sql_id: i32,
        sql: String,
    },
    CloseSql {
        sql_id: i32,
    },
    /// From Hrana 3 on.
    GetAutocommit,
}

/// The fields of every request; read in one pass, in any order.
#[derive(Deserialize)]
#[serde(rename = "StreamRequest")]
struct StreamRequestFields {
    #[serde(rename = "type")]
    kind: StreamRequestKind,
    stmt: Option<Stmt>,
    batch: Option<Batch>,
    sql: Option<String>,
    sql_id: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StreamRequestKind {
    Close,
    Execute,
    Batch,
    Sequence,
    Describe,
    StoreSql,
    CloseSql,
    GetAutocommit,
}

impl TryFrom<StreamRequestFields> for StreamRequest {
    type Error = DecodeError;

    fn try_from(fields: StreamRequestFields) -> Result<Self, DecodeError> {
        let StreamRequestFields { kind, stmt, batch, sql, sql_id } = fields;
        Ok(match kind {
            StreamRequestKind::Close => StreamRequest::Close,
            StreamRequestKind::Execute => {
                StreamRequest::Execute { stmt: present(stmt, "execute", "stmt")? }
            }
            StreamRequestKind::Batch => {
                StreamRequest::Batch { batch: present(batch, "batch", "batch")? }
            }
            StreamRequestKind::Sequence => {
                StreamRequest::Sequence { sql: SqlRef::new(sql, sql_id)? }
            }
            StreamRequestKind::Describe => {
                StreamRequest::Describe { sql: SqlRef::new(sql, sql_id)? }
            }
            StreamRequestKind::StoreSql => StreamRequest::StoreSql {
                sql_id: present(sql_id, "store_sql", "sql_id")?,
                sql: present(sql, "store_sql", "sql")?,
            },
            StreamRequestKind::CloseSql => {
                StreamRequest::CloseSql { sql_id: present(sql_id, "close_sql", "sql_id")? }
            }
            StreamRequestKind::GetAutocommit => StreamRequest::GetAutocommit,
        })
    }
}

/// The field of a message that must be there.
pub(crate) fn present<T>(field: Option<T>, message: &str, name: &str) -> Result<T, DecodeError> {
    field.ok_or_else(|| DecodeError::new(format!("`{message}` is missing its field `{name}`")))
}

/// The answer to a request of the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamResponse {
    Close,
    Execute { result: StmtResult },
    Batch { result: BatchResult },
    Sequence,
    Describe { result: DescribeResult },
    StoreSql,
    CloseSql,
    GetAutocommit { is_autocommit: bool },
}

/// How one request of a pipeline ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamResult {
    Ok { response: StreamResponse },
    Error { error: Error },
}
