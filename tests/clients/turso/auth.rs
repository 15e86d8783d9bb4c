//! `turso auth`, `turso config` and `turso update`: who the CLI is, and how it learns it.

use super::cli::Turso;

const NOT_LOGGED_IN: &str = "You are not logged in";

#[test]
fn whoami_prints_the_name_of_the_personal_organization() {
    let turso = Turso::start();
    assert_eq!(turso.ok("auth whoami"), "local\n");
}

#[test]
fn without_a_token_nothing_is_told() {
    let mut turso = Turso::start();
    turso.token = None;
    for command in ["auth whoami", "db list", "db shell default"] {
        assert!(turso.ok(command).contains(NOT_LOGGED_IN), "{command}");
    }
}

#[test]
fn a_wrong_token_is_refused() {
    let mut turso = Turso::start();
    turso.token = Some("wrong".to_owned());
    let told = turso.fails("auth whoami");
    assert!(told.contains("token in TURSO_API_TOKEN env var is invalid"), "{told}");
}

#[test]
fn a_token_is_stored_and_forgotten() {
    let mut turso = Turso::start();
    let token = turso.token.take().unwrap();
    let told = turso.fails("config set token wrong");
    assert!(told.contains("invalid token"), "{told}");
    assert_eq!(turso.ok(&format!("config set token {token}")), "Token set succesfully.\n");
    assert_eq!(turso.ok("auth token"), format!("{token}\n"));
    assert_eq!(turso.ok("auth whoami"), "local\n");
    assert_eq!(turso.ok("config path"), format!("{}\n", turso.settings().display()));
    assert_eq!(turso.ok("auth logout"), "Logged out.\n");
    assert!(turso.ok("auth whoami").contains(NOT_LOGGED_IN));
}

#[test]
fn the_cli_is_never_told_to_replace_itself() {
    let turso = Turso::start();
    let told = turso.ok("update");
    assert!(told.contains("is already latest"), "{told}");
    // On a terminal it asks by itself, after the first command of a day.
    let (screen, code) = turso.interactive("auth whoami").end();
    assert_eq!((screen.trim(), code), ("local", 0));
}
