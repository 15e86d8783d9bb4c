//! The few words of SQL that are recognised here and not by SQLite.

use super::execution::skip_blank;

/// The length of `BEGIN READONLY` or `BEGIN TRANSACTION READONLY` at the beginning of `sql`. SQLite rejects the
/// first and takes the second for a transaction called "readonly", which could write.
pub(super) fn begins_read_transaction(sql: &str) -> Option<usize> {
    let text = skip_blank(sql);
    let end = text.find([';', '\0']).unwrap_or(text.len());
    let words = text[..end].split_ascii_whitespace();
    let [first, second, third] = [0, 1, 2].map(|index| words.clone().nth(index).unwrap_or(""));
    let is = |word: &str, expected: &str| word.eq_ignore_ascii_case(expected);
    let is_it = is(first, "begin")
        && words.clone().nth(3).is_none()
        && ((is(second, "readonly") && third.is_empty())
            || (is(second, "transaction") && is(third, "readonly")));
    let end = if text[end..].starts_with(';') { end + 1 } else { end };
    is_it.then(|| sql.len() - text.len() + end)
}

/// Whether the first word is ROLLBACK.
pub(super) fn is_rollback(sql: &str) -> bool {
    const WORD: &str = "rollback";
    let sql = skip_blank(sql);
    sql.get(..WORD.len()).is_some_and(|word| word.eq_ignore_ascii_case(WORD))
}

#[cfg(test)]
mod tests {
    use super::{begins_read_transaction, is_rollback};

    #[test]
    fn recognises_only_the_two_forms() {
        let cases = [
            ("BEGIN READONLY", Some(14)),
            (" begin transaction\n readonly ; ", Some(30)),
            ("BEGIN TRANSACTION READONLY;SELECT 1", Some(27)),
            ("/* to; read */ BEGIN READONLY;", Some(30)),
            ("BEGIN", None),
            ("BEGIN TRANSACTION", None),
            ("BEGIN IMMEDIATE", None),
            ("BEGIN READONLY x", None),
            ("BEGIN; SELECT readonly", None),
            ("SELECT readonly", None),
            ("", None),
        ];
        for (sql, length) in cases {
            assert_eq!(begins_read_transaction(sql), length, "{sql}");
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
