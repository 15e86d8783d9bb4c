//! `turso db inspect`: what a database has been asked for.

use super::cli::Turso;

/// The number after a label that `turso db inspect` prints.
fn number(inspected: &str, label: &str) -> u64 {
    let line = inspected.lines().find_map(|line| line.strip_prefix(label));
    line.and_then(|line| line.trim().parse().ok()).unwrap_or_else(|| panic!("{label}: {inspected}"))
}

#[test]
fn rows_read_and_written_are_counted() {
    let turso = Turso::start();
    turso.ok("db create shop");
    turso.ok("db create other");
    turso.ok(r#"db shell shop "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)""#);
    turso.ok(r#"db shell shop "SELECT * FROM t""#);
    turso.ok(r#"db shell shop "SELECT * FROM t""#);
    let inspected = turso.ok("db inspect shop");
    assert_eq!(number(&inspected, "Number of rows written:"), 3);
    assert_eq!(number(&inspected, "Number of rows read:"), 6);
    assert!(!inspected.contains("Total space used: 0 B"), "{inspected}");
    let other = turso.ok("db inspect other");
    assert_eq!(number(&other, "Number of rows written:"), 0);

    let instances = turso.table("db inspect shop --verbose");
    let row = instances.last().unwrap();
    assert_eq!(row[..2], ["local", "primary"]);
    assert_eq!(row[3..5], ["6", "3"], "{instances:?}");
    let told = turso.fails("db inspect nowhere");
    assert!(told.contains("database nowhere not found"), "{told}");
}

#[test]
fn the_queries_that_cost_most_are_listed() {
    let turso = Turso::start();
    turso.ok("db create shop");
    turso.ok(r#"db shell shop "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)""#);
    for _ in 0..2 {
        turso.ok(r#"db shell shop "SELECT a FROM t""#);
    }
    let queries = turso.table("db inspect shop --queries");
    assert_eq!(queries[0], ["QUERY", "ROWS WRITTEN", "ROWS READ"]);
    let read = queries.iter().find(|row| row[0] == "SELECT a FROM t").unwrap();
    assert_eq!(read[1..], ["0", "6"], "{queries:?}");
    let written = queries.iter().find(|row| row[0].starts_with("INSERT INTO t")).unwrap();
    assert_eq!(written[1], "3", "{queries:?}");
    let told = turso.fails("db inspect nowhere --queries");
    assert!(told.contains("nowhere"), "{told}");
}
