//! How far vectors of one form and of as many dimensions are apart.
//!
//! Sums are made in the order of the elements and in their precision, as libSQL makes them, and what comes out is
//! told in single precision. A vector of zeros has no direction: its cosine distance is NaN, in SQL NULL.

use std::ops::{Add, Mul, Sub};

use super::Checked;
use super::elements::{bfloat16s, float8s, float16s, float32s, float64s};
use super::form::{Form, Vector};

/// A float in which sums are made.
trait Real:
    Copy + Default + Into<f64> + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
}

impl Real for f32 {}
impl Real for f64 {}

/// 1 minus the cosine of the angle between the vectors; of bits, how many differ.
pub(super) fn cosine(left: &Vector<'_>, right: &Vector<'_>) -> f64 {
    let (x, y) = (&*left.data, &*right.data);
    let distance = match left.form {
        Form::Float32 => angle(float32s(x).zip(float32s(y))),
        Form::Float64 => angle(float64s(x).zip(float64s(y))),
        Form::Float16 => angle(float16s(x).zip(float16s(y))),
        Form::BFloat16 => angle(bfloat16s(x).zip(bfloat16s(y))),
        Form::Float8 => angle_of_steps(left, right),
        Form::Bits => {
            let differing = x.iter().zip(y).map(|(x, y)| (x ^ y).count_ones());
            f64::from(differing.sum::<u32>())
        }
    };
    f64::from(distance as f32)
}

/// The length of the straight line between the points.
pub(super) fn euclidean(left: &Vector<'_>, right: &Vector<'_>) -> Checked<f64> {
    let (x, y) = (&*left.data, &*right.data);
    let distance = match left.form {
        Form::Float32 => line(float32s(x).zip(float32s(y))),
        Form::Float64 => line(float64s(x).zip(float64s(y))),
        Form::Float16 => line(float16s(x).zip(float16s(y))),
        Form::BFloat16 => line(bfloat16s(x).zip(bfloat16s(y))),
        Form::Float8 => line(float8s(left).zip(float8s(right))),
        Form::Bits => {
            let message = "it is not defined for float1bit vectors; vector_distance_cos counts \
                           the bits in which they differ";
            return Err(message.to_owned());
        }
    };
    Ok(f64::from(distance as f32))
}

fn angle<T: Real>(pairs: impl Iterator<Item = (T, T)>) -> f64 {
    let [mut dot, mut left, mut right] = [T::default(); 3];
    for (x, y) in pairs {
        dot = dot + x * y;
        left = left + x * x;
        right = right + y * y;
    }
    1.0 - dot.into() / (left * right).into().sqrt()
}

fn line<T: Real>(pairs: impl Iterator<Item = (T, T)>) -> f64 {
    let square = |sum: T, (x, y): (T, T)| sum + (x - y) * (x - y);
    pairs.fold(T::default(), square).into().sqrt()
}

/// The cosine distance of `Float8`, from sums of the bytes: with elements `a x + b` and `c y + d` the sum of
/// products is `ac Σxy + ad Σx + bc Σy + bd n`.
fn angle_of_steps(left: &Vector<'_>, right: &Vector<'_>) -> f64 {
    let ((a, b), (c, d)) = (left.scale(), right.scale());
    let sum = |of: fn(u32, u32) -> u32| {
        let pairs = left.data[..left.dims].iter().zip(&right.data[..right.dims]);
        // 65,536 products of two bytes are less than 2 to the power of 32.
        pairs.map(|(x, y)| of(u32::from(*x), u32::from(*y))).sum::<u32>() as f32
    };
    let (x, y) = (sum(|x, _| x), sum(|_, y| y));
    let n = left.dims as f32;
    let dot = a * c * sum(|x, y| x * y) + a * d * x + c * b * y + b * d * n;
    let of_left = a * a * sum(|x, _| x * x) + 2.0 * a * b * x + b * b * n;
    let of_right = c * c * sum(|_, y| y * y) + 2.0 * c * d * y + d * d * n;
    1.0 - f64::from(dot) / f64::from(of_left * of_right).sqrt()
}
