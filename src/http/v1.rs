//! `POST v1/execute`, `v1/batch`: Hrana 1 over HTTP, without streams. Each request is on its own.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hrana_protocol::http::v1::{BatchReqBody, BatchRespBody, ExecuteReqBody, ExecuteRespBody};
use hrana_protocol::{Encoding, json};

use super::App;
use super::caller::Caller;
use super::detached::detached;
use super::wire::{WholeBody, json_response};
use crate::error::Result;
use crate::hrana::{Disconnect, Stream, check_batch};

pub(crate) async fn execute(
    State(app): State<Arc<App>>,
    caller: Caller,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let request: ExecuteReqBody = json::decode(&body)?;
    let (mut stream, disconnect) = open(&app, &caller);
    let work =
        async move { stream.execute(request.stmt, Some(Encoding::Json)).await?.into_single() };
    let result = detached(disconnect, || caller.ended(), work).await?;
    Ok(json_response(&ExecuteRespBody { result }))
}

pub(crate) async fn batch(
    State(app): State<Arc<App>>,
    caller: Caller,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let request: BatchReqBody = json::decode(&body)?;
    check_batch(&request.batch)?;
    let (mut stream, disconnect) = open(&app, &caller);
    let work =
        async move { Ok(stream.batch(request.batch, Some(Encoding::Json)).await?.into_batch()) };
    let result = detached(disconnect, || caller.ended(), work).await?;
    Ok(json_response(&BatchRespBody { result }))
}

/// A stream for one request; what it leaves open is rolled back when it is dropped.
pub(crate) fn open(app: &App, caller: &Caller) -> (Stream, Disconnect) {
    let mut stream = caller.open(app);
    let disconnect = Disconnect::default();
    stream.begin_request(disconnect.clone());
    (stream, disconnect)
}
