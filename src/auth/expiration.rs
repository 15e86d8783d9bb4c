//! How long a token shall be valid, as the CLI and the platform API say it.

use std::time::Duration;

use crate::error::{Error, Result};

/// Reads `7d`, `2w1d30m`, `3600s`: numbers with the units w, d, h, m, s, each unit once and the larger first. Not
/// at all, `default`, `never` and `none` say that the token does not expire.
pub fn parse_expiration(text: &str) -> Result<Option<Duration>> {
    if matches!(text, "" | "default" | "never" | "none") {
        return Ok(None);
    }
    match seconds(text) {
        Some(seconds @ 1..) => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(Error::bad_request("Invalid expiration format")),
    }
}

/// Numbers have at most nine digits: three hundred years in seconds, and no sum that overflows.
const DIGITS_MAX: usize = 9;

fn seconds(text: &str) -> Option<u64> {
    let mut units = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)].iter();
    let (mut total, mut rest) = (0, text);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let unit = behind.chars().next()?;
        let (_, factor) = units.find(|(name, _)| *name == unit)?;
        if digits > DIGITS_MAX {
            return None;
        }
        total += number.parse::<u64>().ok()? * factor;
        rest = &behind[1..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse_expiration;

    #[test]
    fn all_that_clients_send_is_understood() {
        for text in ["never", "none", "default", ""] {
            assert_eq!(parse_expiration(text).unwrap(), None, "{text}");
        }
        const DAY: u64 = 86_400;
        for (text, seconds) in [
            ("7d", 7 * DAY),
            ("2d", 2 * DAY),
            ("5m", 300),
            ("1h", 3600),
            ("2w1d30m", 15 * DAY + 1800),
            ("3600s", 3600),
            ("1w1d1h1m1s", 8 * DAY + 3661),
            ("999999999w", 999_999_999 * 7 * DAY),
        ] {
            let expected = Some(Duration::from_secs(seconds));
            assert_eq!(parse_expiration(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "7",
            "d",
            "7 d",
            "-7d",
            "7D",
            "7y",
            "1.5h",
            "0s",
            "0d",
            "1d1w",
            "1d1d",
            "7d ",
            "+7d",
            "Never",
            "é",
            "7é",
            "9999999999s",
        ] {
            let error = parse_expiration(text).expect_err(text);
            assert_eq!(error.message(), "Invalid expiration format");
        }
    }
}
