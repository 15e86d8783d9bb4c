//! Sizes in the bodies of the platform API.

use serde::{Deserialize, Deserializer};

/// Bytes, as a number or as a text such as `500mb`; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Bytes(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Bytes(bytes) => Ok(Size(bytes)),
            Form::Text(text) => Size::parse(&text).ok_or_else(|| {
                serde::de::Error::custom(format!("{text:?} is not a size such as 500mb or 2gb"))
            }),
        }
    }
}

impl Size {
    /// The limit that this says, if any.
    pub(super) fn limit(self) -> Option<u64> {
        Some(self.0).filter(|bytes| *bytes > 0)
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor: u64 = match unit.trim() {
            "" | "b" => 1,
            "k" | "kb" | "kib" => 1 << 10,
            "m" | "mb" | "mib" => 1 << 20,
            "g" | "gb" | "gib" => 1 << 30,
            "t" | "tb" | "tib" => 1 << 40,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor).map(Size)
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("0", 0), ("4096", 4096), ("10mb", 10 << 20), ("2 GB", 2 << 30), ("1KiB", 1024)]
        {
            assert_eq!(Size::parse(text), Some(Size(bytes)), "{text}");
        }
        for text in ["", "mb", "1.5gb", "-1", "1pb", "99999999999999tb"] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
    }
}
