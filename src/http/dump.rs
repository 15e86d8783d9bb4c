//! `GET dump`: a database as SQL text, streamed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::App;
use super::caller::Caller;
use super::chunks::{ChunkSender, Chunks};
use super::detached::detached;
use super::v1;
use crate::error::Result;
use crate::hrana::Stream;
use crate::sqlite::{Dump, Progress};

pub(crate) async fn dump(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    let (mut stream, disconnect) = v1::open(&app, &caller);
    // The first chunk is made before the answer begins, so that a failure has its own status.
    let first = async move {
        let mut dump = Dump::default();
        let progress = stream.drive(&mut dump).await?;
        dump.check()?;
        Ok((stream, dump, progress))
    };
    let (stream, dump, progress) = detached(disconnect.clone(), || caller.ended(), first).await?;
    let body =
        Chunks::spawn(disconnect, caller.ended(), |sender| produce(stream, dump, progress, sender));
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::new(body)).into_response())
}

async fn produce(mut stream: Stream, mut dump: Dump, mut progress: Progress, sender: ChunkSender) {
    loop {
        if progress == Progress::Done {
            // Whether the client takes the end is its own affair.
            let _ = sender.send_last(dump.take_chunk()).await;
            return;
        }
        if sender.send(dump.take_chunk()).await.is_err() {
            return;
        }
        match stream.drive(&mut dump).await {
            Ok(next) if dump.check().is_ok() => progress = next,
            // Without its last chunk nobody takes the text for a whole dump.
            Ok(_) | Err(_) => return,
        }
    }
}
