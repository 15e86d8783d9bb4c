//! `turso db tokens`: what a token opens, and what it does not any more.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::cli::Turso;

/// A server with two databases, each with a table.
fn turso_with_two() -> Turso {
    let turso = Turso::start();
    for name in ["shop", "other"] {
        turso.ok(&format!("db create {name}"));
        turso.ok(&format!(r#"db shell {name} "CREATE TABLE t (a); CREATE TABLE u (a)""#));
    }
    turso
}

fn create(turso: &Turso, arguments: &str) -> String {
    let token = turso.ok(&format!("db tokens create {arguments}"));
    assert_eq!(token.lines().count(), 1, "{token}");
    token.trim().to_owned()
}

/// The claims of a token, which it shows to everybody.
fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap_or_else(|| panic!("{token} is no JWT"));
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// That a token is refused, and how. Not even an open server lets it in.
fn assert_refused(turso: &Turso, token: &str, database: &str) {
    let refused = turso.query(token, database, "SELECT 1").unwrap_err();
    assert!(refused.starts_with('4'), "{refused}");
}

#[test]
fn a_token_opens_its_database_only() {
    let turso = turso_with_two();
    let token = create(&turso, "shop");
    turso.query(&token, "shop", "INSERT INTO t VALUES (7)").unwrap();
    assert_eq!(turso.query(&token, "shop", "SELECT a FROM t").unwrap(), [["7"]]);
    turso.query(&token, "shop", "CREATE TABLE more (a)").unwrap();
    assert_refused(&turso, &token, "other");
    assert_refused(&turso, &token, "default");
    assert_refused(&turso, "wrong", "shop");
    let told = turso.fails("db tokens create nowhere");
    assert!(told.contains("database nowhere not found"), "{told}");
}

#[test]
fn a_database_token_is_no_platform_token() {
    let mut turso = turso_with_two();
    let token = create(&turso, "shop");
    turso.login(&token);
    let told = turso.fails("db list");
    assert!(told.contains("is invalid"), "{told}");
}

#[test]
fn a_read_only_token_writes_nothing() {
    let turso = turso_with_two();
    turso.ok(r#"db shell shop "INSERT INTO t VALUES (1)""#);
    let token = create(&turso, "shop --read-only");
    assert_eq!(turso.query(&token, "shop", "SELECT a FROM t").unwrap(), [["1"]]);
    for sql in
        ["INSERT INTO t VALUES (2)", "DELETE FROM t", "CREATE TABLE more (a)", "DROP TABLE t"]
    {
        assert!(turso.query(&token, "shop", sql).is_err(), "{sql}");
    }
    assert_eq!(turso.query(&token, "shop", "SELECT a FROM t").unwrap(), [["1"]]);
}

#[test]
fn a_token_expires_when_it_is_said_to() {
    let turso = turso_with_two();
    let week = claims(&create(&turso, "shop --expiration 7d"));
    let (issued, expires) = (week["iat"].as_i64().unwrap(), week["exp"].as_i64().unwrap());
    assert_eq!(expires - issued, 7 * 24 * 60 * 60, "{week}");
    for never in ["shop", "shop --expiration never", "shop --expiration none"] {
        let token = create(&turso, never);
        assert_eq!(claims(&token)["exp"], Value::Null, "{never}");
        assert!(turso.query(&token, "shop", "SELECT 1").is_ok(), "{never}");
    }
}

#[test]
fn a_token_for_some_actions_on_some_tables() {
    let turso = turso_with_two();
    turso.ok(r#"db shell shop "INSERT INTO t VALUES (1)""#);
    let token = create(&turso, "shop -p all:data_read -p t:data_add,data_update");
    let allowed = |sql: &str| turso.query(&token, "shop", sql).is_ok();
    assert!(allowed("SELECT * FROM t, u"));
    assert!(allowed("INSERT INTO t VALUES (2)"));
    assert!(allowed("UPDATE t SET a = a + 1"));
    for sql in ["DELETE FROM t", "INSERT INTO u VALUES (1)", "ALTER TABLE t ADD b", "DROP TABLE u"]
    {
        assert!(!allowed(sql), "{sql}");
    }
    assert_eq!(turso.query(&token, "shop", "SELECT a FROM t ORDER BY a").unwrap(), [["2"], ["3"]]);

    let token = create(&turso, "shop -p u:data_read");
    assert!(turso.query(&token, "shop", "SELECT * FROM u").is_ok());
    assert!(turso.query(&token, "shop", "SELECT * FROM t").is_err());
    assert!(turso.query(&token, "shop", "SELECT * FROM u WHERE a IN (SELECT a FROM t)").is_err());

    let token = create(&turso, "shop -p all:schema_add");
    assert!(turso.query(&token, "shop", "CREATE TABLE v (a)").is_ok());
    assert!(turso.query(&token, "shop", "SELECT * FROM v").is_err());

    let told = turso.fails("db tokens create shop -p all:data_guess");
    assert!(told.contains("data_guess"), "{told}");
}

#[test]
fn a_group_token_opens_what_is_and_comes_in_the_group() {
    let turso = turso_with_two();
    turso.ok("group create team --location local");
    turso.ok("db create outside --group team");
    let token = create(&turso, "shop --group");
    turso.ok("db create later --group default");
    for database in ["shop", "other", "later"] {
        assert!(turso.query(&token, database, "SELECT 1").is_ok(), "{database}");
    }
    assert_refused(&turso, &token, "outside");
}

#[test]
fn invalidated_tokens_are_refused_from_then_on() {
    let turso = turso_with_two();
    let old = create(&turso, "shop");
    let (other, group) = (create(&turso, "other"), create(&turso, "shop --group"));
    assert!(turso.query(&old, "shop", "SELECT 1").is_ok());
    // The shell has a token of its own, which it remembers.
    turso.ok(r#"db shell shop "SELECT 1""#);
    let told = turso.ok("db tokens invalidate shop --yes");
    assert!(told.contains("Success! Tokens invalidated successfully"), "{told}");
    assert_refused(&turso, &old, "shop");
    assert!(turso.query(&other, "other", "SELECT 1").is_ok());
    assert!(turso.query(&group, "other", "SELECT 1").is_ok());
    turso.ok(r#"db shell shop "SELECT 1""#);
    let new = create(&turso, "shop");
    assert!(turso.query(&new, "shop", "SELECT 1").is_ok());
    assert_refused(&turso, &old, "shop");
}

#[test]
fn invalidating_asks_and_takes_no_for_an_answer() {
    let turso = turso_with_two();
    let token = create(&turso, "shop");
    let mut terminal = turso.interactive("db tokens invalidate shop");
    terminal.see("Are you sure you want to do this? [y/n]:");
    terminal.press("n\r");
    let (screen, _) = terminal.end();
    assert!(screen.contains("Token invalidation skipped by the user."), "{screen}");
    assert!(turso.query(&token, "shop", "SELECT 1").is_ok());
    let mut terminal = turso.interactive("db tokens invalidate shop");
    terminal.see("[y/n]:");
    terminal.press("y\r");
    assert!(terminal.end().0.contains("Tokens invalidated successfully"));
    assert_refused(&turso, &token, "shop");
}

#[test]
fn a_token_of_a_destroyed_database_opens_no_other_of_its_name() {
    let turso = turso_with_two();
    let token = create(&turso, "shop");
    turso.ok("db destroy shop --yes");
    assert_refused(&turso, &token, "shop");
    turso.ok("db create shop");
    assert_refused(&turso, &token, "shop");
}

#[test]
fn a_token_may_name_databases_to_attach() {
    let turso = turso_with_two();
    turso.ok("db config attach allow other");
    let token = create(&turso, "shop --attach other");
    assert!(turso.query(&token, "shop", "SELECT * FROM t").is_ok());
    // The right to attach a database is none to open it.
    assert_refused(&turso, &token, "other");
    let told = turso.fails("db tokens create shop --attach nowhere");
    assert!(told.contains("does not exist: nowhere"), "{told}");
}
