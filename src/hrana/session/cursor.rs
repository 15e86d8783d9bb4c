//! A cursor of a session: entries are made as they are fetched.

use std::collections::VecDeque;
use std::sync::Arc;

use hrana_protocol::{Col, CursorEntry, Rows};

use crate::error::{Error, Result};
use crate::hrana::Stream;
use crate::limits;
use crate::sqlite::{Flow, Progress, Run, Sink, Summary};

/// A batch being executed, and the entries that nobody has fetched yet.
pub(super) struct Cursor {
    run: Run<Entries>,
    is_done: bool,
}

impl Cursor {
    /// Begins a batch. Nothing is executed before the first fetch.
    pub(super) fn open(stream: &Stream, batch: hrana_protocol::Batch) -> Result<Self> {
        let steps = stream.steps(batch)?;
        Ok(Cursor { run: stream.start(steps, Entries::default()), is_done: false })
    }

    /// Up to `count` entries; fewer if they are large. The flag says that there are no more.
    pub(super) async fn fetch(
        &mut self,
        stream: &mut Stream,
        count: u32,
    ) -> (Vec<CursorEntry>, bool) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let entries = &mut self.run.sink;
        entries.wanted = count;
        entries.bytes = 0;
        while !self.is_done && self.run.sink.queue.len() < count && self.run.sink.is_hungry() {
            match stream.drive(&mut self.run).await {
                Ok(Progress::Paused) => {}
                Ok(_) => self.is_done = true,
                Err(error) => {
                    self.run.sink.queue.push_back(CursorEntry::Error { error: error.to_wire() });
                    self.is_done = true;
                }
            }
        }
        let queue = &mut self.run.sink.queue;
        let taken = queue.drain(..count.min(queue.len())).collect();
        let is_done = self.is_done && queue.is_empty();
        (taken, is_done)
    }
}

/// The entries of a run.
#[derive(Default)]
struct Entries {
    queue: VecDeque<CursorEntry>,
    /// The row in progress.
    rows: Rows,
    wanted: usize,
    /// About the size of the entries made for this fetch.
    bytes: usize,
    /// How long the queue was when the current step began.
    begun: usize,
}

impl Entries {
    fn push(&mut self, entry: CursorEntry) {
        self.bytes += size_of::<CursorEntry>();
        self.queue.push_back(entry);
    }

    fn is_hungry(&self) -> bool {
        self.bytes < limits::CURSOR_FETCH_BYTES
    }
}

impl Sink for Entries {
    fn begin(&mut self, step: usize, cols: Arc<[Col]>) {
        self.rows = Rows::new(cols.len());
        self.begun = self.queue.len();
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        let names = cols.iter().filter_map(|col| col.name.as_ref());
        self.bytes += names.map(|name| size_of::<Col>() + name.len()).sum::<usize>();
        self.push(CursorEntry::StepBegin { step, cols });
    }

    fn rows(&mut self) -> &mut Rows {
        &mut self.rows
    }

    fn row_done(&mut self) -> Flow {
        self.bytes += self.rows.size() + self.rows.len() * size_of::<CursorEntry>();
        for row in self.rows.iter() {
            let row = row.values().map(|value| value.to_owned()).collect();
            self.queue.push_back(CursorEntry::Row { row });
        }
        self.rows.clear();
        if self.wants_pause() { Flow::Pause } else { Flow::Continue }
    }

    fn room(&self) -> Option<usize> {
        Some(limits::RESPONSE_BYTES_MAX)
    }

    fn pending(&self) -> usize {
        self.bytes
    }

    fn wants_pause(&self) -> bool {
        self.queue.len() >= self.wanted || !self.is_hungry()
    }

    fn end(&mut self, summary: Summary) {
        self.push(CursorEntry::StepEnd {
            affected_row_count: summary.affected_row_count,
            last_insert_rowid: summary.last_insert_rowid,
        });
    }

    fn rewind(&mut self) {
        self.rows.clear();
        self.queue.truncate(self.begun);
    }

    fn fail(&mut self, step: usize, error: Error) {
        self.rows.clear();
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        self.bytes += error.message().len();
        self.push(CursorEntry::StepError { step, error: error.to_wire() });
    }
}
