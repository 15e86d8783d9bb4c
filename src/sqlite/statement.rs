//! A prepared statement: the only place where SQLite's statement API is called, but for values in [`Cell`].
//!
//! rusqlite's `Statement` borrows its connection and therefore cannot be kept between two looks at a
//! cursor, and its `prepare` compiles the text behind the first statement as well, which runs pragmas
//! there. This one is a bare handle. Invariant: a [`Statement`] never leaves the
//! [`Connection`](super::Connection) that made it, and is finalized before that connection closes.
#![expect(unsafe_code, reason = "the statement API of SQLite is C")]

use std::ffi::{CStr, c_char, c_int};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use hrana_protocol::{Col, Value, ValueRef};
use rusqlite::ffi;

use super::cell::Cell;
use super::meter::Query;
use super::regulator::Kind;
use super::slowness::Slowness;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

pub(super) struct Statement {
    raw: NonNull<ffi::sqlite3_stmt>,
    pub(super) is_readonly: bool,
    pub(super) is_explain: bool,
    pub(super) kind: Kind,
    pub(super) is_pragma: bool,
    /// It changes the connection and not the file.
    pub(super) sets_connection: bool,
    pub(super) slowness: Slowness,
    /// Where it is counted what the client's text costs.
    pub(super) query: Option<Arc<Query>>,
    cols: Arc<[Col]>,
    /// How often SQLite had compiled the statement anew when `cols` was read.
    reprepared: c_int,
}

/// Shows the statement that is being stepped to what SQLite calls back on the way.
#[derive(Default)]
pub(super) struct Watch(AtomicPtr<ffi::sqlite3_stmt>);

impl Watch {
    pub(super) fn is_stepping(&self) -> bool {
        !self.0.load(Relaxed).is_null()
    }

    /// Whether the program of the statement runs. Else SQLite may be preparing the statement itself anew, because
    /// the schema is another. Ask only from the thread that steps.
    pub(super) fn is_executing(&self) -> bool {
        let raw = self.0.load(Relaxed);
        // SAFETY: a pointer is in here only while `Statement::step` holds the statement, and SQLite answers for
        // NULL too.
        unsafe { ffi::sqlite3_stmt_busy(raw) != 0 }
    }
}

// SAFETY: SQLite ties a statement to its connection, not to a thread; the connection that owns this
// statement is used by one thread at a time.
unsafe impl Send for Statement {}

/// What one step brought.
pub(super) enum Step {
    Row,
    Done,
}

/// The outcome of preparing: a statement, or a text without one; and how many bytes were consumed.
pub(super) struct Prepared {
    pub(super) statement: Option<Statement>,
    pub(super) consumed: usize,
}

impl Statement {
    /// Compiles the first statement of `sql` and nothing behind it.
    pub(super) fn prepare(db: &rusqlite::Connection, sql: &str) -> Result<Prepared> {
        // SQLite copies a text that does not end in a NUL, which for each statement of a long script is too much.
        let length = c_int::try_from(sql.len()).map_err(|_| {
            Error::new(ErrorKind::Sqlite(ffi::SQLITE_TOOBIG), "SQLite error: the SQL is too long")
        })?;
        // SAFETY: the handle lives as long as `db`; it is not stored.
        let handle = unsafe { db.handle() };
        let mut raw = ptr::null_mut();
        let mut tail: *const c_char = ptr::null();
        let text = sql.as_ptr().cast::<c_char>();
        // SAFETY: `text` is valid for `length` bytes; PERSISTENT is a hint for cached statements.
        let code = unsafe {
            let flags = ffi::SQLITE_PREPARE_PERSISTENT;
            ffi::sqlite3_prepare_v3(handle, text, length, flags, &mut raw, &mut tail)
        };
        if code != ffi::SQLITE_OK {
            return Err(last_error(db));
        }
        // SAFETY: SQLite points `tail` into the text that it was given.
        let consumed = unsafe { tail.offset_from(text) } as usize;
        let consumed = consumed.min(sql.trim_end_matches('\0').len());
        let statement = NonNull::new(raw).map(|raw| {
            // SAFETY: `raw` was just prepared.
            let (is_readonly, is_explain) = unsafe {
                (
                    ffi::sqlite3_stmt_readonly(raw.as_ptr()) != 0,
                    ffi::sqlite3_stmt_isexplain(raw.as_ptr()) != 0,
                )
            };
            let cols = Arc::default();
            Statement {
                raw,
                is_readonly,
                is_explain,
                kind: Kind::Other,
                is_pragma: false,
                sets_connection: false,
                slowness: Slowness::default(),
                query: None,
                cols,
                reprepared: -1,
            }
        });
        Ok(Prepared { statement, consumed })
    }

