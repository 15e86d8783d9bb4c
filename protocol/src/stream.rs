//! What a stream can be asked, and what it answers.
//!
//! Hrana over HTTP and over WebSocket ask the same things of a stream; this is the one list. The
//! WebSocket messages add an id of the stream ([`crate::ws`]) and keep their stored SQL texts by
//! connection.

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, BatchResult};
use crate::describe::DescribeResult;
use crate::error::{DecodeError, Error, present};
use crate::stmt::{SqlRef, Stmt, StmtResult};

/// A request on a stream (`StreamRequest` in *Hrana over HTTP*).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "StreamRequestFields")]
pub enum StreamRequest {
    /// Ends the stream; nothing may follow. (*Close stream*)
    Close,
    /// One statement with its result. (*Execute a statement*)
    Execute { stmt: Stmt },
    /// Several statements with their results. (*Execute a batch*)
    Batch { batch: Batch },
    /// Several statements in one text, without results. (*Execute a sequence of SQL statements*)
    Sequence {
        #[serde(flatten)]
        sql: SqlRef,
    },
    /// What a statement is, without executing it. (*Describe a statement*)
    Describe {
        #[serde(flatten)]
        sql: SqlRef,
    },
    /// Keeps an SQL text. (*Store an SQL text on the server*)
    StoreSql {
        /// Chosen by the client, any number that is not in use.
        sql_id: i32,
        sql: String,
    },
    /// Forgets an SQL text, if there is one of this id. (*Close a stored SQL text*)
    CloseSql { sql_id: i32 },
    /// Whether the stream is outside a transaction; from Hrana 3 on. (*Get the autocommit state*)
    GetAutocommit,
}

/// The fields of every request; read in one pass, in any order.
#[derive(Deserialize)]
#[serde(expecting = "struct StreamRequest")]
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
