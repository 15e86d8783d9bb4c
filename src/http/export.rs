//! `GET info`, `export/{generation}`, `sync/…`: a database as a SQLite file, as `turso db export` asks for it.
//!
//! For the CLI alone, which says what it is: replicas of the Rust client take an answer to `info` for a promise to
//! replicate, by a protocol that is not spoken here.

use std::fs::File;
use std::io::{ErrorKind as IoErrorKind, Read as _};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::App;
use super::caller::Caller;
use super::chunks::{ChunkSender, Chunks};
use super::detached::detached;
use super::wire::json_response;
use crate::error::{Error, ErrorKind, Result};
use crate::hrana::Disconnect;
use crate::limits;
use crate::sqlite::{block, check_whole};

/// The version of a file, in which frames of a log are counted. There are no frames, so it is always this one.
const GENERATION: u64 = 1;

/// What files are sent as; they are not compressed, so that their length tells whether they are whole.
pub(crate) const SQLITE_FILE: &str = "application/vnd.sqlite3";

/// That the client is the CLI.
pub(crate) struct Cli;

impl<S: Sync> FromRequestParts<S> for Cli {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        if parts.headers.contains_key("tursocliversion") {
            return Ok(Cli);
        }
        let message = format!("there is nothing at {} {}", parts.method, parts.uri.path());
        Err(Error::new(ErrorKind::NotFound, message))
    }
}

/// `GET info`
pub(crate) async fn info(_: Cli, caller: Caller) -> Result<Response> {
    check_whole(caller.access(), "an export")?;
    Ok(json_response(&json!({ "current_generation": GENERATION })))
}

/// `GET sync/{generation}/{start}/{end}`: what was written after the file was sent. A file is sent as of one moment,
/// so there is nothing; 400 says so.
pub(crate) async fn frames(_: Cli, caller: Caller) -> Result<Response> {
    check_whole(caller.access(), "an export")?;
    Err(Error::bad_request("there are no frames: the exported file has everything"))
}

/// `GET export/{generation}`
pub(crate) async fn export(
    _: Cli,
    caller: Caller,
    State(app): State<Arc<App>>,
    Path(generation): Path<String>,
) -> Result<Response> {
    check_whole(caller.access(), "an export")?;
    if generation != GENERATION.to_string() {
        let message = format!("there is no generation {generation:?}, only {GENERATION}");
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    let work = app.seeds.work().await?;
    let namespace = Arc::clone(caller.namespace());
    let disconnect = Disconnect::default();
    let watched = disconnect.clone();
    let copying = async move {
        watched.before_blocking().await;
        app.migrator.catch_up(&namespace).await?;
        let copy = app.seeds.scratch_file();
        let file = block(|| {
            app.namespaces.copy_to(&namespace, copy.path())?;
            copy.open()
        })?;
        let length = file.metadata().map_err(cannot_read)?.len();
        Ok((copy, file, length))
    };
    let copied = detached(disconnect.clone(), || caller.ended(), copying);
    let (copy, file, length) = copied.await?;
    let body = Chunks::spawn(disconnect, caller.ended(), |sender| async move {
        // Both go when the last chunk is sent, or nobody wants it.
        let _held = (work, copy);
        send(file, length, sender).await;
    });
    let headers = [
        (header::CONTENT_TYPE, SQLITE_FILE.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    Ok((headers, Body::new(body)).into_response())
}

/// Sends a file, the end of the body together with its last bytes: over HTTP/2 it is they that say that nothing is
/// missing, and not the length. What is sent of a file that cannot be read is too short, which the client sees.
async fn send(mut file: File, length: u64, sender: ChunkSender) {
    let mut left = length;
    loop {
        let mut chunk = vec![0; limits::EXPORT_CHUNK_BYTES];
        match block(|| file.read(&mut chunk)) {
            Ok(0) => return tracing::error!("{}", cannot_read(IoErrorKind::UnexpectedEof.into())),
            Ok(read) => chunk.truncate(read),
            Err(error) => return tracing::error!("{}", cannot_read(error)),
        }
        left = left.saturating_sub(chunk.len() as u64);
        if left == 0 {
            let _ = sender.send_last(chunk).await;
            return;
        }
        if sender.send(chunk).await.is_err() {
            return;
        }
    }
}

fn cannot_read(error: std::io::Error) -> Error {
    Error::internal("read the copy of a database", error)
}
