//! In whose hands a stream of a session is: those of the session or of a task.
//!
//! A request to a stream that rests is begun by the session itself, in the socket's task, and most are done then.
//! One that would block goes to the stream's own task, and so do those behind it, until the stream rests again.
//! So its requests are done in order.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use super::worker::{Job, Operation, Worker};
use super::{Closing, Effect, Host, Reply};
use crate::error::Result;
use crate::hrana::{Disconnect, StopOnDrop};
use crate::namespace::Admission;

/// The session's side of a stream. Dropped, it stops what the stream is doing.
pub(super) struct StreamTask {
    shared: Arc<Shared>,
    stop: StopOnDrop,
}

/// What the session and the task of a stream hand to each other.
struct Shared {
    state: Mutex<State>,
    /// Told when something was put into the queue.
    asked: Notify,
}

/// Where the stream is: here while it rests, or with the task, or in the queue, ahead of all jobs.
struct State {
    /// The queue is empty then.
    resting: Option<Box<Worker>>,
    /// Each job has the place of an outstanding request, which bounds the queue.
    queue: VecDeque<Work>,
}

/// Work for the task.
enum Work {
    Job(Job),
    /// A job that the session has begun.
    Begun(Begun),
    /// The stream, which has something to keep alive and cannot rest, or is closed.
    Held(Box<Worker>),
}

/// A job with the stream that does it, which comes back at its end.
type Begun = Pin<Box<dyn Future<Output = (Box<Worker>, Reply)> + Send>>;

impl StreamTask {
    pub(super) fn start(
        host: &Host,
        admitted: Admission,
        replies: mpsc::Sender<Reply>,
        results: Arc<Semaphore>,
    ) -> Result<Self> {
        let disconnect = Disconnect::default();
        let worker = Worker::new(host, admitted, disconnect.clone(), results)?;
        let state = State { resting: Some(Box::new(worker)), queue: VecDeque::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), asked: Notify::new() });
        let task = tokio::spawn(Arc::clone(&shared).work(replies));
        Ok(StreamTask { shared, stop: StopOnDrop::new(disconnect, task.abort_handle()) })
    }

    /// Asks the stream.
    pub(super) fn ask(
        &self,
        operation: Operation,
        request_id: i32,
        place: OwnedSemaphorePermit,
    ) -> Result<Effect, Closing> {
        let job = Job { operation, request_id, place };
        // Looked at before: a task that is given its last job may be at its end right after.
        let is_finished = self.is_finished();
        let Some((worker, job)) = self.shared.take(job) else {
            return if is_finished { Err(failed()) } else { Ok(Effect::None) };
        };
        worker.attach();
        let mut begun: Begun = Box::pin(worker.work(job));
        // Whatever wakes it up is not missed: the task looks at it again first thing.
        let mut begin = || begun.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        match catch_unwind(AssertUnwindSafe(&mut begin)).map_err(|_| failed())? {
            Poll::Ready((mut worker, reply)) => {
                if worker.rest() {
                    self.shared.lock().resting = Some(worker);
                } else {
                    self.shared.hand_over(Work::Held(worker));
                }
                Ok(Effect::Reply(reply))
            }
            Poll::Pending => {
                self.shared.hand_over(Work::Begun(begun));
                Ok(Effect::None)
            }
        }
    }

    /// Whether the stream has been closed and all is done that it was asked before.
    pub(super) fn is_finished(&self) -> bool {
        self.stop.is_finished()
    }
}

/// There was a panic: otherwise nobody asks a stream that has come to its end.
fn failed() -> Closing {
    Closing {
        code: Closing::INTERNAL,
        reason: "the stream failed; see the server's log".to_owned(),
    }
}

impl Shared {
    /// The task: finishes what the session has begun, does what comes behind it, and lets the stream rest.
    async fn work(self: Arc<Self>, replies: mpsc::Sender<Reply>) -> Option<()> {
        loop {
            let next = self.lock().queue.pop_front();
            let mut worker = match next {
                Some(Work::Begun(begun)) => deliver(begun, &replies).await?,
                Some(Work::Held(worker)) if !worker.is_closed() => worker,
                Some(_) => return None,
                None => {
                    self.asked.notified().await;
                    continue;
                }
            };
            while let Some((held, job)) = self.next(worker).await {
                worker = deliver(held.work(job), &replies).await?;
            }
        }
    }

    /// The next job, with the stream that does it; `None` once the stream rests. One that cannot rest, and is
    /// asked nothing for too long, comes to its end.
    async fn next(&self, mut worker: Box<Worker>) -> Option<(Box<Worker>, Job)> {
        loop {
            {
                let mut state = self.lock();
                if let Some(Work::Job(job)) = state.queue.pop_front() {
                    return Some((worker, job));
                }
                if worker.rest() {
                    state.resting = Some(worker);
                    return None;
                }
            }
            if timeout(worker.patience(), self.asked.notified()).await.is_err() {
                worker.expire();
            }
        }
    }

    /// Takes the stream for a job if it rests; else the job is left to the task. Both in one step: in between the
    /// stream could come to rest, and nobody would do the job.
    fn take(&self, job: Job) -> Option<(Box<Worker>, Job)> {
        let mut state = self.lock();
        if let Some(worker) = state.resting.take() {
            return Some((worker, job));
        }
        state.queue.push_back(Work::Job(job));
        drop(state);
        self.asked.notify_one();
        None
    }

    fn hand_over(&self, work: Work) {
        self.lock().queue.push_back(work);
        self.asked.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does a job and sends the reply. `None` if nothing comes after it.
async fn deliver(
    work: impl Future<Output = (Box<Worker>, Reply)>,
    replies: &mpsc::Sender<Reply>,
) -> Option<Box<Worker>> {
    let (worker, reply) = work.await;
    replies.send(reply).await.ok()?;
    (!worker.is_closed()).then_some(worker)
}
