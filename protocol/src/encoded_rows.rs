//! The rows of a result that is only sent on, encoded value by value while they are read.

use std::fmt;

use serde::ser::{Serialize, SerializeSeq as _, Serializer};

use crate::json::{self, Verbatim};
use crate::protobuf;
use crate::value::ValueRef;
use crate::version::Encoding;

/// Rows of equal width, as they are in a message. Values are pushed from left to right, row after row.
#[derive(Clone, PartialEq)]
pub struct EncodedRows {
    encoding: Encoding,
    width: usize,
    /// How many values of the row in progress are there.
    column: usize,
    /// Where the length of the row in progress is to stand, in Protobuf.
    length_at: usize,
    bytes: Vec<u8>,
}

impl EncodedRows {
    /// An empty set of rows with `width` values each.
    pub fn new(encoding: Encoding, width: usize) -> Self {
        EncodedRows { encoding, width, column: 0, length_at: 0, bytes: Vec::new() }
    }

    /// Appends the next value of the current row; a new row begins when `width` values are there.
    #[inline]
    pub fn push(&mut self, value: ValueRef<'_>) {
        let (is_first, is_last) = (self.column == 0, self.column + 1 >= self.width);
        match self.encoding {
            Encoding::Json => {
                if !self.bytes.is_empty() {
                    self.bytes.push(b',');
                }
                if is_first {
                    self.bytes.push(b'[');
                }
                json::write_value(value, &mut self.bytes);
                if is_last {
                    self.bytes.push(b']');
                }
            }
            Encoding::Protobuf => {
                if is_first {
                    self.length_at = protobuf::begin_row(&mut self.bytes);
                }
                protobuf::write_value(value, &mut self.bytes);
                if is_last {
                    protobuf::end_row(self.length_at, &mut self.bytes);
                }
            }
        }
        self.column = if is_last { 0 } else { self.column + 1 };
    }

    /// How many bytes they are.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// What stands for the complete rows in a message: the elements of an array in JSON, the fields `rows` in Protobuf.
    ///
    /// # Panics
    ///
    /// If they are encoded otherwise.
    pub(crate) fn bytes(&self, encoding: Encoding) -> &[u8] {
        assert_eq!(self.encoding, encoding, "rows are encoded for the message that they are for");
        &self.bytes
    }
}

impl fmt::Debug for EncodedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of {:?}", self.bytes.len(), self.encoding)
    }
}

/// For [`json::encode`].
impl Serialize for EncodedRows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(None)?;
        let elements = self.bytes(Encoding::Json);
        if !elements.is_empty() {
            rows.serialize_element(&Verbatim(elements))?;
        }
        rows.end()
    }
}
