//! What an owner does with a migration that does not come to its end: by the API, and on the command line.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::tempdir;

use super::commands::{done, file, line, ok, refused, say};
use crate::program::{Answer, Program, execute};

const HELD: &str = "/db/b/v3/pipeline";

/// A schema database with the children `a` and `b`.
fn start(data: &Path) -> Program {
    let program = Program::start(data);
    ok(data, "db create sch --type schema");
    done(&program, "sch", "CREATE TABLE t (n)");
    for name in ["a", "b"] {
        ok(data, &format!("db create {name} --schema sch"));
    }
    program
}

fn decide(program: &Program, job: i64, what: &str) -> Answer {
    program.request("POST", &format!("/db/sch/v1/jobs/{job}/{what}"), "", &json!({})).unwrap()
}

/// Has the schema database migrated, and does something between the dry run of `a` and that of `b`. What the statement
/// says.
fn migrate(program: &Program, job: i64, sql: &str, meanwhile: impl FnOnce()) -> Value {
    let begin = json!({ "requests": [execute("BEGIN IMMEDIATE")] });
    let held = program.request("POST", HELD, "", &begin).unwrap();
    thread::scope(|scope| {
        let migration = scope.spawn(|| say(program, "sch", sql));
        let (started, path) = (Instant::now(), format!("/db/sch/v1/jobs/{job}"));
        loop {
            let shown = program.request("GET", &path, "", &json!({})).unwrap();
            if shown.body["progress"][0]["status"] == "DryRunSuccess" {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{shown:?}");
            thread::sleep(Duration::from_millis(20));
        }
        meanwhile();
        let end = json!({ "baton": held.body["baton"], "requests": [execute("COMMIT"), { "type": "close" }] });
        program.request("POST", HELD, "", &end).unwrap();
        migration.join().unwrap()
    })
}

/// A migration that fails in `a` after a good dry run.
fn fail(program: &Program, data: &Path, job: i64) {
    let spoil = || file(data, "a").execute_batch("INSERT INTO t VALUES (1), (1)").unwrap();
    let sql = format!("CREATE UNIQUE INDEX i{job} ON t (n)");
    let told = migrate(program, job, &sql, spoil);
    assert_eq!(told["code"], "SCHEMA_MIGRATION_ERROR", "{told}");
}

#[test]
fn a_job_that_has_failed_is_resumed_when_its_reason_is_gone() {
    let directory = tempdir().unwrap();
    let data = directory.path();
    let program = start(data);
    fail(&program, data, 2);
    assert_eq!(line(&ok(data, "jobs list"), "2")[2..6], ["RunFailure", "1", "0", "1"]);
    let shown = ok(data, "jobs show 2");
    assert_eq!(line(&shown, "a")[1..3], ["RunFailure", "5"]);
    assert!(line(&shown, "error").join(" ").contains("UNIQUE constraint failed: t.n"), "{shown}");
    let watched = refused(data, "jobs watch 2");
    assert!(watched.contains("job 2 of sch: RunFailure, made in 1 of 2 children"), "{watched}");
    let next = say(&program, "sch", "CREATE TABLE u (id)");
    assert!(next["message"].as_str().unwrap().contains("`hranad jobs retry 2`"), "{next}");
    // The others are free.
    for name in ["a", "b"] {
        done(&program, name, "INSERT INTO t VALUES (7)");
    }
    // Too early: it fails again.
    assert_eq!(decide(&program, 2, "retry").body["status"], "WaitingRun");
    refused(data, "jobs watch 2");
    done(&program, "a", "DELETE FROM t WHERE n = 1");
    assert_eq!(decide(&program, 2, "resume").status, 200);
    assert!(ok(data, "jobs watch 2").ends_with("RunSuccess, made in 2 of 2 children"));
    assert!(ok(data, "schema verify sch").contains("2 of 2 children are the same"));
    done(&program, "sch", "CREATE TABLE u (id)");
    assert!(program.terminate().success());
}

#[test]
fn a_job_is_given_up_while_it_runs_or_after_it_has_failed() {
    let directory = tempdir().unwrap();
    let data = directory.path();
    let program = start(data);
    let cancel = || {
        let answer = decide(&program, 2, "cancel");
        assert_eq!((answer.status, &answer.body["cancelled"]), (200, &json!(true)), "{answer:?}");
        assert_eq!(decide(&program, 2, "cancel").status, 400);
        assert_eq!(decide(&program, 2, "retry").status, 400);
        assert!(refused(data, "schema verify sch").contains("migration job 2 of sch is running"));
    };
    let told = migrate(&program, 2, "CREATE TABLE u (id)", cancel);
    let message = told["message"].as_str().unwrap();
    assert!(
        message.contains("job 2 was cancelled by its owner; 0 of 2 children have it"),
        "{told}"
    );
    assert_eq!(line(&ok(data, "jobs list"), "2")[2..4], ["DryRunFailure", "(cancelled)"]);
    assert!(ok(data, "schema verify sch").contains("2 of 2 children are the same"));

    fail(&program, data, 3);
    let given_up = ok(data, "jobs cancel 3");
    assert_eq!(given_up, "migration job 3 is given up; the next migration may come");
    done(&program, "sch", "CREATE TABLE u (id)");
    assert_eq!(line(&ok(data, "jobs list"), "3")[2..4], ["RunFailure", "(cancelled)"]);
    let differ = refused(data, "schema verify sch");
    assert!(differ.contains("b: the index i3 is additional"), "{differ}");
    assert!(program.terminate().success());
}
