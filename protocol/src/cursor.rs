//! Cursor entries: a batch result in small pieces (*Cursor entries* in the specification).

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{DecodeError, Error};
use crate::rows::RowRef;
use crate::stmt::Col;
use crate::value::Value;
use crate::version::Encoding;
use crate::{json, protobuf};

/// One piece of the result of a batch. A skipped step produces none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CursorEntry {
    /// A step is executed; its rows follow.
    StepBegin {
        /// Its index in the batch, from 0.
        step: u32,
        #[serde(with = "crate::json::shared_slice")]
        cols: Arc<[Col]>,
    },
    /// The next row of the step that began last.
    Row {
        /// One value per column.
        row: Vec<Value>,
    },
    /// The step that began last succeeded.
    StepEnd {
        /// See [`StmtResult::affected_row_count`](crate::StmtResult::affected_row_count).
        affected_row_count: u64,
        /// See [`StmtResult::last_insert_rowid`](crate::StmtResult::last_insert_rowid). A string in
        /// JSON, as the specification and the TypeScript client want it.
        #[serde(default, with = "crate::json::optional_i64")]
        last_insert_rowid: Option<i64>,
    },
    /// A step failed, before or after it began.
    StepError {
        /// Its index in the batch, from 0.
        step: u32,
        error: Error,
    },
    /// The whole batch failed; always the last entry.
    Error { error: Error },
}

/// [`CursorEntry::Row`], borrowed, to be written as Protobuf.
pub(crate) struct RowEntry<'a>(pub(crate) RowRef<'a>);

/// Appends a structure of an HTTP cursor body to `out`: the [`crate::http::CursorRespBody`] at its
/// beginning, or an entry. JSON ends with a newline; Protobuf begins with its length as a varint.
pub fn write_entry<T>(encoding: Encoding, entry: &T, out: &mut Vec<u8>)
where
    T: Serialize + protobuf::Encode,
{
    match encoding {
        Encoding::Json => {
            json::encode(entry, out);
            out.push(b'\n');
        }
        Encoding::Protobuf => protobuf::encode_delimited(entry, out),
    }
}

/// Appends the [`CursorEntry::Row`] of one row, as [`write_entry`] does.
pub fn write_row(encoding: Encoding, row: RowRef<'_>, out: &mut Vec<u8>) {
    match encoding {
        Encoding::Json => {
            out.extend_from_slice(br#"{"type":"row","row":["#);
            for (index, value) in row.values().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                json::write_value(value, out);
            }
            out.extend_from_slice(b"]}\n");
        }
        Encoding::Protobuf => protobuf::encode_delimited(&RowEntry(row), out),
    }
}

/// Takes a structure that [`write_entry`] wrote off the front of `input`.
///
/// `None`, with `input` as it was, if the structure is not there to its end.
pub fn read_entry<T>(encoding: Encoding, input: &mut &[u8]) -> Result<Option<T>, DecodeError>
where
    T: DeserializeOwned + protobuf::Message,
{
    match encoding {
        Encoding::Json => {
            let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
                return Ok(None);
            };
            let (line, rest) = input.split_at(end);
            *input = &rest[1..];
            json::decode(line).map(Some)
        }
        Encoding::Protobuf => protobuf::decode_delimited(input),
    }
}
