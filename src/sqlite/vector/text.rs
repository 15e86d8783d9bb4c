//! Vectors as texts: `[1, 2.5, -3e4]`.

use std::borrow::Cow;

use super::form::{Form, Vector};
use super::{Checked, check_dims};

/// Significant digits of a number that is written.
const DIGITS: u32 = 6;

/// Reads a vector of the form `Float32` or `Float64`.
pub(super) fn parse(text: &str, form: Form) -> Checked<Vector<'static>> {
    let is_space = |c: char| matches!(c, ' ' | '\t'..='\r');
    let inner =
        text.trim_matches(is_space).strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inner = inner.ok_or("the text has to be a list of numbers in brackets, like '[1, 2.5]'")?;
    let (mut data, mut dims) = (Vec::new(), 0);
    if !inner.trim_matches(is_space).is_empty() {
        for element in inner.split(',') {
            let value = number(element.trim_matches(is_space)).ok_or_else(|| {
                let start: String = element.chars().take(40).collect();
                format!("element {} of the text is not a number: '{start}'", dims + 1)
            })?;
            dims += 1;
            check_dims(dims)?;
            match form {
                Form::Float64 => data.extend(value.to_le_bytes()),
                _ => data.extend((value as f32).to_le_bytes()),
            }
        }
    }
    let form = if form == Form::Float64 { form } else { Form::Float32 };
    Ok(Vector { form, dims, data: Cow::Owned(data) })
}

/// A number in decimal digits; Rust would take "inf" and "nan" as well.
fn number(text: &str) -> Option<f64> {
    let is_decimal = |c: u8| c.is_ascii_digit() || b"+-.eE".contains(&c);
    text.bytes().all(is_decimal).then(|| text.parse().ok()).flatten()
}

/// The text of a vector, as SQLite's `%g` writes numbers.
pub(super) fn write(vector: &Vector<'_>) -> String {
    let mut text = String::from("[");
    for (index, value) in vector.doubles().into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_number(&mut text, value);
    }
    text.push(']');
    text
}

fn write_number(text: &mut String, value: f64) {
    if value < 0.0 {
        text.push('-');
    }
    if !value.is_finite() {
        return text.push_str(if value.is_nan() { "NaN" } else { "Inf" });
    }
    let (digits, exponent) = round(value.abs());
    let is_plain = (-4..=5).contains(&exponent);
    // Digits before the first one that counts, so that it stands in its place.
    let zeros = if is_plain { usize::try_from(-exponent).unwrap_or(0) } else { 0 };
    let digits = "0".repeat(zeros) + &digits;
    let whole = if is_plain { usize::try_from(exponent).unwrap_or(0) + 1 } else { 1 };
    let (whole, fraction) = digits.split_at(whole);
    text.push_str(whole);
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    if !is_plain {
        let sign = if exponent < 0 { '-' } else { '+' };
        text.push_str(&format!("e{sign}{:02}", exponent.unsigned_abs()));
    }
}

/// The digits that count of a number that is not negative, and the power of ten of the first of them. SQLite
/// rounds the decimal number of 17 digits, halves up.
fn round(value: f64) -> (String, i32) {
    let exact = format!("{value:.16e}");
    let (digits, exponent) = exact.split_once('e').unwrap_or((&exact, "0"));
    let exponent = exponent.parse().unwrap_or(0);
    let digits: u64 = digits.replace('.', "").parse().unwrap_or(0);
    let unit = 10u64.pow(17 - DIGITS);
    match (digits + unit / 2) / unit {
        1_000_000 => ("100000".to_owned(), exponent + 1),
        digits => (format!("{digits:06}"), exponent),
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, parse, write, write_number};

    #[test]
    fn numbers_are_written_with_six_digits() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.1f32.into(), "0.1"),
            (123_456.0, "123456"),
            (1_234_567.0, "1.23457e+06"),
            (1_000_005.0, "1.00001e+06"),
            (999_999.5, "1e+06"),
            (0.000_123_456_7, "0.000123457"),
            (0.000_012, "1.2e-05"),
            (1e-300, "1e-300"),
            (f64::MAX, "1.79769e+308"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ];
        for (value, expected) in cases {
            let mut text = String::new();
            write_number(&mut text, value);
            assert_eq!(text, expected, "{value:?}");
        }
    }

    #[test]
    fn texts_are_read_strictly() {
        for (text, expected) in [
            ("[]", "[]"),
            (" [ ] ", "[]"),
            ("[1,2]", "[1,2]"),
            ("\n[ +1.50 ,\t-.5e1, 5. ]\n", "[1.5,-5,5]"),
            ("[1e39]", "[Inf]"),
        ] {
            assert_eq!(write(&parse(text, Form::Float32).unwrap()), expected, "{text}");
        }
        for text in
            ["", "1,2", "[1,2", "[1,]", "[,]", "[1 2]", "[nan]", "[inf]", "[0x1]", "[1]]", "[[1]]"]
        {
            assert!(parse(text, Form::Float32).is_err(), "{text}");
        }
    }
}
