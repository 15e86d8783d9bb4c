//! Protobuf: entry points, and the form of every structure (appendix of `HRANA_3_SPEC.md`).
//!
//! Writing goes from this crate's types straight to bytes ([`Encode`]), so that a large result
//! needs no second tree. Reading goes through private structures that repeat the schema for
//! `prost`; what the schema leaves open, such as a message without its variant, is refused when
//! they become our types.
//!
//! The fields that `sqld` adds to the specification are there: `Error.extended_code` (3) and
//! `StmtResult.rows_read` (6), `rows_written` (7), `query_duration_ms` (8). Other fields are
//! skipped.

mod batch;
mod cursor;
mod describe;
mod each;
mod http;
mod stmt;
mod stream;
mod value;
mod write;
mod ws;

pub(crate) use value::{begin_row, end_row, write_value};

use crate::error::DecodeError;

/// A structure that can be written as Protobuf.
pub trait Encode {
    /// Appends the fields of the message to `out`; an outer message adds key and length.
    fn encode_fields(&self, out: &mut Vec<u8>);
}

/// A structure that can be written and read as Protobuf.
pub trait Message: Encode + Sized {
    /// Reads the fields of one message, which are all of `bytes`.
    fn decode_fields(bytes: &[u8]) -> Result<Self, DecodeError>;
}

/// Decodes one message. The error names the message and the field in question.
pub fn decode<T: Message>(bytes: &[u8]) -> Result<T, DecodeError> {
    T::decode_fields(bytes)
}

/// Appends the bytes of `message` to `out`.
pub fn encode<T: Encode>(message: &T, out: &mut Vec<u8>) {
    message.encode_fields(out);
}

/// Appends the length of `message` as a varint, then its bytes, to `out`.
pub fn encode_delimited<T: Encode>(message: &T, out: &mut Vec<u8>) {
    write::delimited(out, |out| message.encode_fields(out));
}

/// Takes a message that [`encode_delimited`] wrote off the front of `input`.
///
/// `None`, with `input` as it was, if the message is not there to its end.
pub fn decode_delimited<T: Message>(input: &mut &[u8]) -> Result<Option<T>, DecodeError> {
    let mut rest = *input;
    let len = match prost::encoding::decode_varint(&mut rest) {
        Ok(len) => len,
        // Ten bytes hold any varint; fewer may be the beginning of one.
        Err(_) if input.len() < 10 && input.iter().all(|byte| *byte >= 0x80) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match usize::try_from(len).ok().and_then(|len| rest.split_at_checked(len)) {
        Some((message, rest)) => {
            *input = rest;
            decode(message).map(Some)
        }
        None => Ok(None),
    }
}

/// Lets `prost` read the structure on the left and turns it into the type on the right.
macro_rules! read_as {
    ($($schema:ty => $message:ty),* $(,)?) => {
        $(impl $crate::protobuf::Message for $message {
            fn decode_fields(bytes: &[u8]) -> Result<Self, $crate::error::DecodeError> {
                <$schema as prost::Message>::decode(bytes)?.try_into()
            }
        })*
    };
}
use read_as;

/// The variant of a message that must have one.
fn variant<T>(oneof: Option<T>, message: &str) -> Result<T, DecodeError> {
    oneof.ok_or_else(|| DecodeError::new(format!("`{message}` has no variant, or an unknown one")))
}

/// The items of a repeated field. The error says which item it is about.
fn each<A, B>(items: Vec<A>, field: &str) -> Result<Vec<B>, DecodeError>
where
    B: TryFrom<A, Error = DecodeError>,
{
    let item = |(index, item)| {
        B::try_from(item).map_err(|error| DecodeError::new(format!("{field}[{index}]: {error}")))
    };
    items.into_iter().enumerate().map(item).collect()
}
