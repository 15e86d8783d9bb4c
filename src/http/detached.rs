//! Work on a stream runs in a task of its own: it may block a thread without stopping the connection that it
//! answers, which therefore notices when its client goes away.

use tokio::task::JoinError;

use crate::error::{Error, Result};
use crate::hrana::{Disconnect, StopOnDrop};

/// Runs `work` to its end, or stops it when the caller is dropped.
pub(crate) async fn detached<T: Send + 'static>(
    disconnect: Disconnect,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let task = tokio::spawn(work);
    let stop = StopOnDrop { disconnect, task: task.abort_handle() };
    let result = task.await;
    drop(stop);
    result.map_err(failed)?
}

fn failed(error: JoinError) -> Error {
    Error::internal("finish the request", error)
}
