//! Requests in Hrana's Protobuf encoding, made of the same statements as those in JSON.

use std::net::SocketAddr;

use hrana_protocol::http::PipelineReqBody;
use hrana_protocol::{Encoding, json};

use crate::{Result, client};

/// The bytes of a pipeline that executes `stmt`, a Hrana statement in JSON, and closes its stream.
pub(crate) fn execute(address: SocketAddr, stmt: &str) -> Result<Box<[u8]>> {
    let pipeline: PipelineReqBody =
        json::decode(client::pipeline(stmt).as_bytes()).map_err(|error| error.to_string())?;
    let mut body = Vec::new();
    Encoding::Protobuf.encode(&pipeline, &mut body);
    let headers = "content-type: application/x-protobuf\r\n";
    Ok(client::post_bytes(address, "/v3-protobuf/pipeline", headers, &body))
}
