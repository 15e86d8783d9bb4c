//! From one form of vector to another. All but `Float64` pass through `f32`, as in libSQL.

use std::borrow::Cow;

use super::form::{Form, Vector, padding};
use super::half;

impl Vector<'_> {
    /// The same vector in another form, as far as that can hold it.
    pub(super) fn convert(&self, form: Form) -> Vector<'static> {
        if form == self.form {
            return self.owned();
        }
        let halves = |narrow: fn(f32) -> u16| {
            self.singles().into_iter().flat_map(|value| narrow(value).to_le_bytes()).collect()
        };
        let data = match form {
            Form::Float32 => self.singles().into_iter().flat_map(f32::to_le_bytes).collect(),
            Form::Float64 => self.doubles().into_iter().flat_map(f64::to_le_bytes).collect(),
            Form::Float16 => halves(half::to_float16),
            Form::BFloat16 => halves(half::to_bfloat16),
            Form::Float8 => self.quantize(),
            Form::Bits => {
                let byte = |eight: &[f64]| {
                    let set = eight.iter().enumerate().filter(|(_, value)| **value > 0.0);
                    set.fold(0, |byte, (place, _)| byte | 1 << place)
                };
                self.doubles().chunks(8).map(byte).collect()
            }
        };
        Vector { form, dims: self.dims, data: Cow::Owned(data) }
    }

    /// The data of a `Float8`. Differences are taken in the precision of the source.
    fn quantize(&self) -> Vec<u8> {
        let values = self.doubles();
        let first = values.first().map_or(0.0, |value| *value as f32);
        let least =
            |least: f32, value: &f64| if f64::from(least) < *value { least } else { *value as f32 };
        let most =
            |most: f32, value: &f64| if f64::from(most) > *value { most } else { *value as f32 };
        let shift = values.iter().fold(first, least);
        let scale = (values.iter().fold(first, most) - shift) / 255.0;
        let steps = |value: f64| match self.form {
            Form::Float64 => ((value - f64::from(shift)) / f64::from(scale)) as f32,
            _ => (value as f32 - shift) / scale,
        };
        // What is not a number, because all elements are equal, becomes 0.
        let byte = |value: f64| (f64::from(steps(value).clamp(0.0, 255.0)) + 0.5) as u8;
        let mut data: Vec<u8> = values.into_iter().map(byte).collect();
        data.resize(self.dims + padding(self.dims), 0);
        data.extend(scale.to_le_bytes());
        data.extend(shift.to_le_bytes());
        data
    }
}
