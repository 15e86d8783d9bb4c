//! Stopping the work of a client that has gone.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use tokio::task::AbortHandle;

use crate::sqlite::Interruption;

/// Shared by the work on a stream and by whoever waits for it.
#[derive(Clone, Default)]
pub struct Disconnect(Arc<State>);

#[derive(Default)]
struct State {
    has_gone: AtomicBool,
    /// The work is in a task of its own, or should be.
    is_detached: AtomicBool,
    interruption: Mutex<Option<Interruption>>,
}

impl Disconnect {
    /// To be awaited before blocking work: it may block the thread, but not the task that answers the client
    /// and has to notice when the client goes. The first time it lets that task go on: see `http::detached` and
    /// `session::task`.
    pub async fn before_blocking(&self) {
        if !self.0.is_detached.swap(true, SeqCst) {
            let mut has_waited = false;
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut has_waited, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        }
    }

    /// Whether the work wants to be in a task of its own.
    pub fn is_detached(&self) -> bool {
        self.0.is_detached.load(SeqCst)
    }

    /// Says that the work is in the task that answers the client again.
    pub fn attach(&self) {
        self.0.is_detached.store(false, SeqCst);
    }

    /// Names the connection that works for the client from now on.
    pub fn watch(&self, interruption: &Interruption) {
        *self.0.interruption.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(interruption.clone());
        // The client may have gone before there was anything to interrupt.
        if self.0.has_gone.load(SeqCst) {
            interruption.cancel();
        }
    }

    /// To be called before the connection is given to anybody else.
    pub fn release(&self) {
        self.0.interruption.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub fn has_gone(&self) -> bool {
        self.0.has_gone.load(SeqCst)
    }

    fn go(&self) {
        self.0.has_gone.store(true, SeqCst);
        // Under the lock, so that a connection that was released is never interrupted.
        let watched = self.0.interruption.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(interruption) = watched.as_ref() {
            interruption.cancel();
        }
    }
}

/// Held by the one who waits for a task; dropped before the task has ended, it stops the task.
pub struct StopOnDrop {
    disconnect: Disconnect,
    task: AbortHandle,
}

impl StopOnDrop {
    pub fn new(disconnect: Disconnect, task: AbortHandle) -> Self {
        StopOnDrop { disconnect, task }
    }

    /// Whether the task has come to its own end.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if !self.task.is_finished() {
            self.disconnect.go();
            self.task.abort();
        }
    }
}
