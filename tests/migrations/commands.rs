//! Schema databases and their migrations on the command line, beside a server that runs and without one.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::program::{Program, command};

pub(super) fn run(data_dir: &Path, line: &str) -> Output {
    command().args(line.split(' ')).arg("--data-dir").arg(data_dir).output().unwrap()
}

/// What a command that must succeed prints.
pub(super) fn ok(data_dir: &Path, line: &str) -> String {
    let output = run(data_dir, line);
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// All that a command says that must fail.
pub(super) fn refused(data_dir: &Path, line: &str) -> String {
    let output = run(data_dir, line);
    assert_eq!(output.status.code(), Some(1), "{line}: {output:?}");
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// The result of a statement, or its error.
pub(super) fn say(program: &Program, name: &str, sql: &str) -> Value {
    let requests = json!([crate::program::execute(sql), { "type": "close" }]);
    let path = format!("/db/{name}/v3/pipeline");
    let answer = program.request("POST", &path, "", &json!({ "requests": requests })).unwrap();
    let result = &answer.body["results"][0];
    match result["type"].as_str() {
        Some("ok") => result["response"]["result"].clone(),
        _ => result["error"].clone(),
    }
}

pub(super) fn done(program: &Program, name: &str, sql: &str) {
    let result = say(program, name, sql);
    assert!(result["rows"].is_array(), "{name}: {sql}: {result}");
}

/// The words of the line that begins with `first`.
pub(super) fn line(text: &str, first: &str) -> Vec<String> {
    let found = text.lines().find(|line| line.split_whitespace().next() == Some(first));
    let found = found.unwrap_or_else(|| panic!("no line of {first} in\n{text}"));
    found.split_whitespace().map(str::to_owned).collect()
}

/// The file of a database.
#[expect(clippy::disallowed_methods, reason = "what the owner of the machine does to a file")]
pub(super) fn file(data_dir: &Path, name: &str) -> rusqlite::Connection {
    let id = &line(&ok(data_dir, "db list"), name)[2];
    rusqlite::Connection::open(data_dir.join(format!("databases/{id}.sqlite"))).unwrap()
}

#[test]
fn a_schema_is_created_configured_migrated_and_verified() {
    let directory = tempdir().unwrap();
    let data = directory.path();
    let program = Program::start(data);
    assert!(ok(data, "db create sch --type schema").contains("created schema database sch"));
    assert!(ok(data, "db create a --schema sch").ends_with("a child of sch"));
    ok(data, "db create b --schema sch");
    assert!(refused(data, "db create c --schema a").contains("a is not a schema database"));
    let listed = ok(data, "db list");
    assert_eq!(line(&listed, "sch")[4..], ["schema"]);
    assert_eq!(line(&listed, "a")[4..], ["child", "of", "sch"]);

    done(&program, "sch", "CREATE TABLE t (id INTEGER PRIMARY KEY)");
    done(&program, "sch", "CREATE INDEX i ON t (id)");
    assert_eq!(line(&ok(data, "schema list"), "sch")[2..], ["2", "locked", "0", "2", "0"]);
    let jobs = ok(data, "jobs list sch");
    assert_eq!(line(&jobs, "2")[1..6], ["sch", "RunSuccess", "2", "0", "0"]);
    let shown = ok(data, "jobs show 1");
    assert_eq!(line(&shown, "status")[1], "RunSuccess");
    assert_eq!(line(&shown, "children")[1..], ["2", "done,", "0", "pending,", "0", "failed"]);
    let child = line(&shown, "b");
    assert_eq!(child[1..3], ["RunSuccess", "0"]);
    assert!(child[3].starts_with("20") && child[4].ends_with('Z'), "{child:?}");
    let watched = ok(data, "jobs watch 2");
    assert_eq!(watched, "job 2 of sch: RunSuccess, made in 2 of 2 children");
    assert!(ok(data, "schema verify sch").contains("2 of 2 children are the same"));

    ok(data, "schema configure sch --mode rolling --canaries 3");
    assert_eq!(line(&ok(data, "schema list"), "sch")[3..5], ["rolling", "3"]);
    for (line, message) in [
        ("schema configure a --mode locked", "a is not a schema database"),
        ("schema configure sch", "nothing to set"),
        ("schema verify none", "could not find database"),
        ("jobs show 99", "couldn't find requested migration job"),
        ("jobs watch 99", "couldn't find requested migration job"),
        ("jobs retry 2", "nothing to try again"),
        ("jobs cancel 2", "cannot be cancelled"),
        ("jobs list a", "a is not a schema database"),
    ] {
        assert!(refused(data, line).contains(message), "{line}");
    }
    assert!(program.terminate().success());
    // Without a server.
    assert_eq!(ok(data, "jobs list").lines().count(), 3);
    assert!(ok(data, "schema verify sch").contains("0 differ"));
}

#[test]
fn what_differs_is_named() {
    let directory = tempdir().unwrap();
    let data = directory.path();
    let program = Program::start(data);
    ok(data, "db create sch --type schema");
    for name in ["a", "b", "c"] {
        ok(data, &format!("db create {name} --schema sch"));
    }
    for sql in ["CREATE TABLE t (id, n)", "CREATE INDEX i ON t (id)", "CREATE VIEW v AS SELECT 1"] {
        done(&program, "sch", sql);
    }
    assert!(program.terminate().success());
    file(data, "a")
        .execute_batch(
            "DROP INDEX i; CREATE TABLE mine (id); DROP VIEW v; CREATE VIEW v AS SELECT 2",
        )
        .unwrap();
    file(data, "b").execute_batch("PRAGMA default_cache_size = 9").unwrap();
    let found = refused(data, "schema verify sch");
    for part in [
        "a: the index i is missing",
        "a: the table mine is additional",
        "a: the view v is different: CREATE VIEW v AS SELECT 2, where",
        "b: is at version 9, its schema database at 3",
        "1 of 3 children are the same, 0 are behind, 2 differ",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
    assert!(!found.contains("c: "), "{found}");
}

#[test]
fn a_job_that_has_failed_is_retried_or_given_up() {
    let directory = tempdir().unwrap();
    let data = directory.path();
    let program = Program::start(data);
    ok(data, "db create sch --type schema");
    done(&program, "sch", "CREATE TABLE t (id INTEGER PRIMARY KEY, n UNIQUE)");
    for name in ["a", "b"] {
        ok(data, &format!("db create {name} --schema sch"));
    }
    ok(data, "schema configure sch --mode rolling");
    assert!(program.terminate().success());
    let program = Program::start(data);
    // Nobody has used a child since, so both are left for later.
    done(&program, "sch", "INSERT INTO t VALUES (2, 1)");
    assert_eq!(line(&ok(data, "jobs list"), "2")[2..6], ["RunSuccess", "0", "2", "0"]);
    assert!(ok(data, "jobs watch 2").contains("made in 0 of 2 children (2 pending, 0 failed)"));
    assert!(ok(data, "schema verify sch").contains("2 are behind, 0 differ"));
    assert!(program.terminate().success());
    // What was found out in the dry run is true no more.
    file(data, "b").execute_batch("INSERT INTO t VALUES (1, 1)").unwrap();
    let program = Program::start(data);
    done(&program, "a", "SELECT 1");
    done(&program, "b", "SELECT 1");
    let jobs = ok(data, "jobs list");
    assert_eq!(line(&jobs, "2")[2..6], ["RunSuccess", "1", "0", "1"]);
    let shown = ok(data, "jobs show 2");
    assert_eq!(line(&shown, "b")[1], "RunFailure");
    assert!(shown.contains("UNIQUE constraint failed: t.n"), "{shown}");
    assert!(
        refused(data, "schema verify sch").contains("b: is at version 1, its schema database at 2")
    );
    // Mended and tried again.
    done(&program, "b", "UPDATE t SET n = 5");
    assert!(ok(data, "jobs retry 2").contains("1 children take migration job 2 over"));
    let token = fs::read_to_string(data.join("api-token")).unwrap();
    let retried = program.request("POST", "/db/sch/v1/jobs/2/retry", token.trim(), &json!({}));
    let retried = retried.unwrap();
    assert_eq!((retried.status, &retried.body["failed"]), (200, &json!(0)), "{retried:?}");
    assert_eq!(line(&ok(data, "jobs list"), "2")[2..6], ["RunSuccess", "2", "0", "0"]);
    assert!(ok(data, "schema verify sch").contains("2 of 2 children are the same"));
    assert!(program.terminate().success());
}
