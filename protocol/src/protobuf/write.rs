//! Writing fields, on top of prost's primitives.
//!
//! A plain function writes its field always, as `optional` and `oneof` want it; those of
//! [`nonzero`] leave out the default, as proto3 wants it for all other fields.

use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::Encode;

/// Writes `message` as the field `tag`.
pub(super) fn message(tag: u32, message: &impl Encode, out: &mut Vec<u8>) {
    nested(tag, out, |out| message.encode_fields(out));
}

/// Writes a message that has no type of its own: what `fields` writes becomes the field `tag`.
pub(super) fn nested(tag: u32, out: &mut Vec<u8>, fields: impl FnOnce(&mut Vec<u8>)) {
    encode_key(tag, WireType::LengthDelimited, out);
    delimited(out, fields);
}

/// Writes a message of no fields.
pub(super) fn empty(tag: u32, out: &mut Vec<u8>) {
    nested(tag, out, |_| ());
}

/// Writes what `fields` writes after its length.
///
/// The length is known last. Room for a short one is left, and what was written moves for a longer
/// one: one copy per level of nesting is cheaper than measuring every value once per level.
pub(super) fn delimited(out: &mut Vec<u8>, fields: impl FnOnce(&mut Vec<u8>)) {
    let start = begin_delimited(out);
    fields(out);
    end_delimited(start, out);
}

/// Leaves room for a length, and says where.
pub(super) fn begin_delimited(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.push(0);
    start
}

/// Writes the length of all that was written since the room for it was left at `start`.
pub(super) fn end_delimited(start: usize, out: &mut Vec<u8>) {
    let len = out.len() - start - 1;
    let width = encoded_len_varint(len as u64);
    if width > 1 {
        out.resize(start + width + len, 0);
        out.copy_within(start + 1..start + 1 + len, start + width);
    }
    encode_varint(len as u64, &mut &mut out[start..start + width]);
}

pub(super) fn bytes(tag: u32, value: &[u8], out: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

pub(super) fn string(tag: u32, value: &str, out: &mut Vec<u8>) {
    bytes(tag, value.as_bytes(), out);
}

pub(super) fn optional_string(tag: u32, value: Option<&str>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        string(tag, value, out);
    }
}

pub(super) mod nonzero {
    use prost::encoding;

    macro_rules! scalars {
        ($($name:ident: $type:ty),*) => {
            $(pub(in crate::protobuf) fn $name(tag: u32, value: $type, out: &mut Vec<u8>) {
                if value != <$type>::default() {
                    encoding::$name::encode(tag, &value, out);
                }
            })*
        };
    }
    scalars!(bool: bool, int32: i32, uint32: u32, uint64: u64);

    pub(in crate::protobuf) fn string(tag: u32, value: &str, out: &mut Vec<u8>) {
        if !value.is_empty() {
            super::string(tag, value, out);
        }
    }
}
