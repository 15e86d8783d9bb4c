//! The rows of one result, held in flat vectors instead of a tree.
//!
//! A result of many rows is built, measured and encoded without an allocation per row or per value:
//! `cells` says what each value is, `texts` and `blobs` hold all texts and all blobs one after the other.

use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeSeq as _, Serializer};

use crate::value::{Value, ValueRef};

/// Rows of equal width. Values are pushed from left to right, row after row.
#[derive(Clone, Default)]
pub struct Rows {
    width: usize,
    cells: Vec<Cell>,
    texts: String,
    blobs: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Cell {
    Null,
    Integer(i64),
    Float(f64),
    Text { start: usize, end: usize },
    Blob { start: usize, end: usize },
}

/// One row of [`Rows`].
#[derive(Clone, Copy)]
pub struct RowRef<'a> {
    rows: &'a Rows,
    first: usize,
}

impl Rows {
    /// An empty set of rows with `width` values each.
    pub fn new(width: usize) -> Self {
        Rows { width, ..Rows::default() }
    }

    /// Appends the next value of the current row; a new row begins when `width` values are there.
    pub fn push(&mut self, value: ValueRef<'_>) {
        let cell = match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(value) => Cell::Integer(value),
            ValueRef::Float(value) => Cell::Float(value),
            ValueRef::Text(value) => {
                let start = self.texts.len();
                self.texts.push_str(value);
                Cell::Text { start, end: self.texts.len() }
            }
            ValueRef::Blob(value) => {
                let start = self.blobs.len();
                self.blobs.extend_from_slice(value);
                Cell::Blob { start, end: self.blobs.len() }
            }
        };
        self.cells.push(cell);
    }

    /// Number of complete rows.
    pub fn len(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there is no complete row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory that the values occupy, in bytes; close to the size of their encoding.
    pub fn size(&self) -> usize {
        self.cells.len() * size_of::<Cell>() + self.texts.len() + self.blobs.len()
    }

    /// The complete rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = RowRef<'_>> {
        (0..self.len()).map(|row| RowRef { rows: self, first: row * self.width })
    }

    /// Forgets the rows and keeps the width and the memory.
    pub fn clear(&mut self) {
        self.cells.clear();
        self.texts.clear();
        self.blobs.clear();
    }

    fn value(&self, cell: Cell) -> ValueRef<'_> {
        match cell {
            Cell::Null => ValueRef::Null,
            Cell::Integer(value) => ValueRef::Integer(value),
            Cell::Float(value) => ValueRef::Float(value),
            Cell::Text { start, end } => ValueRef::Text(&self.texts[start..end]),
            Cell::Blob { start, end } => ValueRef::Blob(&self.blobs[start..end]),
        }
    }
}

impl<'a> RowRef<'a> {
    /// The values of the row, from left to right.
    pub fn values(self) -> impl Iterator<Item = ValueRef<'a>> {
        let cells = &self.rows.cells[self.first..self.first + self.rows.width];
        cells.iter().map(move |cell| self.rows.value(*cell))
    }
}

/// Builds rows from the rows of a decoded message. `None` if they differ in width.
pub(crate) fn from_values(rows: impl IntoIterator<Item = Vec<Value>>) -> Option<Rows> {
    let mut result = Rows::default();
    for (index, row) in rows.into_iter().enumerate() {
        if index == 0 {
            result.width = row.len();
        } else if result.width != row.len() {
            return None;
        }
        row.iter().for_each(|value| result.push(value.as_ref()));
    }
    Some(result)
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        // The width of no rows at all is not on the wire, hence not part of the value.
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|(a, b)| a.values().eq(b.values()))
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for RowRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values()).finish()
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl Serialize for RowRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut values = serializer.serialize_seq(Some(self.rows.width))?;
        for value in self.values() {
            values.serialize_element(&value)?;
        }
        values.end()
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = Vec::<Vec<Value>>::deserialize(deserializer)?;
        from_values(rows).ok_or_else(|| serde::de::Error::custom("rows differ in width"))
    }
}
