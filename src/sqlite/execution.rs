//! One statement on its way from text to last row, with the places where it may have to wait.

use std::time::{Duration, Instant};

use hrana_protocol::Stmt;
use rusqlite::ffi;

use super::arguments::Arguments;
use super::connection::Connection;
use super::pace::Pace;
use super::rehearsal::{self, Rehearsed};
use super::sink::{Flow, Sink, Summary};
use super::statement::Step;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// How far work on a connection has come. All but `Done` want to be continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Done,
    /// The sink has enough for now.
    Paused,
    /// A statement is about to write, and others write or wait before it.
    NeedsTurn,
    /// The file is locked by something other than a stream of this server.
    Busy,
    /// It takes longer than a quick look; nothing is lost by doing it where blocking is allowed.
    Slow,
    /// The client has gone; nothing more shall be executed.
    Cancelled,
    /// What was rehearsed has to become a migration first.
    Migrate,
}

/// The execution of one statement.
pub(super) struct Execution {
    started: Instant,
    /// When it went on after it had waited for something.
    resumed: Instant,
    /// Running time that is left of the limit; waiting does not count.
    limit: Duration,
    left: Duration,
    total_changes: i64,
    has_begun: bool,
    /// What to record where the statement is rehearsed.
    rehearsed: Option<Stmt>,
}

/// What the text behind the first statement may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing but comments and white space.
    Empty,
    /// More statements.
    Any,
}

impl Execution {
    /// Prepares and binds the first statement of `sql`. Also says how long that statement is, or, where
    /// there is none, how much of the text SQLite has passed over.
    pub(super) fn start(
        connection: &mut Connection,
        sql: &str,
        tail: Tail,
        arguments: &Arguments,
        limit: Duration,
    ) -> Result<(Option<Self>, usize)> {
        let started = Instant::now();
        connection.interruption().allow_from(started, limit);
        let (statement, consumed) = connection.prepare(sql)?;
        if statement.is_none() {
            return Ok((None, consumed));
        }
        if tail == Tail::Empty && !skip_blank(&sql[consumed..]).is_empty() {
            return Err(many_statements());
        }
        connection.bind(arguments)?;
        connection.name_query(&sql[..consumed]);
        let total_changes = connection.counters().total_changes;
        let rehearsed =
            connection.is_rehearsing().then(|| rehearsal::stmt_of(&sql[..consumed], arguments));
        let execution = Execution {
            started,
            resumed: started,
            limit,
            left: limit,
            total_changes,
            has_begun: false,
            rehearsed,
        };
        Ok((Some(execution), consumed))
    }

    /// Runs the statement until it ends, has to wait, or the sink wants a pause.
    pub(super) fn advance(
        &mut self,
        connection: &mut Connection,
        step: usize,
        sink: &mut impl Sink,
        pace: Pace<'_>,
    ) -> Result<Progress> {
        if connection.interruption().is_cancelled() {
            return Ok(Progress::Cancelled);
        }
        if pace.is_quick() && (self.has_begun || !connection.may_be_quick()) {
            return Ok(Progress::Slow);
        }
        let may_begin_again = connection.may_begin_again();
        let _permit = match pace {
            Pace::Quick(threads) if !may_begin_again => {
                let Some(permit) = threads.try_permit() else { return Ok(Progress::Slow) };
                Some(permit)
            }
            _ => None,
        };
        if connection.writes() && !connection.try_take_turn() {
            return Ok(Progress::NeedsTurn);
        }
        if pace.is_quick() && may_begin_again {
            return self.advance_quickly(connection, step, sink);
        }
        if self.rehearsed.is_some() && !self.has_begun {
            match connection.rehearse()? {
                Rehearsed::Migrate => return Ok(Progress::Migrate),
                Rehearsed::GoOn => {}
            }
        }
        self.resumed = Instant::now();
        connection.interruption().allow_from(self.resumed, self.left);
        if pace.is_quick() {
            connection.interruption().make_room_from(self.resumed + limits::QUICK);
        }
        let result = self.run(connection, step, sink);
        self.left = self.left.saturating_sub(self.resumed.elapsed());
        result.map_err(|error| {
            let has_changed = connection.counters().total_changes != self.total_changes;
            connection.fail_rehearsal(has_changed);
            connection.interruption().explain(error, self.limit)
        })
    }

    /// Runs what should be short; if it is not, goes back to its beginning.
    fn advance_quickly(
        &mut self,
        connection: &mut Connection,
        step: usize,
        sink: &mut impl Sink,
    ) -> Result<Progress> {
        self.resumed = Instant::now();
        connection.interruption().allow_from(self.resumed, limits::QUICK);
        match self.run(connection, step, sink) {
            Err(error) if is_interrupt(&error) && !connection.interruption().is_cancelled() => {
                connection.note_time(true);
                connection.rewind();
                if std::mem::take(&mut self.has_begun) {
                    sink.rewind();
                }
                Ok(Progress::Slow)
            }
            result => result,
        }
    }

