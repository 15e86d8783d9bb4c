//! A value of the row on which a statement stands, looked up once: each way of asking the statement for it looks it up
//! again.
#![expect(unsafe_code, reason = "the statement API of SQLite is C")]

use std::ffi::c_int;
use std::marker::PhantomData;

use hrana_protocol::ValueRef;
use rusqlite::ffi;

/// A value, and what type it has.
pub(super) struct Cell<'a> {
    raw: *mut ffi::sqlite3_value,
    kind: c_int,
    row: PhantomData<&'a ()>,
}

impl<'a> Cell<'a> {
    /// # Safety
    /// `raw` is a value of the row on which a statement stands, and stays so for `'a`.
    pub(super) unsafe fn new(raw: *mut ffi::sqlite3_value) -> Self {
        // SAFETY: the caller's.
        let kind = unsafe { ffi::sqlite3_value_type(raw) };
        Cell { raw, kind, row: PhantomData }
    }

    /// The size of a text or blob. To be asked before the value, which SQLite may have to make (`zeroblob`). A number
    /// has none, which SQLite would write out as a text first.
    pub(super) fn bytes(&self) -> usize {
        match self.kind {
            // SAFETY: `raw` is a value of the current row.
            ffi::SQLITE_TEXT | ffi::SQLITE_BLOB => unsafe {
                ffi::sqlite3_value_bytes(self.raw) as usize
            },
            _ => 0,
        }
    }

    /// `Err` holds the bytes of a text that is not valid UTF-8.
    pub(super) fn value(&self) -> Result<ValueRef<'a>, &'a [u8]> {
        let raw = self.raw;
        // SAFETY: `raw` is a value of the current row. Bytes are asked for after the text or blob, as SQLite wants it.
        unsafe {
            Ok(match self.kind {
                ffi::SQLITE_INTEGER => ValueRef::Integer(ffi::sqlite3_value_int64(raw)),
                ffi::SQLITE_FLOAT => ValueRef::Float(ffi::sqlite3_value_double(raw)),
                ffi::SQLITE_TEXT => {
                    let data = ffi::sqlite3_value_text(raw);
                    let bytes = slice(data.cast(), ffi::sqlite3_value_bytes(raw));
                    ValueRef::Text(str::from_utf8(bytes).map_err(|_| bytes)?)
                }
                ffi::SQLITE_BLOB => {
                    let data = ffi::sqlite3_value_blob(raw);
                    ValueRef::Blob(slice(data.cast(), ffi::sqlite3_value_bytes(raw)))
                }
                _ => ValueRef::Null,
            })
        }
    }
}

/// # Safety
/// `data` is NULL or valid for `length` bytes as long as the result is used.
unsafe fn slice<'a>(data: *const u8, length: c_int) -> &'a [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: the caller's.
    unsafe { std::slice::from_raw_parts(data, length as usize) }
}
