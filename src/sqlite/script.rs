//! The execution of a sequence: several statements in one text, without arguments and results.

use std::time::Duration;

use super::arguments::Arguments;
use super::connection::Connection;
use super::execution::{Execution, Progress, Tail, is_busy, refuse_nul, skip_blank};
use super::executor::Work;
use super::pace::Pace;
use super::sink::{Discard, Sink as _};
use crate::error::{Error, Result};

/// A sequence being executed; it ends at its first failure.
pub struct Script {
    /// Ends in a NUL.
    sql: String,
    /// Where the statement that is being executed begins, and the next one.
    begun: usize,
    offset: usize,
    execution: Option<Execution>,
    sink: Discard,
    statement_timeout: Duration,
}

impl Script {
    pub fn new(sql: &str, statement_timeout: Duration) -> Self {
        let sink = Discard { error: refuse_nul(sql).err() };
        let offset = if sink.error.is_some() { sql.len() } else { 0 };
        // See `Statement::prepare`.
        let sql = [sql, "\0"].concat();
        Script { sql, begun: offset, offset, execution: None, sink, statement_timeout }
    }

    /// How the sequence ended.
    pub fn finish(self) -> Result<()> {
        self.sink.error.map_or(Ok(()), Err)
    }

    fn try_advance(&mut self, connection: &mut Connection) -> Result<Progress, Error> {
        loop {
            if let Some(execution) = &mut self.execution {
                match execution.advance(connection, 0, &mut self.sink, Pace::Full)? {
                    Progress::Done => self.execution = None,
                    progress => return Ok(progress),
                }
            }
            let rest = &self.sql[self.offset..];
            let none = Arguments::default();
            let limit = self.statement_timeout;
            let start = Execution::start(connection, rest, Tail::Any, &none, limit);
            let (execution, consumed) = match start {
                Ok(started) => started,
                // Preparing reads the schema, and so the file.
                Err(error) if is_busy(&error) => return Ok(Progress::Busy),
                Err(error) => return Err(error),
            };
            self.begun = self.offset;
            self.offset += consumed;
            self.execution = execution;
            if connection.interruption().is_cancelled() {
                return Ok(Progress::Cancelled);
            }
            let is_over = consumed == 0 || skip_blank(&self.sql[self.offset..]).is_empty();
            if self.execution.is_none() && is_over {
                return Ok(Progress::Done);
            }
        }
    }
}

impl Work for Script {
    fn advance(&mut self, connection: &mut Connection, pace: Pace<'_>) -> Progress {
        if pace.is_quick() {
            return Progress::Slow;
        }
        match self.try_advance(connection) {
            Ok(progress) => progress,
            Err(error) => {
                self.fail(connection, error);
                Progress::Done
            }
        }
    }

    fn put_off(&mut self, connection: &mut Connection) {
        connection.abandon();
        if self.execution.take().is_some() {
            self.offset = self.begun;
        }
    }

    fn fail(&mut self, connection: &mut Connection, error: Error) {
        connection.abandon();
        // It may have got the turn to write, and not come to its first row.
        connection.settle();
        connection.fail_rehearsal(false);
        self.execution = None;
        self.offset = self.sql.len();
        self.sink.fail(0, error);
    }

    fn revoke(&mut self, error: &Error) {
        self.sink.revoke(error);
    }
}
