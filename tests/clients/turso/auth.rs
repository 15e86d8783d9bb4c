//! `turso auth`, `turso config` and `turso update`: who the CLI is, and how it learns it.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::cli::Turso;
use crate::program;

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

/// The page at a URL that the CLI has made, which has no path.
fn visit(turso: &Turso, url: &str) -> String {
    let query = url.strip_prefix(&format!("http://{}", turso.host())).unwrap();
    let page = turso.request("GET", &format!("/{query}"), "", &Value::Null);
    page.body.as_str().unwrap().to_owned()
}

#[test]
fn logged_in_with_a_browser() {
    let mut turso = Turso::start();
    let token = turso.token.take().unwrap();
    // The browser: notes what it is to show.
    fs::create_dir(turso.file("bin")).unwrap();
    let browser = turso.file("bin/xdg-open");
    fs::write(&browser, "#!/bin/sh\nprintf %s \"$1\" > \"$HOME/shown\"\n").unwrap();
    fs::set_permissions(&browser, Permissions::from_mode(0o755)).unwrap();
    let terminal = turso.interactive("auth login");
    terminal.see("Waiting for authentication...");
    let url = fs::read_to_string(turso.file("shown")).unwrap();
    let page = visit(&turso, &url);

    // Its user pastes the token into the form and sends it.
    let between = |start: &str, end: &str| {
        let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("{start}: {page}"));
        rest.split_once(end).unwrap().0
    };
    let port = between("<form action=\"http://localhost:", "/\">").parse().unwrap();
    let state = between("name=\"state\" value=\"", "\"");
    assert!(page.contains("name=\"jwt\""), "{page}");
    let cli = SocketAddr::from(([127, 0, 0, 1], port));
    let sent = format!("/?state={state}&jwt={token}");
    assert_eq!(program::request(cli, "GET", &sent, "", &Value::Null).unwrap().status, 200);

    let (screen, code) = terminal.end();
    assert!(code == 0 && screen.contains("Logged in as local"), "{screen}");
    assert_eq!(turso.ok("auth whoami"), "local\n");
    assert!(turso.ok("auth login").contains("Already signed in as local"));
}

#[test]
fn logged_in_and_out_without_a_browser() {
    let mut turso = Turso::start();
    let owner = turso.token.clone().unwrap();
    let token = turso.ok("auth api-tokens mint laptop");
    turso.token = None;
    let told = turso.ok("auth login --headless");
    let page = visit(&turso, told.lines().last().unwrap());
    assert!(page.contains("turso config set token TOKEN"), "{page}");
    turso.ok(&format!("config set token {token}"));
    turso.ok("db list");

    let told = turso.ok("auth logout --all");
    assert!(told.contains("Invalidated all sessions started before 20"), "{told}");
    // The CLI remembers that the token was good; the server does not.
    turso.token = Some(token.trim().to_owned());
    let told = turso.fails("db list");
    assert!(told.contains("failed to get database listing: Unauthorized"), "{told}");
    // Whoever has the data directory is not locked out.
    turso.token = Some(owner);
    turso.ok("db list");
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
