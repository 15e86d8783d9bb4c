//! Where the results of an execution go, piece by piece in the order of Hrana's cursor entries.

use std::sync::Arc;
use std::time::Duration;

use hrana_protocol::{Col, ValueRef};

use crate::error::Error;

/// Takes the results of the steps of a run.
///
/// For each executed step: `begin`, then for each row a `push` for each value and `row_done`, then `end`; or
/// `fail` at any point. A step that is skipped is not mentioned.
pub trait Sink {
    fn begin(&mut self, step: usize, cols: Arc<[Col]>);
    /// The next value of the row in progress.
    fn push(&mut self, value: ValueRef<'_>);
    fn row_done(&mut self) -> Flow;
    /// How many bytes the next row may have; none if rows are not wanted at all.
    fn room(&self) -> Option<usize>;
    /// Bytes of the current step that wait to be taken.
    fn pending(&self) -> usize {
        0
    }
    /// Memory that all results occupy which are kept here.
    fn held(&self) -> usize {
        0
    }
    /// Whether there is enough for now, after a step.
    fn wants_pause(&self) -> bool {
        false
    }
    fn end(&mut self, summary: Summary);
    /// Forgets what came of the current step since its `begin`: it is executed again.
    fn rewind(&mut self);
    fn fail(&mut self, step: usize, error: Error);
    /// What was written is not there: a migration was not possible. Whoever was told otherwise has to know.
    fn revoke(&mut self, error: &Error);
}

/// Whether the sink wants more rows.
pub enum Flow {
    Continue,
    /// Later.
    Pause,
    /// Never; the step shall fail with this.
    Full(Error),
}

/// What is known of a statement at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub affected_row_count: u64,
    pub last_insert_rowid: Option<i64>,
    pub rows_read: Option<u64>,
    pub rows_written: Option<u64>,
    pub duration: Duration,
    /// Whether the statement may have changed something.
    pub writes: bool,
}

/// Drops everything but the first failure.
#[derive(Default)]
pub(super) struct Discard {
    pub(super) error: Option<Error>,
}

impl Sink for Discard {
    fn begin(&mut self, _step: usize, _cols: Arc<[Col]>) {}

    fn push(&mut self, _value: ValueRef<'_>) {}

    fn row_done(&mut self) -> Flow {
        Flow::Continue
    }

    fn room(&self) -> Option<usize> {
        None
    }

    fn end(&mut self, _summary: Summary) {}

    fn rewind(&mut self) {}

    fn fail(&mut self, _step: usize, error: Error) {
        self.error.get_or_insert(error);
    }

    fn revoke(&mut self, error: &Error) {
        self.error.get_or_insert_with(|| error.again());
    }
}
