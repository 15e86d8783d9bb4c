//! `ClientMsg` and the requests in it.

use crate::error::{DecodeError, present};
use crate::protobuf::batch::Batch;
use crate::protobuf::stmt::Stmt;
use crate::protobuf::stream::{CloseSqlReq, StoreSqlReq, write_request, write_store_sql};
use crate::protobuf::{Encode, read_as, variant, write};
use crate::stmt::SqlRef;
use crate::stream::StreamRequest;
use crate::ws::{self, Request};

#[derive(prost::Message)]
struct ClientMsg {
    #[prost(oneof = "ClientMsgOneof", tags = "1, 2")]
    msg: Option<ClientMsgOneof>,
}

#[derive(prost::Oneof)]
enum ClientMsgOneof {
    #[prost(message, tag = "1")]
    Hello(HelloMsg),
    #[prost(message, tag = "2")]
    Request(RequestMsg),
}

#[derive(prost::Message)]
struct HelloMsg {
    #[prost(string, optional, tag = "1")]
    jwt: Option<String>,
}

#[derive(prost::Message)]
struct RequestMsg {
    #[prost(int32, tag = "1")]
    request_id: i32,
    #[prost(oneof = "RequestOneof", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13")]
    request: Option<RequestOneof>,
}

#[derive(prost::Oneof)]
enum RequestOneof {
    #[prost(message, tag = "2")]
    OpenStream(StreamReq),
    #[prost(message, tag = "3")]
    CloseStream(StreamReq),
    #[prost(message, tag = "4")]
    Execute(ExecuteReq),
    #[prost(message, tag = "5")]
    Batch(BatchReq),
    #[prost(message, tag = "6")]
    OpenCursor(OpenCursorReq),
    #[prost(message, tag = "7")]
    CloseCursor(CloseCursorReq),
    #[prost(message, tag = "8")]
    FetchCursor(FetchCursorReq),
    #[prost(message, tag = "9")]
    Sequence(SqlReq),
    #[prost(message, tag = "10")]
    Describe(SqlReq),
    #[prost(message, tag = "11")]
    StoreSql(StoreSqlReq),
    #[prost(message, tag = "12")]
    CloseSql(CloseSqlReq),
    #[prost(message, tag = "13")]
    GetAutocommit(StreamReq),
}

/// `OpenStreamReq`, `CloseStreamReq` and `GetAutocommitReq`.
#[derive(prost::Message)]
struct StreamReq {
    #[prost(int32, tag = "1")]
    stream_id: i32,
}

#[derive(prost::Message)]
struct ExecuteReq {
    #[prost(int32, tag = "1")]
    stream_id: i32,
    #[prost(message, optional, tag = "2")]
    stmt: Option<Stmt>,
}

#[derive(prost::Message)]
struct BatchReq {
    #[prost(int32, tag = "1")]
    stream_id: i32,
    #[prost(message, optional, tag = "2")]
    batch: Option<Batch>,
}

#[derive(prost::Message)]
struct OpenCursorReq {
    #[prost(int32, tag = "1")]
    stream_id: i32,
    #[prost(int32, tag = "2")]
    cursor_id: i32,
    #[prost(message, optional, tag = "3")]
    batch: Option<Batch>,
}

#[derive(prost::Message)]
struct CloseCursorReq {
    #[prost(int32, tag = "1")]
    cursor_id: i32,
}

#[derive(prost::Message)]
struct FetchCursorReq {
    #[prost(int32, tag = "1")]
    cursor_id: i32,
    #[prost(uint32, tag = "2")]
    max_count: u32,
}

/// `SequenceReq` and `DescribeReq`.
#[derive(prost::Message)]
struct SqlReq {
    #[prost(int32, tag = "1")]
    stream_id: i32,
    #[prost(string, optional, tag = "2")]
    sql: Option<String>,
    #[prost(int32, optional, tag = "3")]
    sql_id: Option<i32>,
}

read_as!(ClientMsg => ws::ClientMsg);

impl TryFrom<ClientMsg> for ws::ClientMsg {
    type Error = DecodeError;

    fn try_from(message: ClientMsg) -> Result<Self, DecodeError> {
        Ok(match variant(message.msg, "ClientMsg")? {
            ClientMsgOneof::Hello(HelloMsg { jwt }) => ws::ClientMsg::Hello { jwt },
            ClientMsgOneof::Request(RequestMsg { request_id, request }) => {
                let request = variant(request, "RequestMsg")?.try_into()?;
                ws::ClientMsg::Request { request_id, request }
            }
        })
    }
}

impl TryFrom<RequestOneof> for Request {
    type Error = DecodeError;

