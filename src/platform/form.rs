//! The bodies of forms.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;

use crate::limits;

/// Counts what the reader of a form has taken without giving anything out: it keeps all of that, be it the head of a
/// field that has no end, or a form that never begins.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<AtomicUsize>);

impl Kept {
    /// The same body; reading it fails when too much of it is kept.
    pub(super) fn watch(&self, body: Body) -> Body {
        Body::new(Watched { body, kept: self.clone(), rests: false })
    }

    /// To be called when the reader has given something out.
    pub(super) fn given_out(&self) {
        self.0.store(0, Relaxed);
    }

    fn add(&self, bytes: usize) -> usize {
        self.0.fetch_add(bytes, Relaxed).saturating_add(bytes)
    }
}

struct Watched {
    body: Body,
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
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
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
