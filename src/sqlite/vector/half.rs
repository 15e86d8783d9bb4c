//! Floats of 16 bits: IEEE 754's (5 bits of exponent, 10 of fraction), and the upper half of an `f32`.

const SIGN: u16 = 0x8000;
const INFINITY: u16 = 0x7c00;
const NAN: u16 = 0x7e00;

pub(super) fn from_float16(bits: u16) -> f32 {
    let (exponent, fraction) = (bits >> 10 & 0x1f, bits & 0x3ff);
    let size = match exponent {
        // 2 to the power of -24 is the least that there is.
        0 => f32::from(fraction) / 16_777_216.0,
        0x1f if fraction == 0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => f32::from_bits((u32::from(exponent) + 127 - 15) << 23 | u32::from(fraction) << 13),
    };
    if bits & SIGN == 0 { size } else { -size }
}

/// The nearest one; of two that are equally near the even one. Below the normal range libSQL cuts bits off
/// before it rounds, and so does this.
pub(super) fn to_float16(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16) as u16 & SIGN;
    let (exponent, fraction) = ((bits >> 23 & 0xff) as i32 - 127, bits & 0x7f_ffff);
    let (exponent, fraction) = match exponent {
        ..=-26 => return sign,
        -25..=-15 => (0, (fraction | 0x80_0000) >> (-14 - exponent)),
        -14..=15 => ((exponent + 15) as u32, fraction),
        128.. if fraction != 0 => return sign | NAN,
        _ => return sign | INFINITY,
    };
    let rounded = fraction + 0xfff + (fraction >> 13 & 1);
    // What is carried over makes the exponent larger, up to infinity.
    sign | ((exponent << 10) + (rounded >> 13)) as u16
}

pub(super) fn from_bfloat16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// Cut off, not rounded, as in libSQL.
pub(super) fn to_bfloat16(value: f32) -> u16 {
    (value.to_bits() >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::{from_float16, to_float16};

    #[test]
    fn every_float16_survives() {
        for bits in 0..=u16::MAX {
            let value = from_float16(bits);
            let expected = if value.is_nan() { bits & 0x8000 | 0x7e00 } else { bits };
            assert_eq!(to_float16(value), expected, "{value}");
        }
    }

    #[test]
    fn rounds_to_the_nearest_even() {
        let cases = [
            (1.0 + 1.0 / 2048.0, 1.0),
            (1.0 + 3.0 / 2048.0, 1.0 + 4.0 / 2048.0),
            (65519.0, 65504.0),
            (65520.0, f32::INFINITY),
            (-1e9, f32::NEG_INFINITY),
            (1e-9, 0.0),
        ];
        for (value, nearest) in cases {
            assert_eq!(from_float16(to_float16(value)), nearest, "{value}");
        }
    }
}
