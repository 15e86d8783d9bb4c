//! Turso's published starter for a database per user, in the versions that it is locked to, on a server that stands
//! in for Turso: what the workshop has to be typed before, what the application does, and what its owner sees.

use std::fs;

use serde_json::Value;

use super::super::javascript::node;
use super::super::report;
use super::super::run::{Finished, Run, run};
use super::cli::Turso;

/// In the order of the table.
const PACKAGES: [&str; 4] = ["@tursodatabase/api", "@libsql/client", "drizzle-orm", "drizzle-kit"];

pub(in super::super) fn starter() -> Run {
    let file = super::super::directory("js").join("starter/package.json");
    let package: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let version = |name: &str| package["dependencies"][name].as_str().unwrap().to_owned();
    let packages = PACKAGES.map(|name| (name.to_owned(), version(name)));
    Run::new("JavaScript", packages.into(), "https, wss", || report::of_tap(&run_starter()))
}

fn run_starter() -> Finished {
    let log = ["--log", "info,hranad::router=debug,hranad::http::ws=debug"];
    let turso = Turso::drop_in(&[&["--org", "acme"], &log[..]].concat());
    turso.ok("db create todos-schema --type schema");
    let mut node = node();
    let names = "--import=./starter/names.js";
    node.args(["--test-reporter=tap", "run.js", "starter/starter.test.js"]);
    node.env("NODE_OPTIONS", names).env("HRANAD_ADDRESS", turso.host());
    node.env("NODE_EXTRA_CA_CERTS", turso.authority());
    node.env("TURSO_DATABASE_NAME", "todos-schema");
    node.env("TURSO_API_TOKEN", turso.ok("auth api-tokens mint starter").trim());
    node.env("TURSO_GROUP_AUTH_TOKEN", turso.ok("group tokens create default").trim());
    node.env("TURSO_ORG", turso.ok("auth whoami").trim());
    let output = run(node, &turso.server);

    let users = turso.table("db list --schema todos-schema");
    let is_user = |name: &str| name.len() == 32 && name.bytes().all(|c| c.is_ascii_hexdigit());
    let user = &users[1][0];
    assert!(users.len() > 20 && is_user(user), "{users:?}");
    let url = turso.ok(&format!("db show {user} --http-url"));
    for database in [user, url.trim()] {
        let todos = turso.ok(&format!("db shell {database} \"select * from todos\""));
        assert!(todos.contains("DESCRIPTION") && todos.contains("COMPLETED"), "{todos}");
    }
    Finished { output, log: turso.server.log() }
}
