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
    use super::Begin::{Concurrent, ReadOnly};
    use super::{find_begin, is_rollback, says_replace};

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
