//! `PUT v2/upload/…`, `POST v1/upload`: the file of a database that was created with the seed `database_upload`.
//!
//! It is there for nothing else until its file has come and was found sound.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::App;
use super::caller::identify;
use super::target;
use super::wire::{WholeBody, json_response};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::namespace::{Namespace, ScratchFile};
use crate::sqlite::{block, settle};

/// Who may fill a database that awaits its file.
pub(crate) struct Uploader(Arc<Namespace>);

impl FromRequestParts<Arc<App>> for Uploader {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let wanted = target::wanted(parts, app);
        let identity = identify(parts, app, wanted.as_ref().ok())?;
        app.namespaces.admit_upload(&wanted?, identity).map(Uploader)
    }
}

#[derive(Deserialize)]
struct Start {
    db_size_bytes: u64,
}

/// `PUT v2/upload/start`
pub(crate) async fn start(
    Uploader(namespace): Uploader,
    State(app): State<Arc<App>>,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let Start { db_size_bytes: size } = hrana_protocol::json::decode(&body)?;
    check_size(&namespace, size)?;
    let id = block(|| app.seeds.begin_upload(namespace.id(), size))?;
    let chunk_size = limits::UPLOAD_CHUNK_BYTES;
    Ok(json_response(&json!({ "upload_id": id, "chunk_size": chunk_size })))
}

/// `PUT v2/upload/{upload}/chunk/{chunk}`; chunks may come in any order, and again.
pub(crate) async fn chunk(
    Uploader(namespace): Uploader,
    State(app): State<Arc<App>>,
    Path((upload, chunk)): Path<(String, u64)>,
    body: Body,
) -> Result<Response> {
    let upload = app.seeds.upload(&upload, namespace.id())?;
    let place = upload.place(chunk)?;
    let length = place.end - place.start;
    let received = receive(body, upload.file(), place.start, length).await?;
    if received < length {
        let message = format!("chunk {chunk} has {length} bytes, of which {received} have arrived");
        return Err(Error::bad_request(message));
    }
    upload.note(chunk);
    Ok(json_response(&json!({ "received_bytes": received })))
}

/// `PUT v2/upload/{upload}/finalize`
pub(crate) async fn finalize(
    Uploader(namespace): Uploader,
    State(app): State<Arc<App>>,
    Path(upload): Path<String>,
) -> Result<Response> {
    let file = app.seeds.finish_upload(&upload, namespace.id())?;
    fill(&app, &namespace, &file).await
}

/// `POST v1/upload`: the file in one piece, from older versions of the CLI.
pub(crate) async fn whole(
    Uploader(namespace): Uploader,
    State(app): State<Arc<App>>,
    body: Body,
) -> Result<Response> {
    let upload = app.seeds.begin_seed()?;
    let file = block(|| upload.file.create())?;
    let size = receive(body, &file, 0, limits::SEED_BYTES_MAX).await?;
    check_size(&namespace, size)?;
    fill(&app, &namespace, &upload.file).await
}

fn check_size(namespace: &Namespace, size: u64) -> Result<()> {
    match namespace.record().settings.size_limit {
        Some(limit) if size > limit => Err(Error::new(
            ErrorKind::BodyTooLarge,
            format!("the database may have {limit} bytes, and this file has {size}"),
        )),
        _ => Ok(()),
    }
}

/// Writes a body of at most `room` bytes into a file. How many there were.
async fn receive(mut body: Body, file: &File, offset: u64, room: u64) -> Result<u64> {
    let mut received = 0;
    loop {
        let frame = match timeout(limits::UPLOAD_STALL, body.frame()).await {
            Ok(None) => return Ok(received),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => {
                return Err(Error::bad_request(format!("the upload broke off: {error}")));
            }
            Err(_) => {
                let seconds = limits::UPLOAD_STALL.as_secs();
                let message = format!("nothing more of the upload has arrived for {seconds} s");
                return Err(Error::bad_request(message));
            }
        };
        let Some(data) = frame.data_ref() else { continue };
        if data.len() as u64 > room - received {
            let message =
                format!("the upload has more than the {room} bytes that it may have here");
            return Err(Error::new(ErrorKind::BodyTooLarge, message));
        }
        block(|| file.write_all_at(data, offset + received))
            .map_err(|error| Error::internal("keep the upload", error))?;
        received += data.len() as u64;
    }
}

/// Makes an uploaded file that of its database, if it is sound.
async fn fill(app: &App, namespace: &Namespace, file: &ScratchFile) -> Result<Response> {
    let _work = app.seeds.work().await?;
    block(|| {
        settle(file.path())?;
        app.namespaces.fill(namespace, file)
    })?;
    Ok(json_response(&json!({ "database": namespace.name().as_str() })))
}