    fn try_from(message: RequestOneof) -> Result<Self, DecodeError> {
        let (stream_id, request) = match message {
            RequestOneof::OpenStream(StreamReq { stream_id }) => {
                return Ok(Request::OpenStream { stream_id });
            }
            RequestOneof::CloseStream(StreamReq { stream_id }) => {
                return Ok(Request::CloseStream { stream_id });
            }
            RequestOneof::OpenCursor(OpenCursorReq { stream_id, cursor_id, batch }) => {
                let batch = present(batch, "OpenCursorReq", "batch")?.try_into()?;
                return Ok(Request::OpenCursor { stream_id, cursor_id, batch });
            }
            RequestOneof::CloseCursor(CloseCursorReq { cursor_id }) => {
                return Ok(Request::CloseCursor { cursor_id });
            }
            RequestOneof::FetchCursor(FetchCursorReq { cursor_id, max_count }) => {
                return Ok(Request::FetchCursor { cursor_id, max_count });
            }
            RequestOneof::StoreSql(StoreSqlReq { sql_id, sql }) => {
                return Ok(Request::StoreSql { sql_id, sql });
            }
            RequestOneof::CloseSql(CloseSqlReq { sql_id }) => {
                return Ok(Request::CloseSql { sql_id });
            }
            RequestOneof::Execute(ExecuteReq { stream_id, stmt }) => {
                let stmt = present(stmt, "ExecuteReq", "stmt")?.try_into()?;
                (stream_id, StreamRequest::Execute { stmt })
            }
            RequestOneof::Batch(BatchReq { stream_id, batch }) => {
                let batch = present(batch, "BatchReq", "batch")?.try_into()?;
                (stream_id, StreamRequest::Batch { batch })
            }
            RequestOneof::Sequence(SqlReq { stream_id, sql, sql_id }) => {
                (stream_id, StreamRequest::Sequence { sql: SqlRef::new(sql, sql_id)? })
            }
            RequestOneof::Describe(SqlReq { stream_id, sql, sql_id }) => {
                (stream_id, StreamRequest::Describe { sql: SqlRef::new(sql, sql_id)? })
            }
            RequestOneof::GetAutocommit(StreamReq { stream_id }) => {
                (stream_id, StreamRequest::GetAutocommit)
            }
        };
        Ok(Request::Stream { stream_id, request })
    }
}

impl Encode for ws::ClientMsg {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        match self {
            ws::ClientMsg::Hello { jwt } => {
                write::nested(1, out, |out| write::optional_string(1, jwt.as_deref(), out));
            }
            ws::ClientMsg::Request { request_id, request } => write::nested(2, out, |out| {
                write::nonzero::int32(1, *request_id, out);
                write::nested(request_tag(request), out, |out| write_fields(request, out));
            }),
        }
    }
}

fn request_tag(request: &Request) -> u32 {
    match request {
        Request::OpenStream { .. } => 2,
        Request::CloseStream { .. } => 3,
        Request::OpenCursor { .. } => 6,
        Request::CloseCursor { .. } => 7,
        Request::FetchCursor { .. } => 8,
        Request::StoreSql { .. } => 11,
        Request::CloseSql { .. } => 12,
        Request::Stream { request, .. } => match request {
            StreamRequest::Close => 3,
            StreamRequest::Execute { .. } => 4,
            StreamRequest::Batch { .. } => 5,
            StreamRequest::Sequence { .. } => 9,
            StreamRequest::Describe { .. } => 10,
            StreamRequest::StoreSql { .. } => 11,
            StreamRequest::CloseSql { .. } => 12,
            StreamRequest::GetAutocommit => 13,
        },
    }
}

fn write_fields(request: &Request, out: &mut Vec<u8>) {
    match request {
        Request::OpenStream { stream_id } | Request::CloseStream { stream_id } => {
            write::nonzero::int32(1, *stream_id, out);
        }
        Request::OpenCursor { stream_id, cursor_id, batch } => {
            write::nonzero::int32(1, *stream_id, out);
            write::nonzero::int32(2, *cursor_id, out);
            write::message(3, batch, out);
        }
        Request::CloseCursor { cursor_id } => write::nonzero::int32(1, *cursor_id, out),
        Request::FetchCursor { cursor_id, max_count } => {
            write::nonzero::int32(1, *cursor_id, out);
            write::nonzero::uint32(2, *max_count, out);
        }
        Request::StoreSql { sql_id, sql } => write_store_sql(*sql_id, sql, out),
        Request::CloseSql { sql_id } => write::nonzero::int32(1, *sql_id, out),
        Request::Stream { stream_id, request } => {
            if !matches!(request, StreamRequest::StoreSql { .. } | StreamRequest::CloseSql { .. }) {
                write::nonzero::int32(1, *stream_id, out);
            }
            write_request(request, 2, out);
        }
    }
}
