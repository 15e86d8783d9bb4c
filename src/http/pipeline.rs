//! `POST v2/pipeline`, `v3/pipeline`, `v3-protobuf/pipeline`: requests on a stream, one after the other.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use hrana_protocol::http::{PipelineReqBody, PipelineRespBody};
use hrana_protocol::{StreamRequest, StreamResponse, StreamResult, Version};

use super::App;
use super::caller::Caller;
use super::detached::detached;
use super::streams::{self, Found};
use super::wire::{Protocol, WholeBody};
use crate::error::{Error, ErrorKind, Result};
use crate::hrana::streams::Borrowed;
use crate::hrana::{Disconnect, Stream, check_batch};
use crate::limits;

pub(crate) async fn pipeline(
    protocol: Protocol,
    app: Arc<App>,
    caller: Caller,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let request: PipelineReqBody = protocol.decode(&body)?;
    check(&request.requests, protocol.version)?;
    let found =
        streams::find(&app, &caller, request.baton.as_deref(), ("pipeline", protocol), &body).await;
    let mut found = match found {
        Ok(Found::Stream(found)) => found,
        Ok(Found::Reply(reply)) => return Ok(protocol.response(reply)),
        Err(error) if is_close_of_expired(&error, &request.requests) => {
            return Ok(protocol.response(protocol.encode(&closed(), 0)));
        }
        Err(error) => return Err(error),
    };
    let disconnect = Disconnect::default();
    found.0.begin_request(disconnect.clone());
    let serving = serve(protocol, found, request.requests);
    let reply = detached(disconnect, || caller.ended(), serving).await?;
    Ok(protocol.response(reply))
}

/// Executes the requests and gives the stream back, with the reply.
async fn serve(
    protocol: Protocol,
    mut found: Box<(Stream, Borrowed)>,
    requests: Vec<StreamRequest>,
) -> Result<Bytes> {
    let closes = matches!(requests.last(), Some(StreamRequest::Close));
    let mut results = Vec::with_capacity(requests.len());
    let (stream, borrowed) = &mut *found;
    for request in requests {
        results.push(match stream.handle(request, protocol.encoding).await {
            Ok(response) => StreamResult::Ok { response },
            Err(error) => StreamResult::Error { error: error.to_wire() },
        });
    }
    let baton = if closes { None } else { Some(borrowed.baton()?) };
    let size = stream.result_bytes();
    let reply = protocol.encode(&PipelineRespBody { baton, base_url: None, results }, size);
    let (stream, borrowed) = *found;
    if stream.is_abandoned() {
        // Nobody reads the reply, and requests may have been cut short: the stream ends as lost.
        drop(stream);
    } else if closes {
        drop(stream);
        borrowed.close(&reply);
    } else {
        borrowed.give_back(stream, Some(&reply))?;
    }
    Ok(reply)
}

/// Refuses what the protocol does not allow before anything is executed, so that nothing is lost.
fn check(requests: &[StreamRequest], version: Version) -> Result<()> {
    if requests.len() > limits::PIPELINE_REQUESTS_MAX {
        return Err(Error::bad_request(format!(
            "a pipeline may have {} requests; this one has {}",
            limits::PIPELINE_REQUESTS_MAX,
            requests.len()
        )));
    }
    let steps = |request: &StreamRequest| match request {
        StreamRequest::Batch { batch } => batch.steps.len(),
        _ => 0,
    };
    if requests.iter().map(steps).sum::<usize>() > limits::BATCH_STEPS_MAX {
        return Err(Error::bad_request(format!(
            "the batches of a pipeline may have {} steps together",
            limits::BATCH_STEPS_MAX
        )));
    }
    for (index, request) in requests.iter().enumerate() {
        match request {
            StreamRequest::Close if index + 1 < requests.len() => {
                return Err(Error::bad_request(format!(
                    "requests[{}] comes after `close`, which must be the last request of a stream",
                    index + 1
                )));
            }
            StreamRequest::GetAutocommit if version < Version::Hrana3 => {
                return Err(Error::bad_request(format!(
                    "requests[{index}]: The `get_autocommit` request is only supported in protocol \
                     version hrana3 and higher"
                )));
            }
            StreamRequest::Batch { batch } => check_batch(batch)
                .map_err(|error| Error::bad_request(format!("requests[{index}]: {error}")))?,
            _ => {}
        }
    }
    Ok(())
}

/// A client may close a stream that has expired.
fn is_close_of_expired(error: &Error, requests: &[StreamRequest]) -> bool {
    error.kind() == ErrorKind::StreamExpired && *requests == [StreamRequest::Close]
}

fn closed() -> PipelineRespBody {
    let results = vec![StreamResult::Ok { response: StreamResponse::Close }];
    PipelineRespBody { baton: None, base_url: None, results }
}
