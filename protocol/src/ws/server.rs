//! The JSON form of what a server sends.

use serde::ser::{SerializeStruct as _, Serializer};
use serde::{Deserialize, Serialize};

use super::{Response, ServerMsg};
use crate::batch::BatchResult;
use crate::cursor::CursorEntry;
use crate::describe::DescribeResult;
use crate::error::{DecodeError, Error, present};
use crate::stmt::StmtResult;
use crate::stream::StreamResponse;

/// The fields of every message of a server.
#[derive(Deserialize)]
#[serde(expecting = "struct ServerMsg")]
pub(super) struct ServerMsgFields {
    #[serde(rename = "type")]
    kind: ServerMsgKind,
    request_id: Option<i32>,
    response: Option<Response>,
    error: Option<Error>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ServerMsgKind {
    HelloOk,
    HelloError,
    ResponseOk,
    ResponseError,
}

impl TryFrom<ServerMsgFields> for ServerMsg {
    type Error = DecodeError;

    fn try_from(fields: ServerMsgFields) -> Result<Self, DecodeError> {
        let ServerMsgFields { kind, request_id, response, error } = fields;
        Ok(match kind {
            ServerMsgKind::HelloOk => ServerMsg::HelloOk,
            ServerMsgKind::HelloError => {
                ServerMsg::HelloError { error: present(error, "hello_error", "error")? }
            }
            ServerMsgKind::ResponseOk => ServerMsg::ResponseOk {
                request_id: present(request_id, "response_ok", "request_id")?,
                response: present(response, "response_ok", "response")?,
            },
            ServerMsgKind::ResponseError => ServerMsg::ResponseError {
                request_id: present(request_id, "response_error", "request_id")?,
                error: present(error, "response_error", "error")?,
            },
        })
    }
}

/// A response as it is read. What `result` is depends on the type, hence an enum and not all
/// fields.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum OwnedResponse {
    OpenStream,
    CloseStream,
    Execute { result: StmtResult },
    Batch { result: BatchResult },
    OpenCursor,
    CloseCursor,
    FetchCursor { entries: Vec<CursorEntry>, done: bool },
    Sequence,
    Describe { result: DescribeResult },
    StoreSql,
    CloseSql,
    GetAutocommit { is_autocommit: bool },
}

impl From<OwnedResponse> for Response {
    fn from(response: OwnedResponse) -> Self {
        let response = match response {
            OwnedResponse::OpenStream => return Response::OpenStream,
            OwnedResponse::CloseStream => return Response::CloseStream,
            OwnedResponse::OpenCursor => return Response::OpenCursor,
            OwnedResponse::CloseCursor => return Response::CloseCursor,
            OwnedResponse::FetchCursor { entries, done } => {
                return Response::FetchCursor { entries, done };
            }
            OwnedResponse::StoreSql => return Response::StoreSql,
            OwnedResponse::CloseSql => return Response::CloseSql,
            OwnedResponse::Execute { result } => StreamResponse::Execute { result },
            OwnedResponse::Batch { result } => StreamResponse::Batch { result },
            OwnedResponse::Sequence => StreamResponse::Sequence,
            OwnedResponse::Describe { result } => StreamResponse::Describe { result },
            OwnedResponse::GetAutocommit { is_autocommit } => {
                StreamResponse::GetAutocommit { is_autocommit }
            }
        };
        Response::Stream { response }
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bare = match self {
            Response::OpenStream => "open_stream",
            Response::CloseStream | Response::Stream { response: StreamResponse::Close } => {
                "close_stream"
            }
            Response::OpenCursor => "open_cursor",
            Response::CloseCursor => "close_cursor",
            Response::StoreSql => "store_sql",
            Response::CloseSql => "close_sql",
            Response::Stream { response } => return response.serialize(serializer),
            Response::FetchCursor { entries, done } => {
                let mut fields = serializer.serialize_struct("FetchCursor", 3)?;
                fields.serialize_field("type", "fetch_cursor")?;
                fields.serialize_field("entries", entries)?;
                fields.serialize_field("done", done)?;
                return fields.end();
            }
        };
        let mut fields = serializer.serialize_struct("Response", 1)?;
        fields.serialize_field("type", bare)?;
        fields.end()
    }
}
