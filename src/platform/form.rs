//! The bodies of forms.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;

use crate::limits;

/// Counts what the reader of a form has taken without giving anything out: it keeps all of that, be it the head of a
/// field that has no end, or a form that never begins.
#[derive(Clone, Default)]
pub(super) struct Kept {
    bytes: Arc<AtomicUsize>,
    /// What the reader has left of the body.
    rest: Arc<Mutex<Option<Body>>>,
}

impl Kept {
    /// The same body; reading it fails when too much of it is kept.
    pub(super) fn watch(&self, body: Body) -> Body {
        Body::new(Watched { body: Some(body), kept: self.clone(), rests: false })
    }

    /// To be called when the reader has given something out.
    pub(super) fn given_out(&self) {
        self.bytes.store(0, Relaxed);
    }

    /// What is left of the body when its reader is gone: there is something behind the last field. Unless that is read
    /// as well the connection is closed, and a client that goes on with it at once may not know yet.
    pub(super) fn take_rest(&self) -> Option<Body> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn add(&self, bytes: usize) -> usize {
        self.bytes.fetch_add(bytes, Relaxed).saturating_add(bytes)
    }
}

struct Watched {
    /// There until this is dropped.
    body: Option<Body>,
    kept: Kept,
    /// The reader takes all that it can get before it looks at it. So it gets one piece at a time.
    rests: bool,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if std::mem::take(&mut self.rests) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        let bytes =
            frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map(Bytes::len);
        if let Some(bytes) = bytes {
            self.rests = true;
            if self.kept.add(bytes) > limits::FORM_KEPT_BYTES_MAX {
                let why = "the form has too much besides the file";
                return Poll::Ready(Some(Err(why.into())));
            }
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        *self.kept.rest.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}
