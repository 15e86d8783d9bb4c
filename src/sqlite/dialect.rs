//! The one statement of libSQL's dialect that clients send and stock SQLite does not know.

/// Whether `sql` is `BEGIN READONLY` or `BEGIN TRANSACTION READONLY`. SQLite rejects the first and takes the
/// second for a transaction called "readonly", which could write.
pub(super) fn begins_read_transaction(sql: &str) -> bool {
    let words = sql.trim().trim_end_matches(';').split_ascii_whitespace();
    let [first, second, third] = [0, 1, 2].map(|index| words.clone().nth(index).unwrap_or(""));
    let is = |word: &str, expected: &str| word.eq_ignore_ascii_case(expected);
    is(first, "begin")
        && words.clone().nth(3).is_none()
        && ((is(second, "readonly") && third.is_empty())
            || (is(second, "transaction") && is(third, "readonly")))
}

#[cfg(test)]
mod tests {
    use super::begins_read_transaction;

    #[test]
    fn recognises_only_the_two_forms() {
        for sql in
            ["BEGIN READONLY", " begin transaction\n readonly ; ", "BEGIN TRANSACTION READONLY"]
        {
            assert!(begins_read_transaction(sql), "{sql}");
        }
        for sql in [
            "BEGIN",
            "BEGIN TRANSACTION",
            "BEGIN IMMEDIATE",
            "BEGIN READONLY x",
            "SELECT readonly",
            "",
        ] {
            assert!(!begins_read_transaction(sql), "{sql}");
        }
    }
}
