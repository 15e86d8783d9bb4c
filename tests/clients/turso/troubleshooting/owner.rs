//! What the owner of a server meets: a start that fails, and databases that refuse.

use std::thread;

use serde_json::json;
use tempfile::TempDir;

use super::javascript;
use crate::clients::turso::cli::Turso;
use crate::program::{self, Program, execute};

/// What a server with these flags says, which does not start.
fn fails_to_start(flags: &[&str]) -> Vec<String> {
    let output = program::command().args(flags).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    vec![String::from_utf8(output.stderr).unwrap()]
}

fn text(directory: &TempDir) -> &str {
    directory.path().to_str().unwrap()
}

pub(super) fn a_port_that_is_taken() -> Vec<String> {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = Program::start(one.path());
    let address = first.address().to_string();
    fails_to_start(&["--listen", &address, "--data-dir", text(&other)])
}

pub(super) fn a_data_directory_in_use() -> Vec<String> {
    let directory = TempDir::new().unwrap();
    let _first = Program::start(directory.path());
    fails_to_start(&["--listen", "127.0.0.1:0", "--data-dir", text(&directory)])
}

pub(super) fn open_to_others() -> Vec<String> {
    let directory = TempDir::new().unwrap();
    fails_to_start(&["--admin-listen", "0.0.0.0:0", "--data-dir", text(&directory)])
}

/// A child whose schema is another database's, and that is locked while a migration waits for the other child.
pub(super) fn a_child() -> Vec<String> {
    let turso = Turso::start_with(&["--write-wait", "1"]);
    turso.ok("db create todos-schema --type schema");
    turso.ok("db shell todos-schema \"CREATE TABLE todos (description TEXT)\"");
    for user in ["user-1", "user-2"] {
        turso.ok(&format!("db create {user} --schema todos-schema"));
    }
    let change = "ALTER TABLE todos ADD COLUMN completed INTEGER";
    let url = |user: &str| format!("http://{}/db/{user}/", turso.host());
    let mut shown = vec![turso.fails(&format!("db shell user-1 \"{change}\""))];
    let program = json!({ "url": url("user-1"), "sql": change });
    shown.extend(javascript(&[program], &[], &turso.server));

    // On a slow machine the writer may come too late, and the migration has given up.
    let (migration, write) = std::iter::repeat_with(|| locked(&turso, change))
        .find_map(|(migration, write)| write.map(|write| (migration, write)))
        .unwrap();
    shown.extend([migration, write]);
    shown
}

/// What a migration shows that waits in vain for a transaction in one child, and what a writer of the other child, if
/// it comes meanwhile.
fn locked(turso: &Turso, change: &str) -> (String, Option<String>) {
    let begin = json!({ "requests": [execute("BEGIN IMMEDIATE")] });
    let held = turso.server.request("POST", "/db/user-2/v2/pipeline", "", &begin).unwrap();
    let shown = thread::scope(|scope| {
        let migration = scope.spawn(|| turso.fails(&format!("db shell todos-schema \"{change}\"")));
        let mut write = None;
        while write.is_none() && !migration.is_finished() {
            let insert = "INSERT INTO todos VALUES ('late')";
            let outcome = turso.run(&format!("db shell user-1 \"{insert}\""));
            write = (outcome.code != 0).then_some(outcome.stderr);
        }
        (migration.join().unwrap(), write)
    });
    let end = json!({ "baton": held.body["baton"], "requests": [{ "type": "close" }] });
    turso.server.request("POST", "/db/user-2/v2/pipeline", "", &end).unwrap();
    shown
}

pub(super) fn full() -> Vec<String> {
    let turso = Turso::start();
    turso.ok("db create small --size-limit 1mb");
    turso.ok("db shell small \"CREATE TABLE t (a)\"");
    let insert = "INSERT INTO t VALUES (zeroblob(2000000))";
    let mut shown = vec![turso.fails(&format!("db shell small \"{insert}\""))];
    let url = format!("http://{}/db/small/", turso.host());
    let program = json!({ "url": url, "sql": insert });
    shown.extend(javascript(&[program], &[], &turso.server));
    shown
}
