//! The execution of a batch: steps in order, each under its condition.
//!
//! A run can stop between any two rows and be continued later, on the same connection, from any thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hrana_protocol::BatchCond;
use hrana_protocol::batch::StepOutcome;

use super::arguments::Arguments;
use super::connection::Connection;
use super::execution::{Execution, Progress, Tail, is_busy, no_statement, refuse_nul};
use super::executor::Work;
use super::pace::Pace;
use super::sink::Sink;
use crate::error::{Error, Result};
use crate::limits;

/// One step of a batch, with its SQL text found.
#[derive(Clone, Debug)]
pub struct RunStep {
    pub condition: Option<BatchCond>,
    pub sql: Arc<str>,
    pub arguments: Arguments,
}

/// A batch being executed. Conditions look only backwards: see `Batch::check`.
pub struct Run<S> {
    steps: Vec<RunStep>,
    /// Of the steps before the current one.
    outcomes: Vec<StepOutcome>,
    execution: Option<Execution>,
    statement_timeout: Duration,
    pub sink: S,
}

impl<S: Sink> Run<S> {
    pub fn new(steps: Vec<RunStep>, statement_timeout: Duration, sink: S) -> Self {
        let outcomes = Vec::with_capacity(steps.len());
        Run { steps, outcomes, execution: None, statement_timeout, sink }
    }

    fn try_advance(
        &mut self,
        connection: &mut Connection,
        index: usize,
        pace: Pace<'_>,
    ) -> Result<Progress> {
        if self.execution.is_none() {
            let step = &self.steps[index];
            let is_due =
                |condition: &BatchCond| condition.eval(&self.outcomes, connection.is_autocommit());
            if !step.condition.as_ref().is_none_or(is_due) {
                self.outcomes.push(StepOutcome::Skipped);
                return Ok(Progress::Done);
            }
            let sql = step.sql.trim_start_matches(';');
            let is_short =
                || step.arguments.bytes() <= limits::QUICK_ARGUMENT_BYTES && connection.knows(sql);
            if pace.is_quick() && !is_short() {
                return Ok(Progress::Slow);
            }
            refuse_nul(sql)?;
            let (timeout, arguments) = (self.statement_timeout, &step.arguments);
            let start = Execution::start(connection, sql, Tail::Empty, arguments, timeout);
            match start {
                Ok((execution, _)) => self.execution = execution,
                // Preparing reads the schema, and so the file.
                Err(error) if is_busy(&error) => return Ok(Progress::Busy),
                Err(error) => return Err(error),
            }
        }
        let execution = self.execution.as_mut().ok_or_else(no_statement)?;
        let progress = execution.advance(connection, index, &mut self.sink, pace)?;
        if progress == Progress::Done {
            self.execution = None;
            self.outcomes.push(StepOutcome::Ok);
        }
        Ok(progress)
    }
}

impl<S: Sink> Work for Run<S> {
    fn advance(&mut self, connection: &mut Connection, pace: Pace<'_>) -> Progress {
        // Whoever is at the last step looks at no clock.
        let ends = (pace.is_quick() && self.outcomes.len() + 1 < self.steps.len())
            .then(|| Instant::now() + limits::QUICK);
        let is_late = || ends.is_some_and(|ends| Instant::now() > ends);
        while self.outcomes.len() < self.steps.len() {
            match self.try_advance(connection, self.outcomes.len(), pace) {
                Ok(Progress::Done) if is_late() => return Progress::Slow,
                Ok(Progress::Done) => {}
                Ok(progress) => return progress,
                Err(error) => self.fail(connection, error),
            }
            if self.sink.wants_pause() && self.outcomes.len() < self.steps.len() {
                return Progress::Paused;
            }
        }
        Progress::Done
    }

    fn put_off(&mut self, connection: &mut Connection) {
        connection.abandon();
        self.execution = None;
    }

    fn held(&self) -> usize {
        self.sink.held()
    }

    fn fail(&mut self, connection: &mut Connection, error: Error) {
        connection.abandon();
        // It may have got the turn to write, and not come to its first row.
        connection.settle();
        connection.fail_rehearsal(false);
        self.execution = None;
        self.sink.fail(self.outcomes.len(), error);
        self.outcomes.push(StepOutcome::Error);
    }

    fn revoke(&mut self, error: &Error) {
        self.sink.revoke(error);
    }
}
