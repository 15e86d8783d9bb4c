//! The streams and cursors of a session, by the ids that its client chose.

use std::collections::{HashMap, HashSet};

use super::Closing;
use super::task::StreamTask;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Who does what is asked of an id, or why nobody does. What breaks a rule closes the socket instead.
type Found<'a> = Result<Result<&'a StreamTask>, Closing>;

#[derive(Default)]
pub(super) struct Table {
    streams: HashMap<i32, StreamTask>,
    /// Streams that could not be opened. A client need not wait for that answer before it uses the stream, so what it
    /// asks of one fails, until it closes the stream.
    refused: HashSet<i32>,
    /// Closed streams that may still do what they were asked before. Each has a request outstanding, or ends at once.
    finishing: Vec<StreamTask>,
    /// The stream of each open cursor.
    cursors: HashMap<i32, i32>,
}

impl Table {
    /// Opens a stream. `Ok(Err(…))` is one that could not be opened, but whose id is used.
    pub(super) fn open(
        &mut self,
        stream_id: i32,
        start: impl FnOnce() -> Result<StreamTask>,
    ) -> Result<Result<()>, Closing> {
        if self.streams.contains_key(&stream_id) || self.refused.contains(&stream_id) {
            return Err(Closing::protocol(format!("Stream {stream_id} already exists")));
        }
        let is_full = self.streams.len() >= limits::STREAMS_PER_SOCKET_MAX;
        match if is_full { Err(too_many()) } else { start() } {
            Ok(task) => {
                self.streams.insert(stream_id, task);
                Ok(Ok(()))
            }
            Err(_) if self.refused.len() >= limits::STREAMS_REFUSED_MAX => {
                Err(Closing::policy(too_many().message()))
            }
            Err(error) => {
                self.refused.insert(stream_id);
                Ok(Err(error))
            }
        }
    }

    /// The stream of an id, for a request other than those below.
    pub(super) fn stream(&self, stream_id: i32) -> Found<'_> {
        if self.has_cursor(stream_id) {
            return Err(Closing::protocol(format!(
                "Stream {stream_id} has an open cursor; close it before the next request"
            )));
        }
        self.find(stream_id)
    }

    /// Takes a stream out, with its cursor. `None` is one that could not be opened.
    pub(super) fn close(&mut self, stream_id: i32) -> Result<Option<&StreamTask>, Closing> {
        self.cursors.retain(|_, stream| *stream != stream_id);
        if self.refused.remove(&stream_id) {
            return Ok(None);
        }
        let task = self.streams.remove(&stream_id).ok_or_else(|| no_stream(stream_id))?;
        self.finishing.retain(|task| !task.is_finished());
        self.finishing.push(task);
        Ok(self.finishing.last())
    }

    /// Uses an id for a cursor, also if the cursor then cannot be opened.
    pub(super) fn open_cursor(&mut self, stream_id: i32, cursor_id: i32) -> Found<'_> {
        if self.cursors.contains_key(&cursor_id) {
            return Err(Closing::protocol(format!("Cursor {cursor_id} already exists")));
        }
        if self.has_cursor(stream_id) {
            return Err(Closing::protocol(format!(
                "Stream {stream_id} already has an open cursor"
            )));
        }
        self.find(stream_id)?.ok();
        self.cursors.insert(cursor_id, stream_id);
        self.find(stream_id)
    }

    /// The stream that a cursor is on.
    pub(super) fn of_cursor(&self, cursor_id: i32) -> Found<'_> {
        match self.cursors.get(&cursor_id) {
            Some(stream_id) => self.find(*stream_id),
            None => Err(Closing::protocol(format!("Cursor {cursor_id} not found"))),
        }
    }

    /// Takes a cursor out. `None` is one on a stream that could not be opened.
    pub(super) fn close_cursor(&mut self, cursor_id: i32) -> Result<Option<&StreamTask>, Closing> {
        self.of_cursor(cursor_id)?.ok();
        let stream = self.cursors.remove(&cursor_id);
        Ok(stream.and_then(|stream_id| self.streams.get(&stream_id)))
    }

    /// Ends all streams.
    pub(super) fn clear(&mut self) {
        *self = Table::default();
    }

    fn has_cursor(&self, stream_id: i32) -> bool {
        self.cursors.values().any(|stream| *stream == stream_id)
    }

    fn find(&self, stream_id: i32) -> Found<'_> {
        match self.streams.get(&stream_id) {
            Some(task) => Ok(Ok(task)),
            None if self.refused.contains(&stream_id) => Ok(Err(too_many())),
            None => Err(no_stream(stream_id)),
        }
    }
}

fn too_many() -> Error {
    let max = limits::STREAMS_PER_SOCKET_MAX;
    Error::new(
        ErrorKind::Overloaded,
        format!("the stream could not be opened: a socket may have {max}; close some first"),
    )
}

fn no_stream(stream_id: i32) -> Closing {
    Closing::protocol(format!("Stream {stream_id} not found"))
}
