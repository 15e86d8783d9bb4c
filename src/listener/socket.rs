//! The socket of a client: does not wait for ever for one that takes nothing, and leaves so that what was said last
//! arrives.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};

use super::silence::Activity;
use crate::http::allowance::Allowance;
use crate::limits;

/// What may be the socket of a client.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Writing to it fails once its other end has taken not one byte for too long, be it asleep, without network or
/// malicious; until then what is to be written is in memory.
///
/// Where the other end was still sending when it is dropped, that is read for a moment: the system would answer bytes
/// that nobody has read with a reset, which takes back what was sent and has not arrived. That may be the reason why
/// the connection ends.
pub(super) struct ClientSocket<S: Stream> {
    stream: Option<S>,
    patience: Duration,
    activity: Arc<Activity>,
    allowance: Allowance,
    /// Runs while the socket is full.
    end: Option<Pin<Box<Sleep>>>,
    /// The other end has closed, or is gone.
    is_over: bool,
    lingering: Arc<Semaphore>,
}

impl<S: Stream> ClientSocket<S> {
    /// `lingering` has a place for each socket that may be read after its end.
    pub(super) fn new(
        stream: S,
        patience: Duration,
        activity: Arc<Activity>,
        allowance: Allowance,
        lingering: Arc<Semaphore>,
    ) -> Self {
        let stream = Some(stream);
        ClientSocket { stream, patience, activity, allowance, end: None, is_over: false, lingering }
    }

    fn stream(&mut self) -> Pin<&mut S> {
        Pin::new(self.stream.as_mut().expect("present until dropped"))
    }

    /// What came of an attempt to send something.
    fn sent(
        &mut self,
        outcome: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if matches!(outcome, Poll::Ready(Ok(1..))) {
            self.activity.note_sent();
        }
        self.written(outcome, context)
    }

    /// What came of an attempt to write.
    fn written<T>(
        &mut self,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(result) = outcome {
            self.end = None;
            self.is_over |= result.is_err();
            return Poll::Ready(result);
        }
        let patience = self.patience;
        let end = self.end.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(end.as_mut().poll(context));
        self.is_over = true;
        let message = "the client takes nothing any more";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)))
    }
}

impl<S: Stream> AsyncWrite for ClientSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.stream().poll_write(context, bytes);
        self.sent(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.stream().poll_write_vectored(context, slices);
        self.sent(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(S::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.stream().poll_flush(context);
        self.written(outcome, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.stream().poll_shutdown(context);
        self.written(outcome, context)
    }
}

impl<S: Stream> AsyncRead for ClientSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buffer.remaining();
        let result = ready!(self.stream().poll_read(context, buffer));
        let read = room - buffer.remaining();
        self.is_over |= result.is_err() || (room > 0 && read == 0);
        if !self.allowance.spend(read as u64) {
            let message = "the client sends too much before it is known";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::FileTooLarge, message)));
        }
        Poll::Ready(result)
    }
}

impl<S: Stream> Drop for ClientSocket<S> {
    fn drop(&mut self) {
        let place = Arc::clone(&self.lingering).try_acquire_owned();
        if let (false, Ok(place), Some(stream)) = (self.is_over, place, self.stream.take())
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(linger(stream, place));
        }
    }
}

/// Says that nothing more will come, and takes what the other end had not yet said.
async fn linger(mut stream: impl Stream, _place: OwnedSemaphorePermit) {
    let farewell = async {
        stream.shutdown().await?;
        let mut ignored = [0; 4 * limits::KIB];
        while stream.read(&mut ignored).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = timeout(limits::LINGER, farewell).await;
}