    /// Whether the statement may change the database. What changes the schema counts as such even where SQLite
    /// finds nothing to do today: it prepares a statement again when the schema is another, and then it may.
    pub(super) fn writes(&self) -> bool {
        !self.is_explain && (!self.is_readonly || (self.kind == Kind::Other && !self.is_pragma))
    }

    /// Advances to the next row or to the end. Meanwhile `watch` shows whether it executes.
    pub(super) fn step(&mut self, db: &rusqlite::Connection, watch: &Watch) -> Result<Step> {
        watch.0.store(self.raw.as_ptr(), Relaxed);
        // SAFETY: `raw` is a live statement of `db`.
        let code = unsafe { ffi::sqlite3_step(self.raw.as_ptr()) };
        watch.0.store(ptr::null_mut(), Relaxed);
        match code {
            ffi::SQLITE_ROW => Ok(Step::Row),
            ffi::SQLITE_DONE => Ok(Step::Done),
            _ => Err(last_error(db)),
        }
    }

    /// Ends an execution and forgets the arguments, so that the statement can be used again.
    pub(super) fn reset(&mut self) {
        // SAFETY: `raw` is live. The code repeats the failure of the last step, which was reported then.
        unsafe {
            ffi::sqlite3_reset(self.raw.as_ptr());
            ffi::sqlite3_clear_bindings(self.raw.as_ptr());
            ffi::sqlite3_stmt_scanstatus_reset(self.raw.as_ptr());
        }
    }

    /// Goes back to the beginning with the same arguments.
    pub(super) fn rewind(&mut self) {
        // SAFETY: as in `reset`.
        unsafe {
            ffi::sqlite3_reset(self.raw.as_ptr());
            // What was read in vain is not the client's affair.
            ffi::sqlite3_stmt_scanstatus_reset(self.raw.as_ptr());
        }
    }

    pub(super) fn parameter_count(&self) -> usize {
        // SAFETY: `raw` is live.
        unsafe { ffi::sqlite3_bind_parameter_count(self.raw.as_ptr()) as usize }
    }

    /// The name of a parameter with its prefix; `index` counts from 1.
    pub(super) fn parameter_name(&self, index: usize) -> Option<&str> {
        // SAFETY: `raw` is live; SQLite answers NULL for an index out of range.
        unsafe { text(ffi::sqlite3_bind_parameter_name(self.raw.as_ptr(), index as c_int)) }
    }

