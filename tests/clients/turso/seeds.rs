//! `turso db create --from-…`, `import` and `branch`: databases that are not empty at first.

use std::fs;
use std::path::PathBuf;

use super::cli::Turso;

const ROWS: [[&str; 3]; 3] =
    [["ID", "NAME", "DATA"], ["1", "one; two", "0x00FF"], ["2", "NULL", "NULL"]];

/// A SQLite file, as another program has made it.
#[expect(clippy::disallowed_methods, reason = "a file that no server has open")]
fn sqlite_file(turso: &Turso, name: &str) -> PathBuf {
    let path = turso.file(name);
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(
        "CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, data BLOB);
         CREATE INDEX items_by_name ON items (name);
         INSERT INTO items (name, data) VALUES ('one; two', x'00ff'), (NULL, NULL);",
    )
    .unwrap();
    path
}

/// That a database has the rows of `sqlite_file`, and can be used.
fn assert_is_whole(turso: &Turso, name: &str) {
    assert_eq!(turso.table(&format!(r#"db shell {name} "SELECT * FROM items ORDER BY id""#)), ROWS);
    turso.ok(&format!(r#"db shell {name} "INSERT INTO items (name) VALUES ('three')""#));
    let last = turso.table(&format!(r#"db shell {name} "SELECT max(id) AS id FROM items""#));
    assert_eq!(last[1], ["3"]);
    assert!(turso.ok(&format!(r#"db shell {name} ".indexes""#)).contains("items_by_name"));
}

#[test]
fn from_a_file() {
    let turso = Turso::start();
    let file = sqlite_file(&turso, "items.db");
    let created = turso.ok(&format!("db create shop --from-file {}", file.display()));
    assert!(created.contains("Uploaded data in") && created.contains("Created database shop"));
    assert_is_whole(&turso, "shop");
    let told = turso.fails("db create missing --from-file missing.db");
    assert!(told.contains("could not find file missing.db"), "{told}");
}

#[test]
fn imported_under_the_name_of_the_file() {
    let turso = Turso::start();
    turso.ok("group create team --location local");
    sqlite_file(&turso, "items.sqlite");
    turso.ok("db import items.sqlite --group team");
    assert_is_whole(&turso, "items");
    assert_eq!(turso.table("db list --group team")[1][0], "items");
}

#[test]
fn from_a_dump_of_another_database() {
    let turso = Turso::start();
    turso.ok(&format!("db create shop --from-file {}", sqlite_file(&turso, "items.db").display()));
    fs::write(turso.file("shop.sql"), turso.ok(r#"db shell shop ".dump""#)).unwrap();
    turso.ok("db create copy --from-dump shop.sql");
    assert_is_whole(&turso, "copy");
}

#[test]
fn from_a_dump_that_the_server_fetches() {
    let turso = Turso::start();
    turso.ok(&format!("db create shop --from-file {}", sqlite_file(&turso, "items.db").display()));
    let url = format!("http://{}/db/shop/dump", turso.host());
    turso.ok(&format!("db create fetched --from-dump-url {url}"));
    assert_is_whole(&turso, "fetched");
    for (url, why) in [
        ("http://127.0.0.1:1/dump.sql", "the dump could not be fetched"),
        ("file:///etc/passwd", "`url` is neither http nor https"),
    ] {
        let told = turso.fails(&format!("db create lost --from-dump-url {url}"));
        assert!(told.contains(&format!("could not create database lost: seed: {why}")), "{told}");
    }
    assert!(!turso.ok("db list").contains("lost"));
}

#[test]
fn from_rows_of_text() {
    let turso = Turso::start();
    fs::write(turso.file("items.csv"), "id,name\n1,one\n2,two\n").unwrap();
    turso.ok("db create shop --from-csv items.csv --csv-table-name items");
    let rows = turso.table(r#"db shell shop "SELECT name FROM items ORDER BY id""#);
    assert_eq!(rows, [["NAME"], ["one"], ["two"]]);
}

#[test]
fn a_broken_dump_creates_nothing() {
    let turso = Turso::start();
    let before = turso.ok("db list");
    let start = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t (a);\n";
    for (name, rest, said) in [
        (
            "wrong",
            "INSERT INTO t VALUES (1);\nINSERT INTO missing VALUES (1);\nCOMMIT;\n",
            "line 5",
        ),
        ("syntax", "INSERT INTO t VALUES (1;\nCOMMIT;\n", "line 4"),
        ("short", "INSERT INTO t VALUES (1);\n", ""),
        ("half", "INSERT INTO t VALUES ('", ""),
    ] {
        fs::write(turso.file("dump.sql"), format!("{start}{rest}")).unwrap();
        let told = turso.fails(&format!("db create {name} --from-dump dump.sql"));
        assert!(told.contains(&format!("could not create database {name}")), "{told}");
        assert!(told.contains(said), "{told}");
    }
    assert_eq!(turso.ok("db list"), before);
    // The names are free.
    turso.ok("db create wrong");
}

#[test]
fn a_copy_goes_its_own_way() {
    let turso = Turso::start();
    turso.ok(&format!("db create shop --from-file {}", sqlite_file(&turso, "items.db").display()));
    turso.ok("db create copy --from-db shop");
    assert_is_whole(&turso, "copy");
    assert_eq!(turso.table(r#"db shell shop "SELECT * FROM items ORDER BY id""#), ROWS);
    turso.ok(r#"db shell shop "DELETE FROM items""#);
    assert_eq!(turso.table(r#"db shell copy "SELECT count(*) AS n FROM items""#)[1], ["3"]);
    let told = turso.fails("db create lost --from-db nowhere");
    assert!(told.contains("nowhere"), "{told}");
    assert!(!turso.ok("db list").contains("lost"));
}

#[test]
fn a_branch_shows_where_it_comes_from() {
    let turso = Turso::start();
    turso.ok("group create team --location local");
    let file = sqlite_file(&turso, "items.db");
    turso.ok(&format!("db create shop --group team --from-file {}", file.display()));
    turso.ok("db branch shop shop-next");
    assert_is_whole(&turso, "shop-next");
    let shown = turso.ok("db show shop-next");
    assert!(shown.contains("Parent:             shop\n"), "{shown}");
    assert!(shown.contains("Group:              team\n"), "{shown}");
    assert!(!turso.ok("db show shop").contains("Parent:"));
    let branches = turso.table("db show shop --branches");
    assert_eq!(branches.len(), 2, "{branches:?}");
    assert_eq!(branches[1][0], "shop-next");
    // A branch outlives what it comes from.
    turso.ok("db destroy shop --yes");
    turso.ok(r#"db shell shop-next "SELECT * FROM items""#);
    turso.ok("db show shop-next");
}

#[test]
fn a_point_in_time_that_cannot_be_had_is_refused() {
    let turso = Turso::start();
    turso.ok("db create shop");
    let told = turso.fails("db branch shop past --timestamp 2020-01-01T00:00:00Z");
    assert!(told.contains("could not create database past"), "{told}");
    assert!(!turso.ok("db list").contains("past"));
}

#[test]
fn a_refused_upload_says_why() {
    let mut turso = Turso::start();
    let row = format!("INSERT INTO t VALUES ('{}');\n", "x".repeat(1000));
    let dump = format!(
        "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t (a);\n{}COMMIT;\n",
        row.repeat(20_000)
    );
    fs::write(turso.file("dump.sql"), dump).unwrap();
    let token = turso.ok("auth api-tokens mint reader --org local --group default --read-only");
    let owner = turso.login(token.trim());
    let told = turso.fails("db create shop --from-dump dump.sql");
    assert!(told.contains("could not upload dump: Unauthorized: the token lacks"), "{told}");
    turso.login(&owner);
    turso.ok("db create shop --from-dump dump.sql");
    assert_eq!(turso.table(r#"db shell shop "SELECT count(*) AS n FROM t""#)[1], ["20000"]);
}
