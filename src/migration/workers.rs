//! Several tasks at once, and noting what has become of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;
use tokio::time::interval;

use super::course::Shared;
use super::task::{Done, Lock};
use crate::catalog::{Status, Task, TaskOutcome};
use crate::error::{Error, Result};
use crate::limits;
use crate::sqlite::{Durability, block, sync_together};

/// What is done with each child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    DryRun,
    Run(Durability),
}

/// Does tasks of a job, and notes in the catalog what becomes of them. Leaves the rest when there is a reason to stop:
/// a dry run has failed, the job was cancelled, the server stops.
pub(super) async fn work(shared: &Arc<Shared>, phase: Phase, tasks: Vec<Task>) -> Result<()> {
    // One more waits for locks while the others work.
    let places = shared.migrator.namespaces.engine().migrations_max();
    let count = tasks.len().min(places + 1);
    let board = Arc::new(Board {
        waiting: Mutex::new(tasks.into()),
        done: Mutex::default(),
        stops: AtomicBool::new(false),
    });
    let mut workers = JoinSet::new();
    for _ in 0..count {
        workers.spawn(work_on(Arc::clone(shared), phase, Arc::clone(&board)));
    }
    let mut tick = interval(limits::TASKS_NOTED);
    loop {
        tokio::select! {
            ended = workers.join_next() => match ended {
                None => return note(shared, &board),
                Some(ended) => ended.map_err(|error| Error::internal("work on a migration", error))?,
            },
            _ = tick.tick() => note(shared, &board)?,
        }
    }
}

/// Tasks that wait, and what has become of others.
struct Board {
    waiting: Mutex<VecDeque<Task>>,
    done: Mutex<Vec<TaskOutcome>>,
    stops: AtomicBool,
}

impl Board {
    fn next(&self) -> Option<Task> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn lock_done(&self) -> MutexGuard<'_, Vec<TaskOutcome>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn work_on(shared: Arc<Shared>, phase: Phase, board: Arc<Board>) {
    // Those that are not durable yet.
    let mut held = Vec::new();
    while !board.stops.load(Relaxed) && !shared.migrator.is_stopped() {
        let Some(task) = board.next() else { break };
        let Some(done) = shared.do_task(phase, task).await else { continue };
        if done.held.is_some() {
            held.push(done);
            if held.len() >= limits::CHILDREN_SYNCED_TOGETHER {
                settle(&shared, phase, &board, std::mem::take(&mut held));
            }
            continue;
        }
        let outcome = done.note(phase);
        if outcome.status == Status::DryRunFailure {
            board.stops.store(true, Relaxed);
        }
        board.lock_done().push(outcome);
    }
    settle(&shared, phase, &board, held);
}

/// Makes durable what was done to children, and unlocks them.
fn settle(shared: &Shared, phase: Phase, board: &Board, held: Vec<Done>) {
    let locks = held.iter().filter_map(|done| done.held.as_ref());
    let synced = block(|| sync_together(locks.map(Lock::path)));
    for mut done in held {
        if let Err(error) = &synced {
            done.outcome = Err(error.to_string());
            if let Some(lock) = done.held.take() {
                shared.keep_lock(&done.task, lock);
            }
        }
        board.lock_done().push(done.note(phase));
    }
}

fn note(shared: &Shared, board: &Board) -> Result<()> {
    let done = std::mem::take(&mut *board.lock_done());
    let catalog = &shared.migrator.catalog;
    block(|| {
        if !done.is_empty() {
            catalog.note_tasks(shared.job, &done)?;
        }
        if catalog.job(shared.job)?.is_none_or(|job| job.is_cancelled) {
            board.stops.store(true, Relaxed);
        }
        Ok(())
    })
}
