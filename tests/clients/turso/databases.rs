//! `turso db create`, `list`, `show` and `destroy`.

use super::cli::Turso;

/// The value beside a label that `turso db show` prints.
fn field<'a>(shown: &'a str, label: &str) -> &'a str {
    let line = shown.lines().find_map(|line| line.strip_prefix(label));
    line.unwrap_or_else(|| panic!("no {label} in {shown}")).trim()
}

#[test]
fn create_list_show_destroy() {
    let turso = Turso::start();
    let created = turso.ok("db create shop");
    assert!(created.contains("Created database shop at group default in "), "{created}");
    let url = format!("libsql://{}/db/shop/", turso.host());
    let listed = turso.table("db list");
    assert_eq!(listed[0], ["NAME", "TYPE", "GROUP", "URL"]);
    assert!(listed.contains(&["shop", "SQLite", "default", &url].map(str::to_owned).to_vec()));

    let shown = turso.ok("db show shop");
    assert_eq!(field(&shown, "Name:"), "shop");
    assert_eq!(field(&shown, "URL:"), url);
    assert_eq!(field(&shown, "Group:"), "default");
    assert_eq!(field(&shown, "Locations:"), "local");
    assert_eq!(field(&shown, "Is Schema:"), "No");
    assert_eq!(field(&shown, "Archived:"), "No");
    assert_eq!(field(&shown, "Delete Protection:"), "No");
    assert_eq!(field(&shown, "ID:").len(), 36, "{shown}");
    assert!(shown.contains("Database Instances:"), "{shown}");

    let destroyed = turso.ok("db destroy shop --yes");
    assert!(destroyed.contains("Destroyed database shop in "), "{destroyed}");
    assert!(!turso.ok("db list").contains("shop"));
    let told = turso.fails("db show shop");
    assert!(told.contains("database shop not found"), "{told}");
}

