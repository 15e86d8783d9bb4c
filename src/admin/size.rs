//! Sizes as sqld reads and writes them: `5mb` is five million bytes, `5mib` five times 1,048,576.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// What sqld calls a database without a limit, and so means none.
const UNLIMITED: u64 = 1_000_000_000_000_000_000;

/// The largest first.
const UNITS: [(&str, u64); 10] = [
    ("PiB", 1 << 50),
    ("PB", 1_000_000_000_000_000),
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
];

/// The most bytes that a database may have; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaxSize(pub(super) Option<u64>);

impl fmt::Display for MaxSize {
    /// Exactly, so that a tool which writes back what it has read changes nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.unwrap_or(UNLIMITED);
        if self.0.is_none() {
            return f.write_str("1000.0 PB");
        }
        let is_exact = |(_, unit): &&(&str, u64)| {
            bytes >= *unit && (u128::from(bytes) * 10).is_multiple_of(u128::from(*unit))
        };
        match UNITS.iter().find(is_exact) {
            Some((name, unit)) => {
                let tenths = u128::from(bytes) * 10 / u128::from(*unit);
                write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
            }
            None => write!(f, "{bytes} B"),
        }
    }
}

impl MaxSize {
    fn new(bytes: u64) -> Self {
        MaxSize(Some(bytes).filter(|bytes| (1..UNLIMITED).contains(bytes)))
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim().to_ascii_lowercase();
        let is_named = |(name, _): &&(&str, u64)| {
            let name = name.to_ascii_lowercase();
            name == unit || name.trim_end_matches('b') == unit
        };
        let factor = match unit.as_str() {
            "" | "b" => 1,
            _ => UNITS.iter().find(is_named)?.1,
        };
        match number.parse::<u64>() {
            Ok(number) => Some(Self::new(number.saturating_mul(factor))),
            Err(_) => {
                let number: f64 = number.parse().ok()?;
                // Beyond what a float says exactly nobody gives bytes.
                Some(Self::new((number * factor as f64).round() as u64))
            }
        }
    }
}

impl<'de> Deserialize<'de> for MaxSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Bytes(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Bytes(bytes) => Ok(MaxSize::new(bytes)),
            Form::Text(text) => MaxSize::parse(&text).ok_or_else(|| {
                serde::de::Error::custom(format!("{text:?} is not a size such as 500mb or 2 GiB"))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MaxSize;

    #[test]
    fn sizes_are_read_and_written_as_by_sqld_but_exactly() {
        for (text, bytes, again) in [
            ("5mb", Some(5_000_000), "5.0 MB"),
            ("5 MiB", Some(5 << 20), "5.0 MiB"),
            ("12.5 MB", Some(12_500_000), "12.5 MB"),
            ("12345678", Some(12_345_678), "12345678 B"),
            ("12345678 B", Some(12_345_678), "12345678 B"),
            ("4096", Some(4096), "4.0 KiB"),
            ("1.5g", Some(1_500_000_000), "1.5 GB"),
            ("2ki", Some(2048), "2.0 KiB"),
            ("1000.0 PB", None, "1000.0 PB"),
            ("9999999999 PB", None, "1000.0 PB"),
            ("0", None, "1000.0 PB"),
        ] {
            let size = MaxSize::parse(text).unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (bytes, again), "{text}");
            assert_eq!(MaxSize::parse(again), Some(size), "{text}");
        }
        for text in ["", "mb", "1.2.3mb", "-1", "5 apples", ".", "5 mbb"] {
            assert_eq!(MaxSize::parse(text), None, "{text}");
        }
    }
}
