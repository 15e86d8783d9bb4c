//! `Value`, `Row` and the rows of a result.

use prost::encoding::{WireType, double, encode_key, sint64};

use super::{Encode, each, read_as, variant, write};
use crate::error::DecodeError;
use crate::rows::{self, RowRef, Rows};
use crate::value::ValueRef;

/// The field `rows` of `StmtResult`.
pub(super) const ROWS: u32 = 2;

#[derive(PartialEq, prost::Message)]
pub(super) struct Value {
    #[prost(oneof = "ValueOneof", tags = "1, 2, 3, 4, 5")]
    value: Option<ValueOneof>,
}

#[derive(PartialEq, prost::Oneof)]
enum ValueOneof {
    #[prost(message, tag = "1")]
    Null(()),
    #[prost(sint64, tag = "2")]
    Integer(i64),
    #[prost(double, tag = "3")]
    Float(f64),
    #[prost(string, tag = "4")]
    Text(String),
    #[prost(bytes, tag = "5")]
    Blob(Vec<u8>),
}

#[derive(PartialEq, prost::Message)]
pub(super) struct Row {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Value>,
}

read_as!(Value => crate::Value);

impl TryFrom<Value> for crate::Value {
    type Error = DecodeError;

    fn try_from(message: Value) -> Result<Self, DecodeError> {
        Ok(match variant(message.value, "Value")? {
            ValueOneof::Null(()) => crate::Value::Null,
            ValueOneof::Integer(value) => crate::Value::Integer(value),
            ValueOneof::Float(value) => crate::Value::Float(value),
            ValueOneof::Text(value) => crate::Value::Text(value),
            ValueOneof::Blob(value) => crate::Value::Blob(value),
        })
    }
}

impl TryFrom<Row> for Vec<crate::Value> {
    type Error = DecodeError;

    fn try_from(message: Row) -> Result<Self, DecodeError> {
        each(message.values, "values")
    }
}

/// The rows of a `StmtResult`.
pub(super) fn read_rows(messages: Vec<Row>) -> Result<Rows, DecodeError> {
    let rows: Vec<Vec<crate::Value>> = each(messages, "rows")?;
    rows::from_values(rows).ok_or_else(|| DecodeError::new("rows differ in width"))
}

impl Encode for crate::Value {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        self.as_ref().encode_fields(out);
    }
}

impl Encode for ValueRef<'_> {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        match *self {
            ValueRef::Null => write::empty(1, out),
            ValueRef::Integer(value) => sint64::encode(2, &value, out),
            ValueRef::Float(value) => double::encode(3, &value, out),
            ValueRef::Text(value) => write::string(4, value, out),
            ValueRef::Blob(value) => write::bytes(5, value, out),
        }
    }
}

/// Begins a row of a `StmtResult`. Says where its length is to stand, for [`end_row`].
pub(crate) fn begin_row(out: &mut Vec<u8>) -> usize {
    encode_key(ROWS, WireType::LengthDelimited, out);
    write::begin_delimited(out)
}

/// Writes the next value of a row.
pub(crate) fn write_value(value: ValueRef<'_>, out: &mut Vec<u8>) {
    write::message(1, &value, out);
}

pub(crate) fn end_row(length_at: usize, out: &mut Vec<u8>) {
    write::end_delimited(length_at, out);
}

/// The fields of `Row`.
impl Encode for RowRef<'_> {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        self.values().for_each(|value| write_value(value, out));
    }
}

/// The fields of `Row`.
impl Encode for [crate::Value] {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|value| write_value(value.as_ref(), out));
    }
}
