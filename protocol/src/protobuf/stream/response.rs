//! `StreamResult`, `StreamResponse` and the responses in it.

use crate::error::{DecodeError, present};
use crate::protobuf::batch::BatchResult;
use crate::protobuf::describe::DescribeResult;
use crate::protobuf::stmt::{Error, StmtResult};
use crate::protobuf::{Encode, read_as, variant, write};
use crate::stream;

#[derive(prost::Message)]
pub(in crate::protobuf) struct StreamResult {
    #[prost(oneof = "StreamResultOneof", tags = "1, 2")]
    result: Option<StreamResultOneof>,
}

#[derive(prost::Oneof)]
enum StreamResultOneof {
    #[prost(message, tag = "1")]
    Ok(StreamResponse),
    #[prost(message, tag = "2")]
    Error(Error),
}

#[derive(prost::Message)]
struct StreamResponse {
    #[prost(oneof = "StreamResponseOneof", tags = "1, 2, 3, 4, 5, 6, 7, 8")]
    response: Option<StreamResponseOneof>,
}

#[derive(prost::Oneof)]
enum StreamResponseOneof {
    #[prost(message, tag = "1")]
    Close(()),
    #[prost(message, tag = "2")]
    Execute(ExecuteResp),
    #[prost(message, tag = "3")]
    Batch(BatchResp),
    #[prost(message, tag = "4")]
    Sequence(()),
    #[prost(message, tag = "5")]
    Describe(DescribeResp),
    #[prost(message, tag = "6")]
    StoreSql(()),
    #[prost(message, tag = "7")]
    CloseSql(()),
    #[prost(message, tag = "8")]
    GetAutocommit(GetAutocommitResp),
}

/// `ExecuteStreamResp`, and `ExecuteResp` of `hrana.ws`.
#[derive(prost::Message)]
pub(in crate::protobuf) struct ExecuteResp {
    #[prost(message, optional, tag = "1")]
    result: Option<StmtResult>,
}

/// `BatchStreamResp`, and `BatchResp` of `hrana.ws`.
#[derive(prost::Message)]
pub(in crate::protobuf) struct BatchResp {
    #[prost(message, optional, tag = "1")]
    result: Option<BatchResult>,
}

/// `DescribeStreamResp`, and `DescribeResp` of `hrana.ws`.
#[derive(prost::Message)]
pub(in crate::protobuf) struct DescribeResp {
    #[prost(message, optional, tag = "1")]
    result: Option<DescribeResult>,
}

/// `GetAutocommitStreamResp`, and `GetAutocommitResp` of `hrana.ws`.
#[derive(prost::Message)]
pub(in crate::protobuf) struct GetAutocommitResp {
    #[prost(bool, tag = "1")]
    is_autocommit: bool,
}

read_as!(StreamResult => stream::StreamResult, StreamResponse => stream::StreamResponse);

impl TryFrom<StreamResult> for stream::StreamResult {
    type Error = DecodeError;

    fn try_from(message: StreamResult) -> Result<Self, DecodeError> {
        Ok(match variant(message.result, "StreamResult")? {
            StreamResultOneof::Ok(response) => {
                stream::StreamResult::Ok { response: response.try_into()? }
            }
            StreamResultOneof::Error(error) => {
                stream::StreamResult::Error { error: error.try_into()? }
            }
        })
    }
}

impl TryFrom<StreamResponse> for stream::StreamResponse {
    type Error = DecodeError;

    fn try_from(message: StreamResponse) -> Result<Self, DecodeError> {
        match variant(message.response, "StreamResponse")? {
            StreamResponseOneof::Close(()) => Ok(stream::StreamResponse::Close),
            StreamResponseOneof::Execute(response) => response.try_into(),
            StreamResponseOneof::Batch(response) => response.try_into(),
            StreamResponseOneof::Sequence(()) => Ok(stream::StreamResponse::Sequence),
            StreamResponseOneof::Describe(response) => response.try_into(),
            StreamResponseOneof::StoreSql(()) => Ok(stream::StreamResponse::StoreSql),
            StreamResponseOneof::CloseSql(()) => Ok(stream::StreamResponse::CloseSql),
            StreamResponseOneof::GetAutocommit(response) => Ok(response.into()),
        }
    }
}

impl TryFrom<ExecuteResp> for stream::StreamResponse {
    type Error = DecodeError;

    fn try_from(message: ExecuteResp) -> Result<Self, DecodeError> {
        let result = present(message.result, "ExecuteResp", "result")?.try_into()?;
        Ok(stream::StreamResponse::Execute { result })
    }
}

impl TryFrom<BatchResp> for stream::StreamResponse {
    type Error = DecodeError;

    fn try_from(message: BatchResp) -> Result<Self, DecodeError> {
        let result = present(message.result, "BatchResp", "result")?.try_into()?;
        Ok(stream::StreamResponse::Batch { result })
    }
}

impl TryFrom<DescribeResp> for stream::StreamResponse {
    type Error = DecodeError;

    fn try_from(message: DescribeResp) -> Result<Self, DecodeError> {
        let result = present(message.result, "DescribeResp", "result")?.try_into()?;
        Ok(stream::StreamResponse::Describe { result })
    }
}

impl From<GetAutocommitResp> for stream::StreamResponse {
    fn from(message: GetAutocommitResp) -> Self {
        stream::StreamResponse::GetAutocommit { is_autocommit: message.is_autocommit }
    }
}

impl Encode for stream::StreamResult {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        match self {
            stream::StreamResult::Ok { response } => write::message(1, response, out),
            stream::StreamResult::Error { error } => write::message(2, error, out),
        }
    }
}

impl Encode for stream::StreamResponse {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        let tag = match self {
            stream::StreamResponse::Close => 1,
            stream::StreamResponse::Execute { .. } => 2,
            stream::StreamResponse::Batch { .. } => 3,
            stream::StreamResponse::Sequence => 4,
            stream::StreamResponse::Describe { .. } => 5,
            stream::StreamResponse::StoreSql => 6,
            stream::StreamResponse::CloseSql => 7,
            stream::StreamResponse::GetAutocommit { .. } => 8,
        };
        write::nested(tag, out, |out| write_response(self, out));
    }
}

/// The fields of one response; the same in both packages.
pub(in crate::protobuf) fn write_response(response: &stream::StreamResponse, out: &mut Vec<u8>) {
    match response {
        stream::StreamResponse::Execute { result } => write::message(1, result, out),
        stream::StreamResponse::Batch { result } => write::message(1, result, out),
        stream::StreamResponse::Describe { result } => write::message(1, result, out),
        stream::StreamResponse::GetAutocommit { is_autocommit } => {
            write::nonzero::bool(1, *is_autocommit, out);
        }
        stream::StreamResponse::Close
        | stream::StreamResponse::Sequence
        | stream::StreamResponse::StoreSql
        | stream::StreamResponse::CloseSql => {}
    }
}
