//! Finds the stream that a request of the pipeline or cursor endpoint continues.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::time::Instant;

use bytes::Bytes;

use super::App;
use super::caller::Caller;
use super::wire::Protocol;
use crate::error::{Error, ErrorKind, Result};
use crate::hrana::Stream;
use crate::hrana::baton::Baton;
use crate::hrana::streams::{Borrowed, Opened};
use crate::limits;

/// A stream for this request, or the reply that the same request got before.
pub(crate) enum Found {
    Stream(Box<(Stream, Borrowed)>),
    Reply(Bytes),
}

pub(crate) async fn find(
    app: &App,
    caller: &Caller,
    baton: Option<&str>,
    endpoint: (&'static str, Protocol),
    body: &[u8],
) -> Result<Found> {
    let Some(baton) = baton else {
        let stream = caller.open(app);
        return Ok(Found::Stream(Box::new((stream, app.streams.borrow_new()))));
    };
    let baton = Baton::parse(baton).ok_or_else(|| {
        Error::new(
            ErrorKind::BatonInvalid,
            "Received an invalid baton: it is not one of this server",
        )
    })?;
    let digest = digest(endpoint, body);
    let deadline = Instant::now() + limits::BATON_WAIT;
    loop {
        let id = caller.namespace().id();
        match app.streams.borrow(baton, id, caller.access(), digest)? {
            Opened::Stream(found) => return Ok(Found::Stream(found)),
            Opened::Reply(reply) => return Ok(Found::Reply(reply)),
            Opened::Wait if Instant::now() < deadline => {
                tokio::time::sleep(limits::BATON_RETRY).await;
            }
            Opened::Wait => {
                return Err(Error::new(
                    ErrorKind::Overloaded,
                    "another request is still being executed on the stream of this baton",
                ));
            }
        }
    }
}

/// Tells a repeated request from another one with the same baton.
fn digest((endpoint, protocol): (&str, Protocol), body: &[u8]) -> u64 {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    HASHER.hash_one((endpoint, protocol.version, protocol.encoding, body))
}
