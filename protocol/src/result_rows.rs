//! The rows of a result, as values or encoded already.

use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::encoded_rows::EncodedRows;
use crate::rows::Rows;
use crate::value::ValueRef;
use crate::version::Encoding;

/// The rows of a result.
#[derive(Clone, PartialEq)]
pub enum ResultRows {
    /// To be looked at.
    Values(Rows),
    /// To be sent on, in a message of that encoding.
    Encoded(EncodedRows),
}

impl ResultRows {
    /// No rows yet, with `width` values each: encoded for messages of that encoding, or as values.
    pub fn new(width: usize, encoding: Option<Encoding>) -> Self {
        match encoding {
            Some(encoding) => ResultRows::Encoded(EncodedRows::new(encoding, width)),
            None => ResultRows::Values(Rows::new(width)),
        }
    }

    /// Appends the next value of the current row; a new row begins when `width` values are there.
    #[inline]
    pub fn push(&mut self, value: ValueRef<'_>) {
        match self {
            ResultRows::Values(rows) => rows.push(value),
            ResultRows::Encoded(rows) => rows.push(value),
        }
    }

    /// Memory that they occupy, in bytes.
    pub fn size(&self) -> usize {
        match self {
            ResultRows::Values(rows) => rows.size(),
            ResultRows::Encoded(rows) => rows.size(),
        }
    }

    /// The rows as values, unless they are encoded.
    pub fn values(&self) -> Option<&Rows> {
        match self {
            ResultRows::Values(rows) => Some(rows),
            ResultRows::Encoded(_) => None,
        }
    }
}

impl Default for ResultRows {
    fn default() -> Self {
        Rows::default().into()
    }
}

impl From<Rows> for ResultRows {
    fn from(rows: Rows) -> Self {
        ResultRows::Values(rows)
    }
}

impl fmt::Debug for ResultRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResultRows::Values(rows) => rows.fmt(f),
            ResultRows::Encoded(rows) => rows.fmt(f),
        }
    }
}

impl Serialize for ResultRows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ResultRows::Values(rows) => rows.serialize(serializer),
            ResultRows::Encoded(rows) => rows.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ResultRows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Rows::deserialize(deserializer).map(ResultRows::Values)
    }
}