#[test]
fn the_urls_that_are_shown_work() {
    let turso = Turso::start();
    turso.ok("db create shop");
    turso.ok(r#"db shell shop "CREATE TABLE t AS SELECT 7 AS a""#);
    let http = turso.ok("db show shop --http-url");
    assert_eq!(http, format!("http://{}/db/shop/\n", turso.host()));
    let rows = turso.table(&format!(r#"db shell {} "SELECT a FROM t""#, http.trim()));
    assert_eq!(rows, [["A"], ["7"]]);
    assert_eq!(turso.ok("db show shop --url"), http.replace("http:", "libsql:"));
    let shown = turso.table("db show shop --instance-urls");
    let instance = shown.last().unwrap();
    assert_eq!(instance[1..3], ["primary", "local"]);
    let by_name = turso.ok(&format!("db show shop --instance-url {}", instance[0]));
    assert_eq!(by_name.trim(), instance[3]);
    assert_eq!(by_name, http.replace("http:", "libsql:"));
}

#[test]
fn what_cannot_be_created_is_refused_with_a_reason() {
    let turso = Turso::start();
    turso.ok("db create shop");
    let told = turso.fails("db create shop");
    assert!(told.contains("could not create database shop"), "{told}");
    assert!(told.contains("database with name shop already exists"), "{told}");
    let too_long = "a".repeat(65);
    for name in ["Shop", "a_b", "a.b", "../a", "%2e%2e", "ü", &too_long] {
        let told = turso.fails(&format!("db create {name}"));
        assert!(told.contains("could not create database") && told.contains("name"), "{told}");
    }
    let told = turso.fails("db create other --group nowhere");
    assert!(told.contains("group nowhere does not exist"), "{told}");
    assert!(!turso.ok("db list").contains("other"));
}

#[test]
fn a_name_is_made_up_if_none_is_given() {
    let turso = Turso::start();
    let created = turso.ok("db create");
    let (_, rest) = created.split_once("Created database ").unwrap();
    let name = rest.split(' ').next().unwrap();
    turso.ok(&format!(r#"db shell {name} "SELECT 1""#));
}

#[test]
fn the_same_name_again_is_another_database() {
    let turso = Turso::start();
    turso.ok("db create shop");
    let first = field(&turso.ok("db show shop"), "ID:").to_owned();
    turso.ok(r#"db shell shop "CREATE TABLE t (a)""#);
    turso.ok("db destroy shop --yes");
    turso.ok("db create shop");
    assert_ne!(field(&turso.ok("db show shop"), "ID:"), first);
    let told = turso.fails(r#"db shell shop "SELECT * FROM t""#);
    assert!(told.contains("no such table: t"), "{told}");
}

#[test]
fn destroying_asks_and_takes_no_for_an_answer() {
    let turso = Turso::start();
    turso.ok("db create shop");
    for (answer, told) in [("n", "Database destruction avoided."), ("y", "Destroyed database shop")]
    {
        let mut terminal = turso.interactive("db destroy shop");
        terminal.see("Are you sure you want to do this? [y/n]:");
        assert!(turso.ok("db list").contains("shop"));
        terminal.press(&format!("{answer}\r"));
        let (screen, code) = terminal.end();
        assert!(code == 0 && screen.contains(told), "{screen}");
    }
    assert!(!turso.ok("db list").contains("shop"));
}

#[test]
fn several_are_destroyed_at_once() {
    let turso = Turso::start();
    let names = ["one", "two", "three", "four"];
    for name in names {
        turso.ok(&format!("db create {name}"));
    }
    let destroyed = turso.ok("db destroy one two three --yes");
    assert!(destroyed.contains("Destroyed 3 databases"), "{destroyed}");
    let listed = turso.ok("db list");
    assert!(names[..3].iter().all(|name| !listed.contains(name)), "{listed}");
    assert!(listed.contains("four"), "{listed}");
}

#[test]
fn a_long_list_is_shown_page_by_page() {
    let turso = Turso::start();
    let names: Vec<_> = (1..=7).map(|number| format!("tenant-{number}")).collect();
    turso.ok("group create tenants --location local");
    for name in &names {
        turso.ok(&format!("db create {name} --group tenants"));
    }
    // Five databases fit, beside the heading and the line with the keys.
    let mut terminal = turso.interactive_with_rows("db list --group tenants", 8);
    terminal.see("Press 'n' or Enter for next page");
    terminal.see("tenant-5");
    terminal.press("n");
    let (screen, code) = terminal.end();
    assert_eq!(code, 0);
    assert!(screen.contains("tenant-6") && screen.contains("tenant-7"), "{screen}");
    assert_eq!(turso.table("db list --group tenants").len(), 8);
}

#[test]
fn a_database_does_not_outgrow_its_limit() {
    let turso = Turso::start();
    turso.ok("db create small --size-limit 1mb");
    turso.ok(r#"db shell small "CREATE TABLE t (a)""#);
    let fill = |bytes| format!(r#"db shell small "INSERT INTO t VALUES (zeroblob({bytes}))""#);
    turso.ok(&fill(500_000));
    let told = turso.fails(&fill(2_000_000));
    assert!(told.contains("full"), "{told}");
    assert_eq!(turso.table(r#"db shell small "SELECT count(*) AS n FROM t""#)[1], ["1"]);
}

#[test]
fn files_of_a_destroyed_database_are_not_found_by_its_name() {
    let turso = Turso::start();
    turso.ok("db create shop");
    let token = turso.ok("db tokens create shop");
    assert!(turso.query(token.trim(), "shop", "SELECT 1").is_ok());
    turso.ok("db destroy shop --yes");
    let refused = turso.query(token.trim(), "shop", "SELECT 1").unwrap_err();
    assert!(refused.starts_with('4'), "{refused}");
    // What the CLI remembers of it does no harm either.
    let told = turso.fails(r#"db shell shop "SELECT 1""#);
    assert!(told.contains("not found"), "{told}");
}
