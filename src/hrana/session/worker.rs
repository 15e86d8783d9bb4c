//! One stream of a session, and how each of its requests is done.

use std::sync::Arc;
use std::time::Duration;

use hrana_protocol::ws::{Response, ServerMsg};
use hrana_protocol::{Batch, Encoding, StreamRequest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::cursor::Cursor;
use super::{Host, Reply};
use crate::error::{Error, ErrorKind, Result};
use crate::hrana::baton::Baton;
use crate::hrana::sql_store::SqlStore;
use crate::hrana::{Disconnect, Stream};
use crate::limits;
use crate::namespace::Admission;

/// What a stream is asked.
pub(super) enum Operation {
    /// With the stored texts that it names.
    Request(StreamRequest, SqlStore),
    /// A batch to be read through a cursor, with the texts that it names; or why it cannot be.
    OpenCursor(Result<(Batch, SqlStore)>),
    FetchCursor(u32),
    CloseCursor,
    Close,
}

/// One request, with its place among the outstanding ones.
pub(super) struct Job {
    pub(super) operation: Operation,
    pub(super) request_id: i32,
    pub(super) place: OwnedSemaphorePermit,
}

/// A stream with its cursor.
pub(super) struct Worker {
    id: u64,
    /// The stream, or why it has ended.
    stream: Result<Stream, ErrorKind>,
    cursor: Option<Result<Cursor>>,
    disconnect: Disconnect,
    transaction_idle: Duration,
    encoding: Encoding,
    is_closed: bool,
}

impl Worker {
    /// `results` are the places of large results, shared with the other streams of the session.
    pub(super) fn new(
        host: &Host,
        admitted: Admission,
        disconnect: Disconnect,
        results: Arc<Semaphore>,
    ) -> Result<Self> {
        let Admission { namespace, access, .. } = admitted;
        let mut stream = Stream::open(Arc::clone(&host.migrator), namespace, access);
        stream.share_places(results);
        Ok(Worker {
            id: Baton::new()?.stream,
            stream: Ok(stream),
            cursor: None,
            disconnect,
            transaction_idle: host.transaction_idle,
            encoding: host.encoding,
            is_closed: false,
        })
    }

    /// Prepares for a job that the socket's task begins: it is left as soon as it would block.
    pub(super) fn attach(&self) {
        self.disconnect.attach();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Does a job.
    pub(super) async fn work(mut self: Box<Self>, job: Job) -> (Box<Self>, Reply) {
        let Job { operation, request_id, place } = job;
        let message = match self.operate(operation).await {
            Ok(response) => ServerMsg::ResponseOk { request_id, response },
            Err(error) => ServerMsg::ResponseError { request_id, error: error.to_wire() },
        };
        let (size, result) = self.result();
        (self, Reply { message, size, place, result })
    }

    /// About how large the result of the last job is, and the place that it has if it is large.
    fn result(&mut self) -> (usize, Option<OwnedSemaphorePermit>) {
        let Ok(stream) = &mut self.stream else { return (0, None) };
        let size = stream.result_bytes();
        // What a cursor has left stays here.
        let is_kept = matches!(&self.cursor, Some(Ok(cursor)) if cursor.is_large());
        let place = if is_kept { None } else { stream.hand_over_place() };
        (size, place.filter(|_| size > limits::RESULT_BYTES_SMALL))
    }

    /// Gives back what is needed for work only. `false` if there is something to keep alive, or nothing any more.
    pub(super) fn rest(&mut self) -> bool {
        match &mut self.stream {
            Ok(stream) => {
                let is_busy = stream.is_in_transaction() || matches!(self.cursor, Some(Ok(_)));
                !is_busy && stream.park(self.id)
            }
            Err(_) => !self.is_closed,
        }
    }

    /// How long something may be kept alive for nothing.
    pub(super) fn patience(&self) -> Duration {
        match &self.stream {
            Ok(stream) if stream.is_in_transaction() => self.transaction_idle,
            // It keeps a version of the database alive, so that the WAL grows.
            _ if matches!(self.cursor, Some(Ok(_))) => limits::CURSOR_STALL,
            _ => limits::STREAM_HOLDING_IDLE,
        }
    }

    /// Ends the stream, which rolls back what it has not committed.
    pub(super) fn expire(&mut self) {
        self.cursor = None;
        self.stream = Err(ErrorKind::StreamExpired);
    }

    async fn operate(&mut self, operation: Operation) -> Result<Response> {
        if matches!(operation, Operation::Close) {
            self.expire();
            self.is_closed = true;
            return Ok(Response::CloseStream);
        }
        let stream = self.stream.as_mut().map_err(|kind| {
            Error::new(
                *kind,
                "The stream has expired due to inactivity; its transaction was rolled back",
            )
        })?;
        stream.begin_request(self.disconnect.clone());
        match operation {
            Operation::Request(request, texts) => {
                stream.set_texts(texts);
                Ok(Response::Stream { response: stream.handle(request, self.encoding).await? })
            }
            Operation::OpenCursor(batch) => {
                let cursor = batch.and_then(|(batch, texts)| {
                    stream.set_texts(texts);
                    Cursor::open(stream, batch)
                });
                let opened = cursor.as_ref().map(|_| ()).map_err(not_open);
                self.cursor = Some(cursor);
                opened.map(|()| Response::OpenCursor)
            }
            Operation::FetchCursor(count) => match &mut self.cursor {
                Some(Ok(cursor)) => {
                    let (entries, done) = cursor.fetch(stream, count).await;
                    Ok(Response::FetchCursor { entries, done })
                }
                Some(Err(error)) => Err(not_open(error)),
                None => Err(Error::bad_request("the cursor is closed")),
            },
            Operation::CloseCursor => {
                self.cursor = None;
                stream.abandon();
                Ok(Response::CloseCursor)
            }
            Operation::Close => Ok(Response::CloseStream),
        }
    }
}

/// The failure of a cursor, told again to everybody who asks for it.
fn not_open(error: &Error) -> Error {
    Error::new(error.kind(), error.message().to_owned())
}
