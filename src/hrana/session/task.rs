//! The task of one stream of a session: it takes the stream's requests in order and replies to each.

use std::sync::Arc;
use std::time::Duration;

use hrana_protocol::ws::{Response, ServerMsg};
use hrana_protocol::{Batch, StreamRequest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use super::cursor::Cursor;
use super::{Closing, Effect, Host, Reply};
use crate::error::{Error, ErrorKind, Result};
use crate::hrana::baton::Baton;
use crate::hrana::sql_store::SqlStore;
use crate::hrana::{Disconnect, StopOnDrop, Stream};
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

struct Job {
    operation: Operation,
    request_id: i32,
    place: OwnedSemaphorePermit,
}

/// The session's side of a stream. Dropped, it stops what the stream is doing.
pub(super) struct StreamTask {
    /// Bounded by the places of outstanding requests, one of which each job holds.
    jobs: mpsc::UnboundedSender<Job>,
    stop: StopOnDrop,
}

impl StreamTask {
    pub(super) fn start(
        host: &Host,
        admitted: Admission,
        replies: mpsc::Sender<Reply>,
        results: Arc<Semaphore>,
    ) -> Result<Self> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let disconnect = Disconnect::default();
        let mut stream =
            Stream::open(Arc::clone(&host.namespaces), admitted.namespace, admitted.access);
        stream.share_places(results);
        let worker = Worker {
            id: Baton::new()?.stream,
            stream: Ok(stream),
            cursor: None,
            disconnect: disconnect.clone(),
            transaction_idle: host.transaction_idle,
        };
        let task = tokio::spawn(worker.work(queue, replies));
        Ok(StreamTask { jobs, stop: StopOnDrop::new(disconnect, task.abort_handle()) })
    }

    /// Hands a request to the task, which replies.
    pub(super) fn send(
        &self,
        operation: Operation,
        request_id: i32,
        place: OwnedSemaphorePermit,
    ) -> Result<Effect, Closing> {
        // The task has ended only if it panicked.
        self.jobs.send(Job { operation, request_id, place }).map_err(|_| Closing {
            code: Closing::INTERNAL,
            reason: "the stream failed; see the server's log".to_owned(),
        })?;
        Ok(Effect::None)
    }

    /// Whether the stream has been closed and all is done that it was asked before.
    pub(super) fn is_finished(&self) -> bool {
        self.stop.is_finished()
    }
}

struct Worker {
    id: u64,
    /// The stream, or why it has ended.
    stream: Result<Stream, ErrorKind>,
    cursor: Option<Result<Cursor>>,
    disconnect: Disconnect,
    transaction_idle: Duration,
}

impl Worker {
    async fn work(mut self, mut jobs: mpsc::UnboundedReceiver<Job>, replies: mpsc::Sender<Reply>) {
        while let Some(Job { operation, request_id, place }) = self.next(&mut jobs).await {
            let is_close = matches!(operation, Operation::Close);
            let message = match self.operate(operation).await {
                Ok(response) => ServerMsg::ResponseOk { request_id, response },
                Err(error) => ServerMsg::ResponseError { request_id, error: error.to_wire() },
            };
            let (size, result) = self.result();
            let reply = Reply { message, size, place, result };
            if replies.send(reply).await.is_err() || is_close {
                return;
            }
        }
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

    /// The next job. Meanwhile the stream rests, or its transaction comes to its end.
    async fn next(&mut self, jobs: &mut mpsc::UnboundedReceiver<Job>) -> Option<Job> {
        if let Ok(job) = jobs.try_recv() {
            return Some(job);
        }
        let Ok(stream) = &mut self.stream else { return jobs.recv().await };
        let patience = match &self.cursor {
            _ if stream.is_in_transaction() => self.transaction_idle,
            // It keeps a version of the database alive, so that the WAL grows.
            Some(Ok(_)) => limits::CURSOR_STALL,
            _ if stream.park(self.id) => return jobs.recv().await,
            _ => limits::STREAM_HOLDING_IDLE,
        };
        match timeout(patience, jobs.recv()).await {
            Ok(job) => job,
            Err(_) => {
                self.cursor = None;
                self.stream = Err(ErrorKind::StreamExpired);
                jobs.recv().await
            }
        }
    }

    async fn operate(&mut self, operation: Operation) -> Result<Response> {
        if matches!(operation, Operation::Close) {
            self.cursor = None;
            self.stream = Err(ErrorKind::StreamExpired);
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
                Ok(Response::Stream { response: stream.handle(request).await? })
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
