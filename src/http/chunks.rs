//! A response body that is made while it is sent: at most two chunks exist at a time.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::hrana::{Disconnect, StopOnDrop};
use crate::limits;

/// The body. Dropping it, as happens when the client goes away, stops the one who makes the chunks.
pub(crate) struct Chunks {
    /// The head and the first chunk, which come before what is received.
    ready: VecDeque<Chunk>,
    receiver: mpsc::Receiver<Chunk>,
    is_over: bool,
    /// Ends when the client may not have more of this.
    ending: Pin<Box<dyn Future<Output = crate::error::Error> + Send>>,
    _stop: StopOnDrop,
}

/// Where the chunks go.
pub(crate) struct ChunkSender(mpsc::Sender<Chunk>);

struct Chunk {
    bytes: Bytes,
    is_last: bool,
}

/// The client has gone, or has not taken a chunk for too long.
pub(crate) struct Gone;

/// The body has no last chunk. The connection is cut then, so that nobody takes a part for the whole.
#[derive(Debug)]
pub(crate) struct CutShort;

impl Chunks {
    /// Starts `produce` as a task. The body is whole when that has sent its last chunk; it is cut when the client may
    /// not go on.
    pub(crate) fn spawn<F>(
        disconnect: Disconnect,
        ending: impl Future<Output = crate::error::Error> + Send + 'static,
        produce: impl FnOnce(ChunkSender) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(1);
        let task = tokio::spawn(produce(ChunkSender(sender)));
        let stop = StopOnDrop::new(disconnect, task.abort_handle());
        let ending = Box::pin(ending);
        Chunks { ready: VecDeque::new(), receiver, is_over: false, ending, _stop: stop }
    }

    /// Puts `head` before the chunks, and waits a moment for the first one. If that is the last one too, the body
    /// has a known length, so that it travels in one piece and is not compressed when it is small. Decompressing it
    /// would make a client see a failed step in one turn of its event loop and the end in another; Node.js reports
    /// the failure of the step as unhandled then, unless the caller took precautions.
    pub(crate) async fn with_head(mut self, head: Vec<u8>) -> Self {
        let first = timeout(limits::CURSOR_HEAD_WAIT, self.receiver.recv()).await;
        self.ready.push_back(Chunk { bytes: head.into(), is_last: false });
        self.ready.extend(first.ok().flatten());
        self
    }
}

impl ChunkSender {
    /// Waits until the client has taken the chunk before.
    pub(crate) async fn send(&self, chunk: Vec<u8>) -> Result<(), Gone> {
        self.put(chunk, false).await
    }

    /// The same for the last chunk, which takes the end of the body along: some clients only look at a failed
    /// step when they have seen that.
    pub(crate) async fn send_last(self, chunk: Vec<u8>) -> Result<(), Gone> {
        self.put(chunk, true).await
    }

    async fn put(&self, chunk: Vec<u8>, is_last: bool) -> Result<(), Gone> {
        let chunk = Chunk { bytes: chunk.into(), is_last };
        match timeout(limits::CURSOR_STALL, self.0.send(chunk)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}

impl Error for CutShort {}

impl fmt::Display for CutShort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the answer ends before it is whole")
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let chunk = match self.ready.pop_front() {
            Some(chunk) => Some(chunk),
            None if self.ending.as_mut().poll(context).is_ready() => None,
            None => ready!(self.receiver.poll_recv(context)),
        };
        self.is_over = chunk.as_ref().is_none_or(|chunk| chunk.is_last);
        Poll::Ready(Some(chunk.map(|chunk| Frame::data(chunk.bytes)).ok_or(CutShort)))
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }

    fn size_hint(&self) -> SizeHint {
        let is_whole = self.is_over || self.ready.back().is_some_and(|chunk| chunk.is_last);
        let bytes = self.ready.iter().map(|chunk| chunk.bytes.len() as u64).sum();
        if is_whole { SizeHint::with_exact(bytes) } else { SizeHint::default() }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::Chunks;
    use crate::hrana::Disconnect;

    #[tokio::test]
    async fn a_body_is_whole_only_with_its_last_chunk() {
        for is_whole in [true, false] {
            let ending = std::future::pending();
            let body = Chunks::spawn(Disconnect::default(), ending, async move |sender| {
                assert!(sender.send(b"one ".to_vec()).await.is_ok());
                if is_whole {
                    assert!(sender.send_last(b"two".to_vec()).await.is_ok());
                }
            });
            let read = body.with_head(b"head ".to_vec()).await.collect().await;
            match read {
                Ok(all) => {
                    assert_eq!((is_whole, &all.to_bytes()[..]), (true, &b"head one two"[..]))
                }
                Err(error) => assert!(!is_whole, "{error}"),
            }
        }
    }
}
