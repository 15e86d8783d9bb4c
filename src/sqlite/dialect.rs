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

/// Whether one of the words is REPLACE, and not the name of the function `replace()`. Whatever is quoted is no
/// word. Of that alone the authorizer says nothing: it deletes rows that are in the way of others.
pub(super) fn says_replace(sql: &str) -> bool {
    let bytes = sql.as_bytes();
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let rest = &sql[index..];
        index += match byte {
            b'\'' | b'"' | b'`' => after(rest, 1, byte as char),
            b'[' => after(rest, 1, ']'),
            b'-' if rest.starts_with("--") => after(rest, 2, '\n'),
            b'/' if rest.starts_with("/*") => {
                rest[2..].find("*/").map_or(rest.len(), |end| end + 4)
            }
            _ if is_word(byte) => {
                let length = rest.bytes().take_while(|byte| is_word(*byte)).count();
                let is_function = || skip_blank(&rest[length..]).starts_with('(');
                if rest[..length].eq_ignore_ascii_case("replace") && !is_function() {
                    return true;
                }
                length
            }
            _ => 1,
        };
    }
    false
}

/// The length of `text` up to the first `end` that is not within its first bytes, with it.
fn after(text: &str, first: usize, end: char) -> usize {
    text[first..].find(end).map_or(text.len(), |index| first + index + 1)
}

/// Also the bytes of what is not ASCII, which SQLite takes for letters.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::{begins_read_transaction, is_rollback, says_replace};

    #[test]
    fn replace_is_a_word_and_not_a_function() {
        for sql in [
            "REPLACE INTO t VALUES(1)",
            "insert or replace into t values(1)",
            "UPDATE OR/**/REPLACE t SET a = '--'",
            "INSERT OR\nReplace INTO t VALUES('it''s')",
            "/* é */ REPLACE INTO t SELECT replace(a, 'x', 'y') FROM t",
        ] {
            assert!(says_replace(sql), "{sql}");
        }
        for sql in [
            "INSERT INTO t VALUES('replace me', \"replace\", `replace`, [replace])",
            "INSERT INTO t SELECT replace(a, 'x', 'y'), REPLACE /* ( */ ('a', 'b', 'c') FROM t",
            "INSERT INTO t(replaced, é_replace) VALUES(1, 2) -- replace",
            "INSERT INTO t VALUES(1) /* replace",
            "INSERT INTO t VALUES('replace",
            "",
        ] {
            assert!(!says_replace(sql), "{sql}");
        }
    }

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
