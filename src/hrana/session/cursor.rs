//! A cursor of a session: entries are made as they are fetched.

use std::collections::VecDeque;
use std::sync::Arc;

use hrana_protocol::{Col, CursorEntry, Value, ValueRef};

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
                    self.run.sink.add(CursorEntry::Error { error: error.to_wire() });
                    self.is_done = true;
                }
            }
        }
        let entries = &mut self.run.sink;
        stream.count_result(entries.bytes);
        let taken = entries.take(count);
        (taken, self.is_done && entries.queue.is_empty())
    }

    /// Whether it has entries that nobody has fetched yet, and they are large.
    pub(super) fn is_large(&self) -> bool {
        self.run.sink.held > limits::RESULT_BYTES_SMALL
    }
}

/// The entries of a run.
#[derive(Default)]
struct Entries {
    queue: VecDeque<CursorEntry>,
    /// The row in progress.
    row: Vec<Value>,
    wanted: usize,
    /// About the size of the entries made for this fetch.
    bytes: usize,
    /// About the size of the entries in the queue.
    held: usize,
    /// How long the queue was when the current step began.
    begun: usize,
}

impl Entries {
    fn add(&mut self, entry: CursorEntry) {
        let size = size(&entry);
        self.bytes += size;
        self.held += size;
        self.queue.push_back(entry);
    }

    fn take(&mut self, count: usize) -> Vec<CursorEntry> {
        let taken: Vec<_> = self.queue.drain(..count.min(self.queue.len())).collect();
        self.held -= taken.iter().map(size).sum::<usize>();
        taken
    }

    fn is_hungry(&self) -> bool {
        self.bytes < limits::CURSOR_FETCH_BYTES
    }
}

impl Sink for Entries {
    fn begin(&mut self, step: usize, cols: Arc<[Col]>) {
        self.row = Vec::with_capacity(cols.len());
        self.begun = self.queue.len();
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        self.add(CursorEntry::StepBegin { step, cols });
    }

    fn push(&mut self, value: ValueRef<'_>) {
        self.row.push(value.to_owned());
    }

    fn row_done(&mut self) -> Flow {
        let next = Vec::with_capacity(self.row.len());
        let row = std::mem::replace(&mut self.row, next);
        self.add(CursorEntry::Row { row });
        if self.wants_pause() { Flow::Pause } else { Flow::Continue }
    }

    fn room(&self) -> Option<usize> {
        Some(limits::RESPONSE_BYTES_MAX)
    }

    fn pending(&self) -> usize {
        self.bytes
    }

    fn held(&self) -> usize {
        self.held
    }

    fn wants_pause(&self) -> bool {
        self.queue.len() >= self.wanted || !self.is_hungry()
    }

    fn end(&mut self, summary: Summary) {
        self.add(CursorEntry::StepEnd {
            affected_row_count: summary.affected_row_count,
            last_insert_rowid: summary.last_insert_rowid,
        });
    }

    fn rewind(&mut self) {
        self.row.clear();
        let begun = self.begun.min(self.queue.len());
        self.held -= self.queue.drain(begun..).map(|entry| size(&entry)).sum::<usize>();
    }

    fn fail(&mut self, step: usize, error: Error) {
        self.row.clear();
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        self.add(CursorEntry::StepError { step, error: error.to_wire() });
    }

    fn revoke(&mut self, error: &Error) {
        self.add(CursorEntry::Error { error: error.to_wire() });
    }
}

/// About how much memory an entry takes.
fn size(entry: &CursorEntry) -> usize {
    let of_value = |value: &Value| {
        size_of::<Value>()
            + match value {
                Value::Text(text) => text.len(),
                Value::Blob(bytes) => bytes.len(),
                Value::Null | Value::Integer(_) | Value::Float(_) => 0,
            }
    };
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let content = match entry {
        CursorEntry::StepBegin { cols, .. } => cols
            .iter()
            .map(|col| size_of::<Col>() + length(&col.name) + length(&col.decltype))
            .sum(),
        CursorEntry::Row { row } => row.iter().map(of_value).sum(),
        CursorEntry::StepError { error, .. } | CursorEntry::Error { error } => error.message.len(),
        CursorEntry::StepEnd { .. } => 0,
    };
    size_of::<CursorEntry>() + content
}
