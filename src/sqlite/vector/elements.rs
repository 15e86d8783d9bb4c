//! The elements of vectors, read from their data.

use super::form::{Form, Vector};
use super::half;

pub(super) fn float32s(data: &[u8]) -> impl Iterator<Item = f32> {
    data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes))
}

pub(super) fn float64s(data: &[u8]) -> impl Iterator<Item = f64> {
    data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes))
}

pub(super) fn float16s(data: &[u8]) -> impl Iterator<Item = f32> {
    data.as_chunks().0.iter().map(|bytes| half::from_float16(u16::from_le_bytes(*bytes)))
}

pub(super) fn bfloat16s(data: &[u8]) -> impl Iterator<Item = f32> {
    data.as_chunks().0.iter().map(|bytes| half::from_bfloat16(u16::from_le_bytes(*bytes)))
}

pub(super) fn float8s(vector: &Vector<'_>) -> impl Iterator<Item = f32> {
    let (scale, shift) = vector.scale();
    vector.data[..vector.dims].iter().map(move |byte| scale * f32::from(*byte) + shift)
}

fn bits(vector: &Vector<'_>) -> impl Iterator<Item = f32> {
    let is_set = |index: usize| vector.data[index / 8] >> (index % 8) & 1 == 1;
    (0..vector.dims).map(move |index| if is_set(index) { 1.0 } else { -1.0 })
}

impl Vector<'_> {
    /// The elements; narrowed if they are `Float64`.
    pub(super) fn singles(&self) -> Vec<f32> {
        match self.form {
            Form::Float32 => float32s(&self.data).collect(),
            Form::Float64 => float64s(&self.data).map(|value| value as f32).collect(),
            Form::Float16 => float16s(&self.data).collect(),
            Form::BFloat16 => bfloat16s(&self.data).collect(),
            Form::Float8 => float8s(self).collect(),
            Form::Bits => bits(self).collect(),
        }
    }

    /// The elements; exact if they are `Float64`.
    pub(super) fn doubles(&self) -> Vec<f64> {
        match self.form {
            Form::Float64 => float64s(&self.data).collect(),
            _ => self.singles().into_iter().map(f64::from).collect(),
        }
    }
}
