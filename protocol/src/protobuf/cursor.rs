//! `CursorEntry` and its parts.

use prost::encoding::sint64;

use super::stmt::{Col, Error};
use super::value::Row;
use super::{Encode, read_as, variant, write};
use crate::cursor::RowEntry;
use crate::error::{DecodeError, present};

#[derive(prost::Message)]
pub(super) struct CursorEntry {
    #[prost(oneof = "CursorEntryOneof", tags = "1, 2, 3, 4, 5")]
    entry: Option<CursorEntryOneof>,
}

#[derive(prost::Oneof)]
enum CursorEntryOneof {
    #[prost(message, tag = "1")]
    StepBegin(StepBeginEntry),
    #[prost(message, tag = "2")]
    StepEnd(StepEndEntry),
    #[prost(message, tag = "3")]
    StepError(StepErrorEntry),
    #[prost(message, tag = "4")]
    Row(Row),
    #[prost(message, tag = "5")]
    Error(Error),
}

#[derive(prost::Message)]
struct StepBeginEntry {
    #[prost(uint32, tag = "1")]
    step: u32,
    #[prost(message, repeated, tag = "2")]
    cols: Vec<Col>,
}

#[derive(prost::Message)]
struct StepEndEntry {
    #[prost(uint64, tag = "1")]
    affected_row_count: u64,
    #[prost(sint64, optional, tag = "2")]
    last_insert_rowid: Option<i64>,
}

#[derive(prost::Message)]
struct StepErrorEntry {
    #[prost(uint32, tag = "1")]
    step: u32,
    #[prost(message, optional, tag = "2")]
    error: Option<Error>,
}

read_as!(CursorEntry => crate::CursorEntry);

impl TryFrom<CursorEntry> for crate::CursorEntry {
    type Error = DecodeError;

    fn try_from(message: CursorEntry) -> Result<Self, DecodeError> {
        Ok(match variant(message.entry, "CursorEntry")? {
            CursorEntryOneof::StepBegin(StepBeginEntry { step, cols }) => {
                let cols = cols.into_iter().map(crate::Col::from).collect();
                crate::CursorEntry::StepBegin { step, cols }
            }
            CursorEntryOneof::StepEnd(StepEndEntry { affected_row_count, last_insert_rowid }) => {
                crate::CursorEntry::StepEnd { affected_row_count, last_insert_rowid }
            }
            CursorEntryOneof::StepError(StepErrorEntry { step, error }) => {
                let error = present(error, "StepErrorEntry", "error")?.try_into()?;
                crate::CursorEntry::StepError { step, error }
            }
            CursorEntryOneof::Row(row) => crate::CursorEntry::Row { row: row.try_into()? },
            CursorEntryOneof::Error(error) => {
                crate::CursorEntry::Error { error: error.try_into()? }
            }
        })
    }
}

impl Encode for crate::CursorEntry {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        match self {
            crate::CursorEntry::StepBegin { step, cols } => write::nested(1, out, |out| {
                write::nonzero::uint32(1, *step, out);
                cols.iter().for_each(|col| write::message(2, col, out));
            }),
            crate::CursorEntry::StepEnd { affected_row_count, last_insert_rowid } => {
                write::nested(2, out, |out| {
                    write::nonzero::uint64(1, *affected_row_count, out);
                    if let Some(rowid) = last_insert_rowid {
                        sint64::encode(2, rowid, out);
                    }
                });
            }
            crate::CursorEntry::StepError { step, error } => write::nested(3, out, |out| {
                write::nonzero::uint32(1, *step, out);
                write::message(2, error, out);
            }),
            crate::CursorEntry::Row { row } => write_row(row.as_slice(), out),
            crate::CursorEntry::Error { error } => write::message(5, error, out),
        }
    }
}

impl Encode for RowEntry<'_> {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write_row(&self.0, out);
    }
}

/// The entry of a row, owned or borrowed.
fn write_row(row: &(impl Encode + ?Sized), out: &mut Vec<u8>) {
    write::nested(4, out, |out| row.encode_fields(out));
}