    fn run(
        &mut self,
        connection: &mut Connection,
        step: usize,
        sink: &mut impl Sink,
    ) -> Result<Progress> {
        loop {
            match connection.step() {
                Ok(Step::Row) => {
                    self.begin(connection, step, sink);
                    if let Some(room) = sink.room()
                        && let Err(error) = connection.read_row(room, |value| sink.push(value))
                    {
                        return stop(connection, error);
                    }
                    match sink.row_done() {
                        Flow::Continue => {}
                        // A statement that writes is not left half done: others wait for it.
                        Flow::Pause if connection.writes() => {
                            if sink.pending() > limits::RESPONSE_BYTES_MAX {
                                return stop(connection, too_many_returned());
                            }
                        }
                        Flow::Pause => return Ok(Progress::Paused),
                        Flow::Full(error) => return stop(connection, error),
                    }
                }
                Ok(Step::Done) => {
                    self.begin(connection, step, sink);
                    let now = Instant::now();
                    let summary = self.summary(connection, now);
                    connection.note_time(now - self.resumed > limits::QUICK);
                    let (read, written) = (summary.rows_read, summary.rows_written);
                    connection.count(read.unwrap_or(0), written.unwrap_or(0));
                    sink.end(summary);
                    if let Some(stmt) = self.rehearsed.take() {
                        connection.record(stmt);
                    }
                    connection.finish();
                    return Ok(Progress::Done);
                }
                Err(error) if is_busy(&error) && !self.has_begun => {
                    connection.rewind();
                    return Ok(Progress::Busy);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn begin(&mut self, connection: &mut Connection, step: usize, sink: &mut impl Sink) {
        if !self.has_begun {
            self.has_begun = true;
            sink.begin(step, connection.cols());
        }
    }

    fn summary(&self, connection: &Connection, now: Instant) -> Summary {
        let counters = connection.counters();
        let written = counters.total_changes - self.total_changes;
        // SQLite leaves `changes()` as it was where a statement changes no row.
        let affected_row_count = if written == 0 { 0 } else { counters.changes };
        let (writes, counts) = (connection.writes(), connection.is_about_rows());
        let last_insert_rowid = Some(counters.last_insert_rowid);
        Summary {
            affected_row_count: affected_row_count.unsigned_abs(),
            last_insert_rowid: last_insert_rowid.filter(|rowid| writes && counts && *rowid != 0),
            // What triggers and foreign keys read is not counted.
            rows_read: connection.rows_read().filter(|_| counts && !writes),
            rows_written: u64::try_from(written).ok().filter(|_| counts),
            duration: now - self.started,
            writes,
        }
    }
}

/// Ends a statement whose rows cannot be delivered, so that it has changed nothing.
fn stop(connection: &mut Connection, error: Error) -> Result<Progress> {
    if connection.writes() && !connection.stop() {
        // It was at its last row, behind which nothing can be taken back any more.
        let message = format!("{error} (the statement itself has been carried out)");
        return Err(Error::new(error.kind(), message));
    }
    Err(error)
}

fn too_many_returned() -> Error {
    let mebibytes = limits::RESPONSE_BYTES_MAX / limits::MIB;
    Error::new(
        ErrorKind::ResponseTooLarge,
        format!("the rows that one statement returns while it writes may have {mebibytes} MiB"),
    )
}

/// SQLite ends a text at a NUL and would not see what is behind it.
pub(super) fn refuse_nul(sql: &str) -> Result<()> {
    if sql.contains('\0') {
        let message = "SQL input error: the SQL contains a NUL character";
        return Err(Error::new(ErrorKind::Sqlite(ffi::SQLITE_ERROR), message));
    }
    Ok(())
}

/// `SQLITE_BUSY` proper passes; a stale snapshot (`SQLITE_BUSY_SNAPSHOT`) does not.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Sqlite(ffi::SQLITE_BUSY | ffi::SQLITE_BUSY_RECOVERY))
}

fn is_interrupt(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Sqlite(ffi::SQLITE_INTERRUPT))
}

/// What is left of `sql` behind white space, comments and semicolons.
pub fn skip_blank(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        // SQLite takes a byte order mark for white space, and the NUL is the end of our own texts.
        let is_blank = |c: char| matches!(c, '\t'..='\r' | ' ' | ';' | '\u{feff}' | '\0');
        rest = rest.trim_start_matches(is_blank);
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else {
            return rest;
        }
    }
}

pub(super) fn no_statement() -> Error {
    Error::new(ErrorKind::SqlNoStatement, "SQL string does not contain any statement")
}

pub(super) fn many_statements() -> Error {
    Error::new(
        ErrorKind::SqlManyStatements,
        "SQL string contains more than one statement; send one at a time, a batch, or a sequence",
    )
}

#[cfg(test)]
mod tests {
    use super::skip_blank;

    #[test]
    fn blank_is_what_holds_no_statement() {
        for sql in ["", " ;\n;", "-- a", "--a\n/* b; */;", "/* never closed"] {
            assert_eq!(skip_blank(sql), "", "{sql:?}");
        }
        for sql in ["x", "; x", "-- a\nx", "/* b */ x"] {
            assert_eq!(skip_blank(sql), "x", "{sql:?}");
        }
    }
}
