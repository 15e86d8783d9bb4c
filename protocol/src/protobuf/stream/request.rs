//! `StreamRequest` and the requests in it.

use crate::error::{DecodeError, present};
use crate::protobuf::batch::Batch;
use crate::protobuf::stmt::{Stmt, write_sql};
use crate::protobuf::{Encode, read_as, variant, write};
use crate::stmt::SqlRef;
use crate::stream;

#[derive(prost::Message)]
pub(in crate::protobuf) struct StreamRequest {
    #[prost(oneof = "StreamRequestOneof", tags = "1, 2, 3, 4, 5, 6, 7, 8")]
    request: Option<StreamRequestOneof>,
}

#[derive(prost::Oneof)]
enum StreamRequestOneof {
    #[prost(message, tag = "1")]
    Close(()),
    #[prost(message, tag = "2")]
    Execute(ExecuteStreamReq),
    #[prost(message, tag = "3")]
    Batch(BatchStreamReq),
    #[prost(message, tag = "4")]
    Sequence(SqlStreamReq),
    #[prost(message, tag = "5")]
    Describe(SqlStreamReq),
    #[prost(message, tag = "6")]
    StoreSql(StoreSqlReq),
    #[prost(message, tag = "7")]
    CloseSql(CloseSqlReq),
    #[prost(message, tag = "8")]
    GetAutocommit(()),
}

#[derive(prost::Message)]
struct ExecuteStreamReq {
    #[prost(message, optional, tag = "1")]
    stmt: Option<Stmt>,
}

#[derive(prost::Message)]
struct BatchStreamReq {
    #[prost(message, optional, tag = "1")]
    batch: Option<Batch>,
}

/// `SequenceStreamReq` and `DescribeStreamReq`.
#[derive(prost::Message)]
struct SqlStreamReq {
    #[prost(string, optional, tag = "1")]
    sql: Option<String>,
    #[prost(int32, optional, tag = "2")]
    sql_id: Option<i32>,
}

/// `StoreSqlStreamReq`, and `StoreSqlReq` of `hrana.ws`.
#[derive(prost::Message)]
pub(in crate::protobuf) struct StoreSqlReq {
    #[prost(int32, tag = "1")]
    pub(in crate::protobuf) sql_id: i32,
    #[prost(string, tag = "2")]
    pub(in crate::protobuf) sql: String,
}

/// `CloseSqlStreamReq`, and `CloseSqlReq` of `hrana.ws`.
#[derive(prost::Message)]
pub(in crate::protobuf) struct CloseSqlReq {
    #[prost(int32, tag = "1")]
    pub(in crate::protobuf) sql_id: i32,
}

read_as!(StreamRequest => stream::StreamRequest);

impl TryFrom<StreamRequest> for stream::StreamRequest {
    type Error = DecodeError;

    fn try_from(message: StreamRequest) -> Result<Self, DecodeError> {
        Ok(match variant(message.request, "StreamRequest")? {
            StreamRequestOneof::Close(()) => stream::StreamRequest::Close,
            StreamRequestOneof::Execute(ExecuteStreamReq { stmt }) => {
                let stmt = present(stmt, "ExecuteStreamReq", "stmt")?.try_into()?;
                stream::StreamRequest::Execute { stmt }
            }
            StreamRequestOneof::Batch(BatchStreamReq { batch }) => {
                let batch = present(batch, "BatchStreamReq", "batch")?.try_into()?;
                stream::StreamRequest::Batch { batch }
            }
            StreamRequestOneof::Sequence(SqlStreamReq { sql, sql_id }) => {
                stream::StreamRequest::Sequence { sql: SqlRef::new(sql, sql_id)? }
            }
            StreamRequestOneof::Describe(SqlStreamReq { sql, sql_id }) => {
                stream::StreamRequest::Describe { sql: SqlRef::new(sql, sql_id)? }
            }
            StreamRequestOneof::StoreSql(StoreSqlReq { sql_id, sql }) => {
                stream::StreamRequest::StoreSql { sql_id, sql }
            }
            StreamRequestOneof::CloseSql(CloseSqlReq { sql_id }) => {
                stream::StreamRequest::CloseSql { sql_id }
            }
            StreamRequestOneof::GetAutocommit(()) => stream::StreamRequest::GetAutocommit,
        })
    }
}

impl Encode for stream::StreamRequest {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        let tag = match self {
            stream::StreamRequest::Close => 1,
            stream::StreamRequest::Execute { .. } => 2,
            stream::StreamRequest::Batch { .. } => 3,
            stream::StreamRequest::Sequence { .. } => 4,
            stream::StreamRequest::Describe { .. } => 5,
            stream::StreamRequest::StoreSql { .. } => 6,
            stream::StreamRequest::CloseSql { .. } => 7,
            stream::StreamRequest::GetAutocommit => 8,
        };
        write::nested(tag, out, |out| write_request(self, 1, out));
    }
}

/// The fields of one request. The first has the tag `first`: in `hrana.ws` the id of the stream is
/// before.
pub(in crate::protobuf) fn write_request(
    request: &stream::StreamRequest,
    first: u32,
    out: &mut Vec<u8>,
) {
    match request {
        stream::StreamRequest::Close | stream::StreamRequest::GetAutocommit => {}
        stream::StreamRequest::Execute { stmt } => write::message(first, stmt, out),
        stream::StreamRequest::Batch { batch } => write::message(first, batch, out),
        stream::StreamRequest::Sequence { sql } | stream::StreamRequest::Describe { sql } => {
            write_sql(first, sql, out);
        }
        stream::StreamRequest::StoreSql { sql_id, sql } => write_store_sql(*sql_id, sql, out),
        stream::StreamRequest::CloseSql { sql_id } => write::nonzero::int32(1, *sql_id, out),
    }
}

/// The fields of `StoreSqlReq`, which has no id of a stream in either package.
pub(in crate::protobuf) fn write_store_sql(sql_id: i32, sql: &str, out: &mut Vec<u8>) {
    write::nonzero::int32(1, sql_id, out);
    write::nonzero::string(2, sql, out);
}
