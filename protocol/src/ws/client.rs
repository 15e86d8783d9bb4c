//! The JSON form of what a client sends.

use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::{ClientMsg, Request};
use crate::batch::Batch;
use crate::error::{DecodeError, present};
use crate::stmt::{SqlRef, Stmt};
use crate::stream::StreamRequest;

/// The fields of every message of a client; read in one pass, in any order.
#[derive(Deserialize)]
#[serde(expecting = "struct ClientMsg")]
pub(super) struct ClientMsgFields {
    #[serde(rename = "type")]
    kind: ClientMsgKind,
    jwt: Option<String>,
    request_id: Option<i32>,
    request: Option<Request>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClientMsgKind {
    Hello,
    Request,
}

impl TryFrom<ClientMsgFields> for ClientMsg {
    type Error = DecodeError;

    fn try_from(fields: ClientMsgFields) -> Result<Self, DecodeError> {
        Ok(match fields.kind {
            ClientMsgKind::Hello => ClientMsg::Hello { jwt: fields.jwt },
            ClientMsgKind::Request => ClientMsg::Request {
                request_id: present(fields.request_id, "request", "request_id")?,
                request: present(fields.request, "request", "request")?,
            },
        })
    }
}

/// The fields of every request.
#[derive(Deserialize)]
#[serde(expecting = "struct Request")]
pub(super) struct RequestFields {
    #[serde(rename = "type")]
    kind: RequestKind,
    stream_id: Option<i32>,
    cursor_id: Option<i32>,
    max_count: Option<u32>,
    stmt: Option<Stmt>,
    batch: Option<Batch>,
    sql: Option<String>,
    sql_id: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RequestKind {
    OpenStream,
    CloseStream,
    Execute,
    Batch,
    OpenCursor,
    CloseCursor,
    FetchCursor,
    Sequence,
    Describe,
    StoreSql,
    CloseSql,
    GetAutocommit,
}

impl TryFrom<RequestFields> for Request {
    type Error = DecodeError;

    fn try_from(fields: RequestFields) -> Result<Self, DecodeError> {
        let RequestFields { kind, stream_id, cursor_id, max_count, stmt, batch, sql, sql_id } =
            fields;
        let stream_id = |message| present(stream_id, message, "stream_id");
        let cursor_id = |message| present(cursor_id, message, "cursor_id");
        Ok(match kind {
            RequestKind::OpenStream => Request::OpenStream { stream_id: stream_id("open_stream")? },
            RequestKind::CloseStream => {
                Request::CloseStream { stream_id: stream_id("close_stream")? }
            }
            RequestKind::Execute => Request::Stream {
                stream_id: stream_id("execute")?,
                request: StreamRequest::Execute { stmt: present(stmt, "execute", "stmt")? },
            },
            RequestKind::Batch => Request::Stream {
                stream_id: stream_id("batch")?,
                request: StreamRequest::Batch { batch: present(batch, "batch", "batch")? },
            },
            RequestKind::OpenCursor => Request::OpenCursor {
                stream_id: stream_id("open_cursor")?,
                cursor_id: cursor_id("open_cursor")?,
                batch: present(batch, "open_cursor", "batch")?,
            },
            RequestKind::CloseCursor => {
                Request::CloseCursor { cursor_id: cursor_id("close_cursor")? }
            }
            RequestKind::FetchCursor => Request::FetchCursor {
                cursor_id: cursor_id("fetch_cursor")?,
                max_count: present(max_count, "fetch_cursor", "max_count")?,
            },
            RequestKind::Sequence => Request::Stream {
                stream_id: stream_id("sequence")?,
                request: StreamRequest::Sequence { sql: SqlRef::new(sql, sql_id)? },
            },
            RequestKind::Describe => Request::Stream {
                stream_id: stream_id("describe")?,
                request: StreamRequest::Describe { sql: SqlRef::new(sql, sql_id)? },
            },
            RequestKind::StoreSql => Request::StoreSql {
                sql_id: present(sql_id, "store_sql", "sql_id")?,
                sql: present(sql, "store_sql", "sql")?,
            },
            RequestKind::CloseSql => {
                Request::CloseSql { sql_id: present(sql_id, "close_sql", "sql_id")? }
            }
            RequestKind::GetAutocommit => Request::Stream {
                stream_id: stream_id("get_autocommit")?,
                request: StreamRequest::GetAutocommit,
            },
        })
    }
}

/// A request as it is written.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BorrowedRequest<'a> {
    OpenStream {
        stream_id: i32,
    },
    CloseStream {
        stream_id: i32,
    },
    Execute {
        stream_id: i32,
        stmt: &'a Stmt,
    },
    Batch {
        stream_id: i32,
        batch: &'a Batch,
    },
    OpenCursor {
        stream_id: i32,
        cursor_id: i32,
        batch: &'a Batch,
    },
    CloseCursor {
        cursor_id: i32,
    },
    FetchCursor {
        cursor_id: i32,
        max_count: u32,
    },
    Sequence {
        stream_id: i32,
        #[serde(flatten)]
        sql: &'a SqlRef,
    },
    Describe {
        stream_id: i32,
        #[serde(flatten)]
        sql: &'a SqlRef,
    },
    StoreSql {
        sql_id: i32,
        sql: &'a str,
    },
    CloseSql {
        sql_id: i32,
    },
    GetAutocommit {
        stream_id: i32,
    },
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = match *self {
            Request::OpenStream { stream_id } => BorrowedRequest::OpenStream { stream_id },
            Request::CloseStream { stream_id } => BorrowedRequest::CloseStream { stream_id },
            Request::OpenCursor { stream_id, cursor_id, ref batch } => {
                BorrowedRequest::OpenCursor { stream_id, cursor_id, batch }
            }
            Request::CloseCursor { cursor_id } => BorrowedRequest::CloseCursor { cursor_id },
            Request::FetchCursor { cursor_id, max_count } => {
                BorrowedRequest::FetchCursor { cursor_id, max_count }
            }
            Request::StoreSql { sql_id, ref sql } => BorrowedRequest::StoreSql { sql_id, sql },
            Request::CloseSql { sql_id } => BorrowedRequest::CloseSql { sql_id },
            Request::Stream { stream_id, ref request } => on_stream(stream_id, request),
        };
        request.serialize(serializer)
    }
}

fn on_stream(stream_id: i32, request: &StreamRequest) -> BorrowedRequest<'_> {
    match request {
        StreamRequest::Close => BorrowedRequest::CloseStream { stream_id },
        StreamRequest::Execute { stmt } => BorrowedRequest::Execute { stream_id, stmt },
        StreamRequest::Batch { batch } => BorrowedRequest::Batch { stream_id, batch },
        StreamRequest::Sequence { sql } => BorrowedRequest::Sequence { stream_id, sql },
        StreamRequest::Describe { sql } => BorrowedRequest::Describe { stream_id, sql },
        StreamRequest::StoreSql { sql_id, sql } => {
            BorrowedRequest::StoreSql { sql_id: *sql_id, sql }
        }
        StreamRequest::CloseSql { sql_id } => BorrowedRequest::CloseSql { sql_id: *sql_id },
        StreamRequest::GetAutocommit => BorrowedRequest::GetAutocommit { stream_id },
    }
}
