//! The binary forms of vectors.
//!
//! | form | elements | behind them, before the type |
//! |---|---|---|
//! | `Float32` | 4 bytes each | |
//! | `Float64` | 8 bytes each | |
//! | `Float16`, `BFloat16` | 2 bytes each | |
//! | `Float8` | 1 byte each, zeros up to a multiple of 4, scale and shift as `f32` | 0, and how many zeros |
//! | `Bits` | 1 bit each, the lowest of a byte first | 0 or nothing, for an odd length; how many bits are none |
//!
//! Numbers are little-endian. The type is the number of the form, in one byte; a `Float32` needs none, because a
//! blob of even length is one.

use std::borrow::Cow;

use super::{Checked, check_dims};

/// What the elements of a vector are. The numbers are those at the end of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Float32 = 1,
    Float64 = 2,
    /// 1 or -1.
    Bits = 3,
    /// 256 steps between the least and the largest element.
    Float8 = 4,
    Float16 = 5,
    /// The upper half of a `Float32`.
    BFloat16 = 6,
}

/// Scale and shift of `Float8`.
const SCALE_BYTES: usize = 8;

/// A vector, as the part of its blob that holds the elements.
#[derive(Clone, Debug)]
pub(super) struct Vector<'a> {
    pub(super) form: Form,
    pub(super) dims: usize,
    pub(super) data: Cow<'a, [u8]>,
}

impl Form {
    /// The form in which a text is read before it is converted to this one.
    pub(super) fn of_text(self) -> Form {
        if self == Form::Float64 { Form::Float64 } else { Form::Float32 }
    }

    fn from_number(number: u8) -> Option<Form> {
        use Form::*;
        [Float32, Float64, Bits, Float8, Float16, BFloat16]
            .into_iter()
            .find(|form| *form as u8 == number)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Form::Float32 => "float32",
            Form::Float64 => "float64",
            Form::Bits => "float1bit",
            Form::Float8 => "float8",
            Form::Float16 => "float16",
            Form::BFloat16 => "floatb16",
        }
    }

    /// Bytes of an element, where elements are bytes of their own and nothing else.
    fn width(self) -> Option<usize> {
        match self {
            Form::Float32 => Some(4),
            Form::Float64 => Some(8),
            Form::Float16 | Form::BFloat16 => Some(2),
            Form::Bits | Form::Float8 => None,
        }
    }
}

impl<'a> Vector<'a> {
    /// Reads a blob.
    pub(super) fn decode(blob: &'a [u8]) -> Checked<Self> {
        let (form, body) = match blob.split_last() {
            Some((number, body)) if body.len().is_multiple_of(2) => {
                let form = Form::from_number(*number).ok_or_else(|| {
                    format!("the blob is not a vector: its last byte is {number}, which is no type of one")
                })?;
                (form, body)
            }
            _ => (Form::Float32, blob),
        };
        let sized = match form {
            Form::Bits => bits(body),
            Form::Float8 => float8(body),
            _ => form
                .width()
                .filter(|width| body.len().is_multiple_of(*width))
                .map(|width| (body.len() / width, body)),
        };
        let (dims, data) = sized.ok_or_else(|| {
            format!(
                "a blob of {} bytes, of this content, is not a {} vector",
                blob.len(),
                form.name()
            )
        })?;
        check_dims(dims)?;
        Ok(Vector { form, dims, data: Cow::Borrowed(data) })
    }

    /// Writes a blob.
    pub(super) fn encode(self) -> Vec<u8> {
        let mut blob = self.data.into_owned();
        match self.form {
            Form::Float32 => return blob,
            Form::Float64 | Form::Float16 | Form::BFloat16 => {}
            Form::Float8 => blob.extend([0, padding(self.dims) as u8]),
            Form::Bits => {
                if blob.len().is_multiple_of(2) {
                    blob.push(0);
                }
                let surplus = 8 * (blob.len() + 1) - self.dims;
                blob.push(surplus as u8);
            }
        }
        blob.push(self.form as u8);
        blob
    }

    /// The same elements, with nothing borrowed.
    pub(super) fn owned(&self) -> Vector<'static> {
        Vector { form: self.form, dims: self.dims, data: Cow::Owned(self.data.to_vec()) }
    }

    /// This vector with another behind it.
    pub(super) fn concat(mut self, next: &Vector<'_>) -> Checked<Self> {
        self.must_be_as(next)?;
        self.own_width()?;
        check_dims(self.dims + next.dims)?;
        self.dims += next.dims;
        self.data.to_mut().extend_from_slice(&next.data);
        Ok(self)
    }

    /// The elements from `start` up to and without `end`.
    pub(super) fn slice(&self, start: usize, end: usize) -> Checked<Vector<'static>> {
        let width = self.own_width()?;
        if start > end || end > self.dims {
            return Err(format!(
                "there is no part from {start} to {end} in a vector of {} dimensions",
                self.dims
            ));
        }
        let data = Cow::Owned(self.data[start * width..end * width].to_vec());
        Ok(Vector { form: self.form, dims: end - start, data })
    }

    pub(super) fn must_be_as(&self, other: &Vector<'_>) -> Checked<()> {
        if self.form == other.form {
            return Ok(());
        }
        let (left, right) = (self.form.name(), other.form.name());
        Err(format!("one vector is {left} and the other {right}; convert one of them"))
    }

    fn own_width(&self) -> Checked<usize> {
        let name = self.form.name();
        self.form.width().ok_or_else(|| {
            format!(
                "{name} vectors cannot be cut or joined; do it before they are converted to that"
            )
        })
    }

    /// Scale and shift of a `Float8`: an element is `scale * byte + shift`.
    pub(super) fn scale(&self) -> (f32, f32) {
        match self.data.last_chunk::<SCALE_BYTES>() {
            Some([a, b, c, d, e, f, g, h]) => {
                (f32::from_le_bytes([*a, *b, *c, *d]), f32::from_le_bytes([*e, *f, *g, *h]))
            }
            None => (0.0, 0.0),
        }
    }
}

/// How many zeros follow the elements of a `Float8`.
pub(super) fn padding(dims: usize) -> usize {
    dims.next_multiple_of(4) - dims
}

/// Dimensions and data of a `Float8` without its type.
fn float8(body: &[u8]) -> Option<(usize, &[u8])> {
    let (data, [_, surplus]) = body.split_last_chunk()?;
    let dims = data.len().checked_sub(SCALE_BYTES + usize::from(*surplus))?;
    (padding(dims) == usize::from(*surplus)).then_some((dims, data))
}

/// Dimensions and data of `Bits` without their type.
fn bits(body: &[u8]) -> Option<(usize, &[u8])> {
    let (surplus, data) = body.split_last()?;
    let dims = (8 * body.len()).checked_sub(usize::from(*surplus))?;
    Some((dims, data.get(..dims.div_ceil(8))?))
}
