//! `examples/per-user-todos` with real users: what they do in a browser, and what the CLI sees of it.

use serde_json::json;

use super::super::browser::{App, Settings, migrate, run_script};
use super::cli::{Turso, table};
use crate::program::nobody;

const ADA: &str = "8c8d357b5e872bbacd45197626bd5759";
const GRACE: &str = "15e5c87b18c1289d45bb4a72961b58e8";

/// What the workshop says to give the application, with tokens of its own.
fn settings(turso: &Turso, baseurl: &str) -> Settings {
    let said = |line: &str| turso.ok(line).trim().to_owned();
    let settings = [
        ("TURSO_API_BASEURL", baseurl.to_owned()),
        ("TURSO_API_TOKEN", said("auth api-tokens mint todos")),
        ("TURSO_ORG", said("auth whoami")),
        ("TURSO_DATABASE_NAME", "todos-schema".to_owned()),
        ("TURSO_GROUP_AUTH_TOKEN", said("group tokens create default")),
        ("TODOS_USERS", "ada:engine grace:compiler".to_owned()),
        ("TODOS_SECRET", "a secret".to_owned()),
    ];
    settings.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The same, but for one.
fn but(settings: &Settings, name: &str, value: &str) -> Settings {
    let mut settings = settings.clone();
    settings.retain(|(candidate, _)| candidate != name);
    settings.push((name.to_owned(), value.to_owned()));
    settings
}

#[test]
fn two_users_have_todos_of_their_own_while_a_migration_runs() {
    let turso = Turso::start();
    let settings = settings(&turso, &turso.server.url());
    turso.ok("db create todos-schema --type schema");
    migrate(&settings, &turso.server);
    let app = App::start(&settings);

    let mut node = turso.user_of("node");
    node.env("APP", &app.url);
    node.env("MIGRATION", "ALTER TABLE todos ADD COLUMN priority INTEGER NOT NULL DEFAULT 3");
    run_script(node, "two_users.js", &turso.server);

    let children = turso.table("db list --schema todos-schema");
    let names: Vec<_> = children[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, [GRACE, ADA]);
    // The CLI remembers names of databases for half an hour; this makes it ask.
    turso.ok(&format!("db show {ADA}"));
    for (database, own, others) in [
        (ADA, [["1", "write notes on the engine", "1", "3"]], "find the moth in the relay"),
        (GRACE, [["1", "find the moth in the relay", "1", "3"]], "write notes on the engine"),
    ] {
        let shown = turso.ok(&format!("db shell {database} \"select * from todos\""));
        let rows = table(&shown);
        assert_eq!(rows[0], ["ID", "DESCRIPTION", "COMPLETED", "PRIORITY"]);
        assert_eq!(rows[1..2], own);
        assert!(shown.contains("step 1.") && !shown.contains(others), "{shown}");
    }
}

#[test]
fn the_example_shows_what_is_wrong_and_what_to_do() {
    let turso = Turso::start();
    let good = settings(&turso, &turso.server.url());
    turso.ok("db create todos-schema --type schema");
    migrate(&good, &turso.server);
    let wrong_token = App::start(&but(&good, "TURSO_API_TOKEN", "wrong"));

    // With TLS, and with the table as the workshop has it at first.
    let tls = Turso::start_with(&["--tls", "local"]);
    tls.ok("db create todos-schema --type schema");
    tls.ok(r#"db shell todos-schema "CREATE TABLE todos (id INTEGER PRIMARY KEY, description)""#);
    let settings = settings(&tls, &format!("https://{}", tls.host()));
    let authority = tls.authority();
    let no_column = App::start(&but(&settings, "NODE_EXTRA_CA_CERTS", authority.to_str().unwrap()));

    let app = App::start(&good);
    let mut node = turso.user_of("node");
    let wrong = json!([
        [
            wrong_token.url,
            ["The token in TURSO_API_TOKEN is not accepted", "turso auth api-tokens mint todos"],
        ],
        [
            no_column.url,
            ["The schema database todos-schema lacks something", "no column named completed"],
        ],
    ]);
    node.env("WRONG", wrong.to_string());
    node.env("APP", &app.url).env("HRANAD_PID", turso.server.pid().to_string());
    run_script(node, "trouble.js", &turso.server);
}

#[test]
fn the_example_explains_what_its_settings_lead_to() {
    let turso = Turso::start();
    turso.ok("db create todos-schema --type schema");
    let tls = Turso::start_with(&["--tls", "local"]);
    let (_held, address) = nobody();
    let wrong = json!([
        ["TODOS_SECRET", "", "Settings are missing", "Set TODOS_SECRET in .env.local"],
        [
            "TURSO_API_TOKEN",
            "wrong",
            "TURSO_API_TOKEN is not accepted",
            "turso auth api-tokens mint"
        ],
        ["TURSO_ORG", "elsewhere", "no organization elsewhere", "turso auth whoami"],
        ["TURSO_DATABASE_NAME", "nothing", "no schema database nothing", "turso db create nothing"],
        [
            "TURSO_GROUP_AUTH_TOKEN",
            "wrong",
            "TURSO_GROUP_AUTH_TOKEN is not accepted",
            "turso group tokens create default",
        ],
        ["TURSO_API_BASEURL", format!("http://{address}"), "No server answers", "Start hranad"],
        [
            "TURSO_API_BASEURL",
            format!("https://{}", tls.host()),
            "is not trusted",
            "Set NODE_EXTRA_CA_CERTS to the ca.pem",
        ],
        ["TURSO_API_BASEURL", "http://nowhere.invalid", "is not to be found"],
        ["TURSO_API_BASEURL", "nonsense", "is not to be found", "Correct TURSO_API_BASEURL"],
    ]);
    let mut node = turso.user_of("node");
    node.envs(settings(&turso, &turso.server.url())).env("WRONG", wrong.to_string());
    run_script(node, "explained.js", &turso.server);
}
