//! Work on a stream, as far as it blocks, runs in a task of its own: it may block a thread without stopping the
//! connection that it answers, which therefore notices when its client goes away.

use std::future::poll_fn;
use std::task::Poll;

use tokio::task::JoinError;

use crate::error::{Error, Result};
use crate::hrana::{Disconnect, StopOnDrop};

/// Runs `work` to its end, or stops it when the caller is dropped or `ending` says why it may not go on.
///
/// Most requests end at the first look, or wait for something that costs no thread, and need no task. One that does has
/// come to `Disconnect::before_blocking`. Both futures are large: each is moved once at most.
pub(crate) fn detached<T: Send + 'static, E: Future<Output = Error>>(
    disconnect: Disconnect,
    ending: impl Fn() -> E,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> impl Future<Output = Result<T>> {
    let mut work = Box::pin(work);
    async move {
        let mut ended = None;
        let attached = poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            // Whatever wakes it up is not missed: the task looks at it again first thing.
            Poll::Pending if disconnect.is_detached() => Poll::Ready(None),
            Poll::Pending => {
                let ended = ended.get_or_insert_with(|| Box::pin(ending()));
                ended.as_mut().poll(context).map(|why| Some(Err(why)))
            }
        });
        if let Some(result) = attached.await {
            return result;
        }
        let task = tokio::spawn(work);
        let _stop = StopOnDrop::new(disconnect, task.abort_handle());
        tokio::select! {
            biased;
            result = task => result.map_err(failed)?,
            why = ended.unwrap_or_else(|| Box::pin(ending())) => Err(why),
        }
    }
}

fn failed(error: JoinError) -> Error {
    Error::internal("finish the request", error)
}
