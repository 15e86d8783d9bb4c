//! The SQL that is asked for, as Hrana statements in JSON, and how the tables for it are made.

/// Rows of the table that is read.
pub(crate) const ITEMS: usize = 10_000;

/// Makes the tables, from one statement to the next.
pub(crate) const SCHEMA: [&str; 5] = [
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    "INSERT INTO items SELECT value, 'the name of item ' || value FROM \
     (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 10000) \
      SELECT value FROM n)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE TABLE many (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    "INSERT INTO many SELECT value, 'row ' || value FROM \
     (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 100000) \
      SELECT value FROM n)",
];

/// Reads of rows all over the table, the first of row 1.
pub(crate) fn point_reads() -> Vec<String> {
    let ids = (0..ITEMS).map(|index| index * 7919 % ITEMS + 1);
    let read = |id| {
        let id = format!("{{\"type\":\"integer\",\"value\":\"{id}\"}}");
        statement("SELECT id, name FROM items WHERE id = ?", Some(&id))
    };
    ids.map(read).collect()
}

pub(crate) fn insert() -> String {
    let note = "{\"type\":\"text\",\"value\":\"a note of some forty bytes, as they are\"}";
    statement("INSERT INTO notes (body) VALUES (?)", Some(note))
}

/// Fifty statements in a transaction of their own, as clients send a batch.
pub(crate) fn transaction_of_50() -> Vec<String> {
    let mut statements = vec![statement("BEGIN IMMEDIATE", None)];
    statements.extend((0..48).map(|_| insert()));
    statements.push(statement("COMMIT", None));
    statements
}

/// A transaction of five statements.
pub(crate) fn interactive() -> Vec<String> {
    let update = "UPDATE notes SET body = body || '.' WHERE id = last_insert_rowid()";
    vec![
        statement("BEGIN IMMEDIATE", None),
        statement("SELECT id, name FROM items WHERE id = 1", None),
        insert(),
        statement(update, None),
        statement("COMMIT", None),
    ]
}

/// Nine reads, then a write, and so on.
pub(crate) fn mixed() -> Vec<String> {
    let reads = point_reads();
    let tens = reads.chunks(9).map(|reads| [reads, &[insert()]].concat());
    tens.flatten().collect()
}

/// A Hrana statement in JSON. `sql` holds nothing that JSON would escape.
pub(crate) fn statement(sql: &str, argument: Option<&str>) -> String {
    let arguments = argument.map(|a| format!(",\"args\":[{a}]")).unwrap_or_default();
    format!("{{\"sql\":\"{sql}\"{arguments},\"want_rows\":true}}")
}
