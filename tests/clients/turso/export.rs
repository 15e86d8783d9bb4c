//! `turso db export`: a database as a SQLite file.

use super::cli::Turso;

#[test]
#[expect(clippy::disallowed_methods, reason = "a file that no server has open")]
fn an_exported_file_has_everything() {
    let turso = Turso::start_with(&["--auth", "required"]);
    turso.ok("db create other");
    turso.ok("db create shop");
    turso.ok(r#"db shell shop "CREATE TABLE t (a); INSERT INTO t VALUES ('here')""#);
    assert_eq!(turso.ok("db export shop"), "Exported database to shop.db\n");
    let told = turso.fails("db export shop");
    assert!(told.contains("shop.db already exists"), "{told}");
    turso.ok(r#"db shell shop "INSERT INTO t VALUES (zeroblob(100000))""#);
    let name = turso.file("second.db");
    turso.ok(&format!("db export shop --output-file {} --with-metadata", name.display()));
    for (file, rows) in [("shop.db", 1), ("second.db", 2)] {
        let file = rusqlite::Connection::open(turso.file(file)).unwrap();
        let ask = |sql: &str| file.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(ask("PRAGMA integrity_check"), "ok");
        assert_eq!(ask("SELECT a FROM t LIMIT 1"), "here");
        assert_eq!(ask("SELECT CAST(count(*) AS TEXT) FROM t"), rows.to_string());
    }
    let told = turso.fails("db export nowhere");
    assert!(told.contains("database nowhere not found"), "{told}");
    // It becomes a database again.
    turso.ok("db create again --from-file shop.db");
    assert_eq!(turso.table(r#"db shell again "SELECT a FROM t""#), [["A"], ["here"]]);
}
