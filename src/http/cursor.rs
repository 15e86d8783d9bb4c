//! `POST v3/cursor`, `v3-protobuf/cursor`: the results of a batch, streamed while it is executed.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use hrana_protocol::cursor::write_entry;
use hrana_protocol::http::{CursorReqBody, CursorRespBody};
use hrana_protocol::{Batch, Encoding};

use super::App;
use super::caller::Caller;
use super::chunks::{ChunkSender, Chunks};
use super::streams::{self, Found};
use super::wire::{Protocol, WholeBody};
use crate::error::{Error, Result};
use crate::hrana::cursor::CursorSink;
use crate::hrana::streams::Borrowed;
use crate::hrana::{Disconnect, Stream, check_batch};
use crate::sqlite::Progress;

pub(crate) async fn cursor(
    protocol: Protocol,
    app: Arc<App>,
    caller: Caller,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let request: CursorReqBody = protocol.decode(&body)?;
    check_batch(&request.batch)?;
    let found =
        streams::find(&app, &caller, request.baton.as_deref(), ("cursor", protocol), &body).await?;
    let (mut stream, mut borrowed) = match found {
        Found::Stream(found) => *found,
        Found::Reply(_) => {
            return Err(Error::internal("repeat a reply", "replies of cursors are not kept"));
        }
    };
    let disconnect = Disconnect::default();
    stream.begin_request(disconnect.clone());
    let baton = Some(borrowed.announce(&stream)?);
    let mut head = Vec::with_capacity(128);
    write_entry(protocol.encoding, &CursorRespBody { baton, base_url: None }, &mut head);

    let body = Chunks::spawn(disconnect, caller.ended(), |sender| {
        produce(protocol, stream, borrowed, request.batch, sender)
    });
    // The baton does not wait for a batch that takes long.
    let body = body.with_head(head).await;
    let media_type = match protocol.encoding {
        Encoding::Json => "text/plain",
        Encoding::Protobuf => "application/octet-stream",
    };
    Ok(([(header::CONTENT_TYPE, media_type)], Body::new(body)).into_response())
}

/// Executes the batch chunk by chunk. The stream goes back before the last chunk is sent, so that the
/// client's next request finds it.
async fn produce(
    protocol: Protocol,
    mut stream: Stream,
    borrowed: Borrowed,
    batch: Batch,
    sender: ChunkSender,
) {
    let sink = CursorSink::new(protocol.encoding);
    let (steps, failure) = match stream.steps(batch) {
        Ok(steps) => (steps, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut run = stream.start(steps, sink);
    if let Some(error) = failure {
        run.sink.fail_batch(&error);
    }
    loop {
        match stream.drive(&mut run).await {
            Ok(Progress::Paused) => {
                if sender.send(run.sink.take_chunk()).await.is_err() {
                    return;
                }
            }
            Ok(_) => break,
            Err(error) => {
                run.sink.fail_batch(&error);
                break;
            }
        }
    }
    if !stream.is_abandoned() {
        if borrowed.give_back(stream, None).is_err() {
            return;
        }
        // Whether the client takes the end is its own affair.
        let _ = sender.send_last(run.sink.take_chunk()).await;
    }
}
