//! `ServerMsg` and the responses in it.

use crate::error::{DecodeError, present};
use crate::protobuf::cursor::CursorEntry;
use crate::protobuf::stmt::Error;
use crate::protobuf::stream::{
    BatchResp, DescribeResp, ExecuteResp, GetAutocommitResp, write_response,
};
use crate::protobuf::{Encode, each, read_as, variant, write};
use crate::stream::StreamResponse;
use crate::ws::{self, Response};

#[derive(prost::Message)]
struct ServerMsg {
    #[prost(oneof = "ServerMsgOneof", tags = "1, 2, 3, 4")]
    msg: Option<ServerMsgOneof>,
}

#[derive(prost::Oneof)]
enum ServerMsgOneof {
    #[prost(message, tag = "1")]
    HelloOk(()),
    #[prost(message, tag = "2")]
    HelloError(HelloErrorMsg),
    #[prost(message, tag = "3")]
    ResponseOk(ResponseOkMsg),
    #[prost(message, tag = "4")]
    ResponseError(ResponseErrorMsg),
}

#[derive(prost::Message)]
struct HelloErrorMsg {
    #[prost(message, optional, tag = "1")]
    error: Option<Error>,
}

#[derive(prost::Message)]
struct ResponseOkMsg {
    #[prost(int32, tag = "1")]
    request_id: i32,
    #[prost(oneof = "ResponseOneof", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13")]
    response: Option<ResponseOneof>,
}

#[derive(prost::Message)]
struct ResponseErrorMsg {
    #[prost(int32, tag = "1")]
    request_id: i32,
    #[prost(message, optional, tag = "2")]
    error: Option<Error>,
}

#[derive(prost::Oneof)]
enum ResponseOneof {
    #[prost(message, tag = "2")]
    OpenStream(()),
    #[prost(message, tag = "3")]
    CloseStream(()),
    #[prost(message, tag = "4")]
    Execute(ExecuteResp),
    #[prost(message, tag = "5")]
    Batch(BatchResp),
    #[prost(message, tag = "6")]
    OpenCursor(()),
    #[prost(message, tag = "7")]
    CloseCursor(()),
    #[prost(message, tag = "8")]
    FetchCursor(FetchCursorResp),
    #[prost(message, tag = "9")]
    Sequence(()),
    #[prost(message, tag = "10")]
    Describe(DescribeResp),
    #[prost(message, tag = "11")]
    StoreSql(()),
    #[prost(message, tag = "12")]
    CloseSql(()),
    #[prost(message, tag = "13")]
    GetAutocommit(GetAutocommitResp),
}

#[derive(prost::Message)]
struct FetchCursorResp {
    #[prost(message, repeated, tag = "1")]
    entries: Vec<CursorEntry>,
    #[prost(bool, tag = "2")]
    done: bool,
}

read_as!(ServerMsg => ws::ServerMsg);

impl TryFrom<ServerMsg> for ws::ServerMsg {
    type Error = DecodeError;

    fn try_from(message: ServerMsg) -> Result<Self, DecodeError> {
        Ok(match variant(message.msg, "ServerMsg")? {
            ServerMsgOneof::HelloOk(()) => ws::ServerMsg::HelloOk,
            ServerMsgOneof::HelloError(HelloErrorMsg { error }) => {
                let error = present(error, "HelloErrorMsg", "error")?.try_into()?;
                ws::ServerMsg::HelloError { error }
            }
            ServerMsgOneof::ResponseOk(ResponseOkMsg { request_id, response }) => {
                let response = variant(response, "ResponseOkMsg")?.try_into()?;
                ws::ServerMsg::ResponseOk { request_id, response }
            }
            ServerMsgOneof::ResponseError(ResponseErrorMsg { request_id, error }) => {
                let error = present(error, "ResponseErrorMsg", "error")?.try_into()?;
                ws::ServerMsg::ResponseError { request_id, error }
            }
        })
    }
}

impl TryFrom<ResponseOneof> for Response {
    type Error = DecodeError;

    fn try_from(message: ResponseOneof) -> Result<Self, DecodeError> {
        let response = match message {
            ResponseOneof::OpenStream(()) => return Ok(Response::OpenStream),
            ResponseOneof::CloseStream(()) => return Ok(Response::CloseStream),
            ResponseOneof::OpenCursor(()) => return Ok(Response::OpenCursor),
            ResponseOneof::CloseCursor(()) => return Ok(Response::CloseCursor),
            ResponseOneof::FetchCursor(FetchCursorResp { entries, done }) => {
                return Ok(Response::FetchCursor { entries: each(entries, "entries")?, done });
            }
            ResponseOneof::StoreSql(()) => return Ok(Response::StoreSql),
            ResponseOneof::CloseSql(()) => return Ok(Response::CloseSql),
            ResponseOneof::Execute(response) => response.try_into()?,
            ResponseOneof::Batch(response) => response.try_into()?,
            ResponseOneof::Sequence(()) => StreamResponse::Sequence,
            ResponseOneof::Describe(response) => response.try_into()?,
            ResponseOneof::GetAutocommit(response) => response.into(),
        };
        Ok(Response::Stream { response })
    }
}

impl Encode for ws::ServerMsg {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        match self {
            ws::ServerMsg::HelloOk => write::empty(1, out),
            ws::ServerMsg::HelloError { error } => {
                write::nested(2, out, |out| write::message(1, error, out));
            }
            ws::ServerMsg::ResponseOk { request_id, response } => write::nested(3, out, |out| {
                write::nonzero::int32(1, *request_id, out);
                write::nested(response_tag(response), out, |out| write_fields(response, out));
            }),
            ws::ServerMsg::ResponseError { request_id, error } => write::nested(4, out, |out| {
                write::nonzero::int32(1, *request_id, out);
                write::message(2, error, out);
            }),
        }
    }
}

fn response_tag(response: &Response) -> u32 {
    match response {
        Response::OpenStream => 2,
        Response::CloseStream => 3,
        Response::OpenCursor => 6,
        Response::CloseCursor => 7,
        Response::FetchCursor { .. } => 8,
        Response::StoreSql => 11,
        Response::CloseSql => 12,
        Response::Stream { response } => match response {
            StreamResponse::Close => 3,
            StreamResponse::Execute { .. } => 4,
            StreamResponse::Batch { .. } => 5,
            StreamResponse::Sequence => 9,
            StreamResponse::Describe { .. } => 10,
            StreamResponse::StoreSql => 11,
            StreamResponse::CloseSql => 12,
            StreamResponse::GetAutocommit { .. } => 13,
        },
    }
}

fn write_fields(response: &Response, out: &mut Vec<u8>) {
    match response {
        Response::FetchCursor { entries, done } => {
            entries.iter().for_each(|entry| write::message(1, entry, out));
            write::nonzero::bool(2, *done, out);
        }
        Response::Stream { response } => write_response(response, out),
        Response::OpenStream
        | Response::CloseStream
        | Response::OpenCursor
        | Response::CloseCursor
        | Response::StoreSql
        | Response::CloseSql => {}
    }
}