    /// Binds a parameter; `index` counts from 1. SQLite copies texts and blobs.
    pub(super) fn bind(
        &mut self,
        db: &rusqlite::Connection,
        index: usize,
        value: &Value,
    ) -> Result<()> {
        let (raw, index) = (self.raw.as_ptr(), index as c_int);
        // SAFETY: `raw` is live and each pointer is valid for the length beside it.
        let code = unsafe {
            match value {
                Value::Null => ffi::sqlite3_bind_null(raw, index),
                Value::Integer(value) => ffi::sqlite3_bind_int64(raw, index, *value),
                Value::Float(value) => ffi::sqlite3_bind_double(raw, index, *value),
                Value::Text(value) => {
                    let (data, length) = (value.as_ptr().cast(), value.len() as u64);
                    let copy = ffi::SQLITE_TRANSIENT();
                    ffi::sqlite3_bind_text64(raw, index, data, length, copy, ffi::SQLITE_UTF8 as u8)
                }
                Value::Blob(value) if value.is_empty() => ffi::sqlite3_bind_zeroblob(raw, index, 0),
                Value::Blob(value) => {
                    let (data, length) = (value.as_ptr().cast(), value.len() as u64);
                    ffi::sqlite3_bind_blob64(raw, index, data, length, ffi::SQLITE_TRANSIENT())
                }
            }
        };
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(last_error(db)) }
    }

    /// Names and declared types of the columns; current also after SQLite compiled the statement anew.
    pub(super) fn cols(&mut self) -> &Arc<[Col]> {
        // SAFETY: `raw` is live, and column indexes are below the count.
        unsafe {
            let raw = self.raw.as_ptr();
            let reprepared = ffi::sqlite3_stmt_status(raw, ffi::SQLITE_STMTSTATUS_REPREPARE, 0);
            if reprepared != self.reprepared {
                self.reprepared = reprepared;
                let col = |index| Col {
                    name: text(ffi::sqlite3_column_name(raw, index)).map(str::to_owned),
                    decltype: text(ffi::sqlite3_column_decltype(raw, index)).map(str::to_owned),
                };
                self.cols = (0..ffi::sqlite3_column_count(raw)).map(col).collect();
            }
        }
        &self.cols
    }

    /// Gives the values of the current row to `push`; fails if they have more than `room` bytes.
    #[inline]
    pub(super) fn read_row(&self, room: usize, mut push: impl FnMut(ValueRef<'_>)) -> Result<()> {
        // SAFETY: `raw` is live.
        let count = unsafe { ffi::sqlite3_data_count(self.raw.as_ptr()) };
        let mut left = room;
        for index in 0..count {
            let cell = self.cell(index);
            left = left.checked_sub(cell.bytes()).ok_or_else(Error::results_too_large)?;
            push(cell.value().map_err(|_| text_invalid(index))?);
        }
        Ok(())
    }

    /// A value of the current row; `Err` holds the bytes of a text that is not valid UTF-8.
    pub(super) fn raw_value(&self, index: c_int) -> Result<ValueRef<'_>, &[u8]> {
        self.cell(index).value()
    }

    fn cell(&self, index: c_int) -> Cell<'_> {
        // SAFETY: SQLite answers with a NULL value for an index out of range. Nobody else uses the connection
        // meanwhile, and the value stays until the next step, which needs `&mut self`.
        unsafe { Cell::new(ffi::sqlite3_column_value(self.raw.as_ptr(), index)) }
    }

    /// Rows that the loops of the statement have visited since the last reset; `None` where SQLite has not
    /// counted, as for `count(*)`, which it answers without a loop.
    pub(super) fn rows_read(&self) -> Option<u64> {
        let mut total = None;
        for index in 0.. {
            let mut visited: i64 = -1;
            // SAFETY: `raw` is live; NVISIT writes one 64-bit integer. An index out of range is refused.
            let code = unsafe {
                let out = ptr::from_mut(&mut visited).cast();
                let (raw, what) = (self.raw.as_ptr(), ffi::SQLITE_SCANSTAT_NVISIT);
                ffi::sqlite3_stmt_scanstatus_v2(raw, index, what, 0, out)
            };
            if code != 0 {
                break;
            }
            // A negative count says that this loop is not measured.
            total = Some(total.unwrap_or(0) + u64::try_from(visited).ok()?);
        }
        total
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: `raw` is live and not used afterwards.
        unsafe { ffi::sqlite3_finalize(self.raw.as_ptr()) };
    }
}

fn text_invalid(index: c_int) -> Error {
    Error::new(
        ErrorKind::TextInvalid,
        format!(
            "column {} holds a text that is not valid UTF-8; read its bytes with CAST(… AS BLOB)",
            index + 1
        ),
    )
}

/// # Safety
/// `data` is NULL or a C string that lives as long as the result is used.
unsafe fn text<'a>(data: *const c_char) -> Option<&'a str> {
    if data.is_null() {
        return None;
    }
    // SAFETY: the caller's.
    unsafe { CStr::from_ptr(data) }.to_str().ok()
}

/// The failure of the last call on `db`, with the offset in the SQL where SQLite knows it.
pub(super) fn last_error(db: &rusqlite::Connection) -> Error {
    // SAFETY: the handle lives as long as `db`; the message is copied before the next call.
    let (code, message, offset) = unsafe {
        let handle = db.handle();
        (
            ffi::sqlite3_extended_errcode(handle),
            CStr::from_ptr(ffi::sqlite3_errmsg(handle)).to_string_lossy().into_owned(),
            ffi::sqlite3_error_offset(handle),
        )
    };
    // It repeats parts of the SQL, which may be long.
    let message: String = message.chars().take(limits::ERROR_CHARS_MAX).collect();
    let message = match offset {
        0.. => format!("SQLite error: {message} (at offset {offset})"),
        _ => format!("SQLite error: {message}"),
    };
    Error::new(ErrorKind::Sqlite(code), message)
}

/// What a stream can see of the connection that executed for it before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) last_insert_rowid: i64,
    pub(super) changes: i64,
    pub(super) total_changes: i64,
}

pub(super) fn counters(db: &rusqlite::Connection) -> Counters {
    // SAFETY: the handle lives as long as `db`.
    unsafe {
        let handle = db.handle();
        Counters {
            last_insert_rowid: ffi::sqlite3_last_insert_rowid(handle),
            changes: ffi::sqlite3_changes64(handle),
            total_changes: ffi::sqlite3_total_changes64(handle),
        }
    }
}

pub(super) fn set_last_insert_rowid(db: &rusqlite::Connection, rowid: i64) {
    // SAFETY: the handle lives as long as `db`.
    unsafe { ffi::sqlite3_set_last_insert_rowid(db.handle(), rowid) };
}
