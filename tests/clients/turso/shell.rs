//! `turso db shell`: by name and by URL, for one statement, for many, and for a person who types.

use std::fs::{self, File};
use std::process::Stdio;

use super::cli::Turso;

/// A server with a database `shop` that has something of everything that the shell shows.
fn turso_with_a_shop() -> Turso {
    let turso = Turso::start();
    turso.ok("db create shop");
    turso.ok(r#"db shell shop "
            CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL, picture BLOB);
            CREATE INDEX items_by_price ON items (price);
            CREATE VIEW cheap AS SELECT * FROM items WHERE price < 1;
            INSERT INTO items VALUES (1, 'naïve café; it''s', 0.5, x'00ff'), (2, NULL, 12.25, NULL)
        ""#);
    turso
}

const ITEMS: [[&str; 4]; 3] = [
    ["ID", "NAME", "PRICE", "PICTURE"],
    ["1", "naïve café; it's", "0.5", "0x00FF"],
    ["2", "NULL", "12.25", "NULL"],
];

/// What `.schema` prints: the statements as they were typed.
const SCHEMA: &str =
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL, picture BLOB);";

#[test]
fn one_statement_by_name() {
    let turso = turso_with_a_shop();
    assert_eq!(turso.table(r#"db shell shop "SELECT * FROM items""#), ITEMS);
    assert_eq!(turso.ok(r#"db shell shop "UPDATE items SET price = 1 WHERE id = 3""#), "");
}

#[test]
fn dot_commands_by_name() {
    let turso = turso_with_a_shop();
    let schema = turso.ok(r#"db shell shop ".schema""#);
    let schema: Vec<_> = schema.lines().map(str::trim).collect();
    assert_eq!(schema.len(), 3, "{schema:?}");
    assert_eq!(
        (schema[0], schema[1]),
        ("CREATE VIEW cheap AS SELECT * FROM items WHERE price < 1;", SCHEMA)
    );
    let one = turso.ok(r#"db shell shop ".schema items""#);
    assert_eq!(one.lines().next().unwrap().trim(), SCHEMA);
    assert_eq!(turso.table(r#"db shell shop ".tables""#), [["items"]]);
    let indexes = turso.table(r#"db shell shop ".indexes""#).concat();
    assert!(indexes.contains(&"items_by_price".to_owned()), "{indexes:?}");
    let none = turso.ok(r#"db shell shop ".indexes nothing""#);
    assert_eq!(none, "");
}

#[test]
fn a_dump_makes_the_same_database() {
    let turso = turso_with_a_shop();
    let dump = turso.ok(r#"db shell shop ".dump""#);
    assert!(dump.starts_with("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"), "{dump}");
    assert!(dump.ends_with("COMMIT;\n"), "{dump}");
    turso.ok("db create copy");
    fs::write(turso.file("dump.sql"), &dump).unwrap();
    let stdin = Stdio::from(File::open(turso.file("dump.sql")).unwrap());
    let outcome = turso.run_with_input("db shell copy", stdin);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(turso.table(r#"db shell copy "SELECT * FROM items""#), ITEMS);
    assert_eq!(turso.ok(r#"db shell copy ".dump""#), dump);
}

#[test]
fn errors_say_what_is_wrong() {
    let turso = turso_with_a_shop();
    for (sql, message) in [
        ("SELECT missing FROM items", "no such column: missing"),
        ("SELEKT 1", "syntax error"),
        ("INSERT INTO items (id) VALUES (1)", "UNIQUE constraint failed: items.id"),
    ] {
        let told = turso.fails(&format!(r#"db shell shop "{sql}""#));
        assert!(told.contains(message), "{told}");
    }
    let told = turso.fails("db shell nowhere");
    assert!(told.contains("database nowhere not found"), "{told}");
    let told = turso.fails(&format!(r#"db shell http://{}/db/nowhere/ "SELECT 1""#, turso.host()));
    assert!(told.contains("error code 404") && told.contains("nowhere"), "{told}");
}

#[test]
fn many_statements_end_with_the_first_error() {
    let turso = turso_with_a_shop();
    turso.fails(
        r#"db shell shop "CREATE TABLE kept (a); SELECT missing; CREATE TABLE not_reached (a)""#,
    );
    let tables = turso.table(r#"db shell shop ".tables""#);
    assert_eq!(tables, [["items"], ["kept"]]);
    let transaction = "BEGIN; CREATE TABLE undone (a); SELECT missing; COMMIT";
    turso.fails(&format!(r#"db shell shop "{transaction}""#));
    assert_eq!(turso.table(r#"db shell shop ".tables""#), tables);
}

#[test]
fn by_url_without_a_token_on_this_machine() {
    let turso = turso_with_a_shop();
    for url in
        [format!("http://{}/db/shop/", turso.host()), format!("ws://{}/db/shop/", turso.host())]
    {
        assert_eq!(
            turso.table(&format!(r#"db shell {url} "SELECT * FROM items""#)),
            ITEMS,
            "{url}"
        );
        assert_eq!(turso.table(&format!(r#"db shell {url} ".tables""#)), [["items"]], "{url}");
        let dump = turso.ok(&format!(r#"db shell {url} ".dump""#));
        assert!(dump.contains(SCHEMA.trim_start_matches("CREATE TABLE")), "{dump}");
    }
}

#[test]
fn by_url_with_a_token() {
    let turso = turso_with_a_shop();
    turso.ok("db create other");
    let token = turso.ok("db tokens create shop");
    for parameter in ["authToken", "auth_token", "jwt"] {
        let url = |database| {
            format!("http://{}/db/{database}/?{parameter}={}", turso.host(), token.trim())
        };
        assert_eq!(
            turso.table(&format!(r#"db shell {} "SELECT * FROM items""#, url("shop"))),
            ITEMS
        );
        let dump = turso.ok(&format!(r#"db shell {} ".dump""#, url("shop")));
        assert!(dump.ends_with("COMMIT;\n"), "{dump}");
        let told = turso.fails(&format!(r#"db shell {} "SELECT 1""#, url("other")));
        assert!(told.contains("error code 4"), "{told}");
    }
    let wrong = format!("http://{}/db/shop/?authToken=wrong", turso.host());
    let told = turso.fails(&format!(r#"db shell {wrong} "SELECT 1""#));
    assert!(told.contains("error code 401"), "{told}");
}

#[test]
fn by_url_of_a_server_that_is_open_to_nobody() {
    let turso = Turso::start_with(&["--auth", "required"]);
    turso.ok("db create shop");
    let url = turso.ok("db show shop --http-url");
    let told = turso.fails(&format!(r#"db shell {} "SELECT 1""#, url.trim()));
    assert!(told.contains("error code 401"), "{told}");
    let token = turso.ok("db tokens create shop");
    let url = format!("{}?authToken={}", url.trim(), token.trim());
    assert_eq!(turso.table(&format!(r#"db shell {url} "SELECT 1""#)), [["1"], ["1"]]);
    assert_eq!(turso.table(r#"db shell shop "SELECT 1""#), [["1"], ["1"]]);
}

#[test]
fn typed_by_a_person() {
    let turso = turso_with_a_shop();
    let mut shell = turso.shell("shop");
    let screen = shell.screen();
    let connected = format!("Connected to shop at libsql://{}/db/shop/", turso.host());
    assert!(
        screen.contains(&connected) && screen.contains("Welcome to Turso SQL shell!"),
        "{screen}"
    );
    assert!(shell.answer(".schema").contains(SCHEMA));
    assert_eq!(shell.answer(".tables"), "items");
    assert!(shell.answer(".indexes items").contains("items_by_price"));
    assert!(shell.answer(".help").contains(".dump"));
    let dump = shell.answer(".dump");
    assert!(dump.starts_with("PRAGMA foreign_keys=OFF;\n") && dump.ends_with("COMMIT;"), "{dump}");
    // A statement goes on until its semicolon.
    assert_eq!(
        shell.answer("CREATE TABLE orders (\n  id INTEGER PRIMARY KEY,\n  item INTEGER\n);"),
        ""
    );
    assert_eq!(shell.answer("INSERT INTO orders (item)\nVALUES (1), (2);"), "");
    assert_eq!(
        super::cli::table(&shell.answer("SELECT count(*) AS orders\nFROM orders;")),
        [["ORDERS"], ["2"]]
    );
    let trigger = "CREATE TRIGGER bought AFTER INSERT ON orders BEGIN\n\
                   UPDATE items SET price = price + 1 WHERE id = new.item;\n\
                   DELETE FROM orders WHERE id = new.id;\nEND;";
    assert_eq!(shell.answer(trigger), "");
    shell.answer("INSERT INTO orders (item) VALUES (2);");
    // An error is told, and the shell goes on.
    let told = shell.answer("SELECT missing;");
    assert!(
        told.contains("Error: failed to execute SQL") && told.contains("no such column: missing"),
        "{told}"
    );
    shell.answer(".mode csv");
    assert_eq!(
        shell.answer("SELECT id, price FROM items ORDER BY id;"),
        "id,price\n1,0.5\n2,13.25"
    );
    shell.quit();
}

#[test]
fn typed_by_a_person_who_has_only_the_url() {
    let turso = turso_with_a_shop();
    let url = turso.ok("db show shop --http-url");
    let mut shell = turso.shell(url.trim());
    assert!(shell.answer("SELECT name FROM items WHERE id = 1;").contains("naïve café; it's"));
    assert!(shell.answer(".dump").contains("INSERT INTO"));
    shell.quit();
    let mut shell = turso.shell(&url.trim().replace("http:", "ws:"));
    assert_eq!(shell.answer(".tables"), "items");
    shell.quit();
}

#[test]
fn a_file_of_statements_is_read() {
    let turso = turso_with_a_shop();
    fs::write(
        turso.file("more.sql"),
        "CREATE TABLE a (x);\n-- why not\nINSERT INTO a VALUES (1);\n",
    )
    .unwrap();
    let mut shell = turso.shell("shop");
    shell.answer(&format!(".read {}", turso.file("more.sql").display()));
    assert_eq!(super::cli::table(&shell.answer("SELECT x FROM a;")), [["X"], ["1"]]);
    shell.quit();
}

#[test]
fn results_of_any_size_are_printed() {
    let turso = turso_with_a_shop();
    let rows = turso.table(
        r#"db shell shop "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)
           SELECT i, printf('%0500d', i) AS text FROM n""#,
    );
    assert_eq!(rows.len(), 20_001);
    assert_eq!(rows[20_000][0], "20000");
}
