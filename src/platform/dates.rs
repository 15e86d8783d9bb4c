//! Dates in the bodies of the platform API.

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime};

use crate::error::{Error, Result};

/// Seconds since 1970 as `2026-01-31T12:00:00Z`.
pub(super) fn rfc3339(seconds: i64) -> String {
    let date = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    date.format(&Rfc3339).unwrap_or_default()
}

/// The day of a date, with or without a time, in UTC; days are counted from 1970-01-01.
pub(super) fn day(text: &str) -> Result<i64> {
    let moment = OffsetDateTime::parse(text, &Iso8601::DEFAULT).map(OffsetDateTime::unix_timestamp);
    let moment = moment.or_else(|_| Date::parse(text, &Iso8601::DATE).map(seconds_of));
    moment.map(|seconds| seconds.div_euclid(SECONDS_PER_DAY)).map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        Error::bad_request(format!("{shown:?} is not a date such as 2026-01-31T12:00:00Z"))
    })
}

pub(super) fn today() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp().div_euclid(SECONDS_PER_DAY)
}

/// The first day of this month.
pub(super) fn first_of_month() -> i64 {
    let today = OffsetDateTime::now_utc().date();
    let first = today.replace_day(1).unwrap_or(today);
    seconds_of(first).div_euclid(SECONDS_PER_DAY)
}

fn seconds_of(date: Date) -> i64 {
    date.midnight().assume_utc().unix_timestamp()
}

const SECONDS_PER_DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-02T00:00:00.000Z", 1),
            ("1970-01-02T01:00:00+02:00", 0),
            ("2026-11-24", 20_781),
            ("1969-12-31", -1),
        ] {
            assert_eq!(day(text).unwrap(), expected, "{text}");
        }
        for text in ["yesterday", "2026-13-01", "1790000000", " "] {
            let error = day(text).unwrap_err();
            assert!(error.message().contains("is not a date"), "{text}: {error}");
        }
    }
}
