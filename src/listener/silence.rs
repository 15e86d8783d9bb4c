//! Connections on which nothing is asked: their clients do not come to the end of a request's head, or keep them for
//! later. They are let go, since there is room for so many only.
//!
//! hyper could do so for HTTP/1.1 alone, with a timer that is set anew for each request; it waits without end for the
//! bytes that tell HTTP/1.1 from HTTP/2.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::time::sleep;

use crate::limits;

/// What happens on one connection.
#[derive(Default)]
pub(super) struct Activity {
    /// Requests whose answers have not all been handed over.
    requests: AtomicUsize,
    /// Whether something was sent since somebody looked.
    has_sent: AtomicBool,
}

impl Activity {
    /// A request has come; it is there until what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        self.requests.fetch_add(1, Relaxed);
        Running(Arc::clone(self))
    }

    /// Something was sent.
    pub(super) fn note_sent(&self) {
        self.has_sent.store(true, Relaxed);
    }

    /// Ends when nothing was asked and nothing sent for this long, or up to a quarter less.
    pub(super) async fn silence(&self, longest: Duration) {
        let mut silent = 1;
        while silent < limits::SILENCE_LOOKS {
            sleep(longest / limits::SILENCE_LOOKS).await;
            let is_active = self.has_sent.swap(false, Relaxed) || self.requests.load(Relaxed) > 0;
            silent = if is_active { 1 } else { silent + 1 };
        }
    }
}

/// A request that has come.
pub(super) struct Running(Arc<Activity>);

impl Running {
    /// The answer to it.
    pub(super) fn answer(self, body: Body) -> Answer {
        Answer { body, _running: self }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Relaxed);
    }
}

/// A body that is an answer as long as there is more of it.
pub(super) struct Answer {
    body: Body,
    _running: Running,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
