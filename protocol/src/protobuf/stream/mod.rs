//! The requests and responses of a stream in the package `hrana.http`.
//!
//! Those of `hrana.ws` have other tags but mostly the same fields, and share them.

mod request;
mod response;

pub(super) use request::{CloseSqlReq, StoreSqlReq, StreamRequest, write_request, write_store_sql};
pub(super) use response::{
    BatchResp, DescribeResp, ExecuteResp, GetAutocommitResp, StreamResult, write_response,
};
