//! The few words of SQL that are recognised here and not by SQLite.

use super::execution::skip_blank;

/// A way to begin a transaction that SQLite does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// `BEGIN READONLY` and `BEGIN TRANSACTION READONLY`, which SQLite takes for a transaction called "readonly",
    /// which could write.
    ReadOnly,
    /// `BEGIN CONCURRENT`: others may begin to write meanwhile, and whoever commits last may be refused. Those
    /// who take turns are never refused for that.
    Concurrent,
}

impl Begin {
    /// What SQLite is told instead.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Begin::ReadOnly => "BEGIN DEFERRED",
            Begin::Concurrent => "BEGIN IMMEDIATE",
        }
    }
}

/// Such a statement at the beginning of `sql`, with its length.
pub(super) fn find_begin(sql: &str) -> Option<(Begin, usize)> {
    let text = skip_blank(sql);
    let end = text.find([';', '\0']).unwrap_or(text.len());
    let mut words = text[..end].split_ascii_whitespace().map(str::to_ascii_lowercase);
    let [first, second, third, more] = std::array::from_fn(|_| words.next());
    let words = [&first, &second, &third, &more].map(|word| word.as_deref().unwrap_or(""));
    let begin = match words {
        ["begin", "readonly", "", ""] | ["begin", "transaction", "readonly", ""] => Begin::ReadOnly,
        ["begin", "concurrent", "" | "transaction", ""] => Begin::Concurrent,
        _ => return None,
    };
    let end = if text[end..].starts_with(';') { end + 1 } else { end };
    Some((begin, sql.len() - text.len() + end))
}

/// Whether the first word is ROLLBACK.
pub(super) fn is_rollback(sql: &str) -> bool {
    const WORD: &str = "rollback";
    let sql = skip_blank(sql);
    sql.get(..WORD.len()).is_some_and(|word| word.eq_ignore_ascii_case(WORD))
}

#[cfg(test)]
mod tests {
    use super::Begin::{Concurrent, ReadOnly};
    use super::{find_begin, is_rollback};

    #[test]
    fn recognises_only_these_forms() {
        let cases = [
            ("BEGIN READONLY", Some((ReadOnly, 14))),
            (" begin transaction\n readonly ; ", Some((ReadOnly, 30))),
            ("BEGIN TRANSACTION READONLY;SELECT 1", Some((ReadOnly, 27))),
            ("/* to; read */ BEGIN READONLY;", Some((ReadOnly, 30))),
            ("BEGIN CONCURRENT", Some((Concurrent, 16))),
            ("begin concurrent transaction; x", Some((Concurrent, 29))),
            ("BEGIN", None),
            ("BEGIN CONCURRENTLY", None),
            ("BEGIN TRANSACTION CONCURRENT", None),
            ("BEGIN TRANSACTION", None),
            ("BEGIN IMMEDIATE", None),
            ("BEGIN READONLY x", None),
            ("BEGIN; SELECT readonly", None),
            ("SELECT readonly", None),
            ("", None),
        ];
        for (sql, expected) in cases {
            assert_eq!(find_begin(sql), expected, "{sql}");
        }
    }

    #[test]
    fn rollback_is_known_by_its_first_word() {
        for sql in ["ROLLBACK", " /* x */ rollback;", "\u{feff}Rollback to s"] {
            assert!(is_rollback(sql), "{sql}");
        }
        for sql in ["EXPLAIN ROLLBACK", "COMMIT", "ROLL", ""] {
            assert!(!is_rollback(sql), "{sql}");
        }
    }
}
