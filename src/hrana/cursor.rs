//! The results of a batch as the entries of an HTTP cursor, encoded while they are made.

use std::sync::Arc;

use hrana_protocol::cursor::{write_entry, write_row};
use hrana_protocol::{Col, CursorEntry, Encoding, Rows, ValueRef};

use crate::error::Error;
use crate::limits;
use crate::sqlite::{Flow, Sink, Summary};

/// Encodes entries into a chunk, and asks for a pause when the chunk is worth sending.
pub struct CursorSink {
    encoding: Encoding,
    /// The row in progress.
    rows: Rows,
    chunk: Vec<u8>,
    /// How long the chunk was when the current step began.
    begun: usize,
}

impl CursorSink {
    pub fn new(encoding: Encoding) -> Self {
        CursorSink { encoding, rows: Rows::default(), chunk: Vec::new(), begun: 0 }
    }

    /// What has been encoded since the last time.
    pub fn take_chunk(&mut self) -> Vec<u8> {
        self.begun = 0;
        std::mem::take(&mut self.chunk)
    }

    /// Ends the cursor: the whole batch has failed.
    pub fn fail_batch(&mut self, error: &Error) {
        self.write(&CursorEntry::Error { error: error.to_wire() });
    }

    fn write(&mut self, entry: &CursorEntry) {
        write_entry(self.encoding, entry, &mut self.chunk);
    }
}

impl Sink for CursorSink {
    fn begin(&mut self, step: usize, cols: Arc<[Col]>) {
        self.rows = Rows::new(cols.len());
        self.begun = self.chunk.len();
        self.write(&CursorEntry::StepBegin { step: wire_index(step), cols });
    }

    fn push(&mut self, value: ValueRef<'_>) {
        self.rows.push(value);
    }

    fn row_done(&mut self) -> Flow {
        for row in self.rows.iter() {
            write_row(self.encoding, row, &mut self.chunk);
        }
        self.rows.clear();
        if self.wants_pause() { Flow::Pause } else { Flow::Continue }
    }

    fn room(&self) -> Option<usize> {
        Some(limits::RESPONSE_BYTES_MAX)
    }

    fn pending(&self) -> usize {
        self.chunk.len() - self.begun
    }

    fn wants_pause(&self) -> bool {
        self.chunk.len() >= limits::CURSOR_CHUNK_BYTES
    }

    fn end(&mut self, summary: Summary) {
        self.write(&CursorEntry::StepEnd {
            affected_row_count: summary.affected_row_count,
            last_insert_rowid: summary.last_insert_rowid,
        });
    }

    fn rewind(&mut self) {
        self.rows.clear();
        self.chunk.truncate(self.begun);
    }

    fn fail(&mut self, step: usize, error: Error) {
        self.rows.clear();
        self.write(&CursorEntry::StepError { step: wire_index(step), error: error.to_wire() });
    }

    fn revoke(&mut self, error: &Error) {
        self.fail_batch(error);
    }
}

fn wire_index(step: usize) -> u32 {
    u32::try_from(step).unwrap_or(u32::MAX)
}
