//! Folds the results of a run into a batch result.

use std::sync::Arc;

use hrana_protocol::{BatchResult, Col, Encoding, ResultRows, StmtResult, ValueRef};

use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::{Flow, Sink, Summary};

/// Collects the results of all steps in memory, up to a bound.
pub struct Collect {
    /// By step; a skipped one has none.
    steps: Vec<Option<Result<StmtResult>>>,
    wants_rows: bool,
    current: usize,
    /// The steps that have written something.
    written: Vec<usize>,
    cols: Arc<[Col]>,
    rows: ResultRows,
    /// What rows are encoded for; none if they are to be looked at.
    encoding: Option<Encoding>,
    bytes_max: usize,
    bytes_left: usize,
    /// There was no room for the error of a step.
    has_lost_errors: bool,
}

impl Collect {
    pub fn new(
        steps: usize,
        wants_rows: bool,
        encoding: Option<Encoding>,
        bytes_left: usize,
    ) -> Self {
        Collect {
            steps: std::iter::repeat_with(|| None).take(steps).collect(),
            wants_rows,
            current: 0,
            written: Vec::new(),
            cols: Arc::default(),
            rows: ResultRows::default(),
            encoding,
            bytes_max: bytes_left,
            bytes_left,
            has_lost_errors: false,
        }
    }

    /// Whether so many steps have failed that not all errors could be kept.
    pub fn has_lost_errors(&self) -> bool {
        self.has_lost_errors
    }

    /// What is left of the bound after this run.
    pub fn bytes_left(&self) -> usize {
        self.bytes_left
    }

    /// The outcome of the only step.
    pub fn into_single(mut self) -> Result<StmtResult> {
        let outcome = self.steps.pop().flatten();
        outcome.unwrap_or_else(|| Err(Error::internal("execute the statement", "it was skipped")))
    }

    /// The outcomes by step; `None` for one that was skipped.
    pub fn into_steps(self) -> Vec<Option<Result<StmtResult>>> {
        self.steps
    }

    pub fn into_batch(self) -> BatchResult {
        let mut result = BatchResult::default();
        for outcome in self.steps {
            let (ok, error) = match outcome {
                None => (None, None),
                Some(Ok(ok)) => (Some(ok), None),
                Some(Err(error)) => (None, Some(error.to_wire())),
            };
            result.step_results.push(ok);
            result.step_errors.push(error);
        }
        result
    }

    fn set(&mut self, step: usize, outcome: Result<StmtResult>) {
        if let Some(place) = self.steps.get_mut(step) {
            *place = Some(outcome);
        }
    }
}

impl Sink for Collect {
    fn begin(&mut self, step: usize, cols: Arc<[Col]>) {
        self.current = step;
        self.rows = ResultRows::new(cols.len(), self.encoding);
        self.cols = cols;
    }

    fn push(&mut self, value: ValueRef<'_>) {
        self.rows.push(value);
    }

    fn row_done(&mut self) -> Flow {
        if self.rows.size() > self.bytes_left {
            Flow::Full(Error::results_too_large())
        } else {
            Flow::Continue
        }
    }

    fn room(&self) -> Option<usize> {
        self.wants_rows.then(|| self.bytes_left.saturating_sub(self.rows.size()))
    }

    fn held(&self) -> usize {
        self.bytes_max - self.bytes_left + self.rows.size()
    }

    fn end(&mut self, summary: Summary) {
        let size = self.rows.size() + cols_size(&self.cols);
        let result = StmtResult {
            cols: std::mem::take(&mut self.cols),
            rows: std::mem::take(&mut self.rows),
            affected_row_count: summary.affected_row_count,
            last_insert_rowid: summary.last_insert_rowid,
            rows_read: summary.rows_read,
            rows_written: summary.rows_written,
            query_duration_ms: Some(summary.duration.as_secs_f64() * 1000.0),
        };
        // Rows have been refused before; this is about the names of columns.
        let fits = size <= self.bytes_left;
        self.bytes_left = self.bytes_left.saturating_sub(size);
        if summary.writes {
            self.written.push(self.current);
        }
        self.set(self.current, if fits { Ok(result) } else { Err(Error::results_too_large()) });
    }

    fn rewind(&mut self) {
        self.rows = ResultRows::default();
    }

    fn fail(&mut self, step: usize, error: Error) {
        self.rows = ResultRows::default();
        // That there is no room is said in few words.
        let size = match error.kind() {
            ErrorKind::ResponseTooLarge => 0,
            _ => size_of::<hrana_protocol::Error>() + error.message().len(),
        };
        self.has_lost_errors |= size > self.bytes_left;
        self.bytes_left = self.bytes_left.saturating_sub(size);
        if !self.has_lost_errors {
            self.set(step, Err(error));
        }
    }

    fn revoke(&mut self, error: &Error) {
        for step in std::mem::take(&mut self.written) {
            if matches!(self.steps.get(step), Some(Some(Ok(_)))) {
                self.fail(step, error.again());
            }
        }
    }
}

/// Memory that the description of columns occupies.
fn cols_size(cols: &[Col]) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    cols.iter().map(|col| size_of::<Col>() + length(&col.name) + length(&col.decltype)).sum()
}
