//! What a connection answers when the state of its transaction does not allow a statement.

use rusqlite::ffi;

use crate::error::{Error, ErrorKind};

/// Whether the client's own SQL asked for the rollback: `ON CONFLICT ROLLBACK`, `RAISE(ROLLBACK)`.
pub(super) fn is_asked_rollback(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Sqlite(code) if code & 0xff == ffi::SQLITE_CONSTRAINT)
}

pub(super) fn transaction_lost() -> Error {
    Error::new(
        ErrorKind::TransactionLost,
        "the transaction was rolled back when an earlier statement failed; send ROLLBACK, then begin again",
    )
}

pub(super) fn read_transaction_refusal() -> Error {
    Error::new(
        ErrorKind::Sqlite(ffi::SQLITE_READONLY),
        "SQLite error: attempt to write in a transaction that was begun READONLY",
    )
}
