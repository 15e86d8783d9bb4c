//! The owner's commands, beside a server that runs and without one.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::tempdir;

use crate::program::{Program, command};

fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    command().args(arguments).arg("--data-dir").arg(data_dir).output().unwrap()
}

/// What a command that must succeed prints.
fn ok(data_dir: &Path, arguments: &[&str]) -> String {
    let output = run(data_dir, arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// What a command that must fail says.
fn refused(data_dir: &Path, arguments: &[&str]) -> String {
    let output = run(data_dir, arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Asks a database with a token.
fn select(program: &Program, database: &str, token: &str) -> (u16, String) {
    let request = json!({ "requests": [
        { "type": "execute", "stmt": { "sql": "SELECT 7" } }, { "type": "close" },
    ] });
    let path = format!("/db/{database}/v2/pipeline");
    let answer = program.request("POST", &path, token, &request).unwrap();
    (answer.status, answer.body.to_string())
}

/// Waits until a running server has taken over what a command has changed; a second is what it is allowed.
fn soon(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(10), "the server takes no notice");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn tokens_that_were_minted_without_a_server_are_good_once_it_runs() {
    let directory = tempdir().unwrap();
    let data = directory.path();
    drop(Program::start(data));
    let database = ok(data, &["token", "mint", "--database", "default"]);
    let group = ok(data, &["token", "mint", "--group", "default", "--expiration", "1h"]);
    let api = ok(data, &["token", "mint", "--api", "robot", "--scope", "read"]);
    let program = Program::start(data);
    for token in [&database, &group] {
        assert_eq!(select(&program, "default", token).0, 200);
    }
    let list =
        |token: &str| program.request("GET", "/v1/databases", token, &json!({})).unwrap().status;
    assert_eq!((list(&api), list(&database)), (200, 401));

    let listed = ok(data, &["token", "list"]);
    let words: Vec<_> = listed.split_whitespace().collect();
    assert_eq!(words, ["NAME", "GROUP", "SCOPES", "robot", "all", "read"]);
    assert!(refused(data, &["token", "mint", "--api", "robot"]).contains("already exists"));

    // Beside the server, which has the tokens in memory.
    ok(data, &["token", "revoke", "robot"]);
    assert_eq!(list(&api), 401);
    ok(data, &["token", "revoke", "--database", "default"]);
    soon(|| select(&program, "default", &database).0 == 401);
    assert_eq!(select(&program, "default", &group).0, 200);
    ok(data, &["token", "revoke", "--group", "default"]);
    soon(|| select(&program, "default", &group).0 == 401);
    assert!(refused(data, &["token", "revoke", "robot"]).contains("no api token \"robot\""));
    assert!(program.terminate().success());
}

#[test]
fn databases_come_and_go_beside_a_server() {
    let directory = tempdir().unwrap();
    let data = directory.path();
    let program = Program::start(data);
    let token = fs::read_to_string(data.join("api-token")).unwrap();
    let status = |name: &str| select(&program, name, token.trim()).0;
    assert_eq!(ok(data, &["db", "create", "shop"]), "created database shop in group default");
    assert_eq!(status("shop"), 200);
    let listed = ok(data, &["db", "list"]);
    assert!(listed.lines().any(|line| line.starts_with("shop ")), "{listed}");
    ok(data, &["db", "delete", "shop"]);
    soon(|| status("shop") == 404);
    ok(data, &["db", "restore", "shop"]);
    assert_eq!(status("shop"), 200);
    assert_eq!(ok(data, &["db", "check"]), "default: sound\nshop: sound");
    for (arguments, message) in [
        (&["db", "create", "shop"][..], "already exists"),
        (&["db", "create", "../x"], "cannot be a database name"),
        (&["db", "create", "x", "--group", "none"], "there is no group none"),
        (&["db", "delete", "none"], "could not find database"),
        (&["db", "delete", "default"], "cannot be deleted"),
        (&["db", "restore", "shop"], "could not find database"),
    ] {
        assert!(refused(data, arguments).contains(message), "{arguments:?}");
    }
    assert!(program.terminate().success());
}

#[test]
fn a_damaged_file_is_found() {
    let directory = tempdir().unwrap();
    let data = directory.path();
    drop(Program::start(data));
    let listed = ok(data, &["db", "list"]);
    let id = listed.lines().last().unwrap().split_whitespace().nth(2).unwrap();
    let file = data.join(format!("databases/{id}.sqlite"));
    let sqlite = |sql: &str| open(&file).execute_batch(sql).unwrap();
    sqlite(
        "CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(9000)); PRAGMA wal_checkpoint(TRUNCATE);",
    );
    let mut bytes = fs::read(&file).unwrap();
    bytes[4096..4196].fill(0xee);
    fs::write(&file, bytes).unwrap();
    let output = run(data, &["db", "check", "default"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 of 1 databases are not sound"));
}

#[test]
fn without_a_data_directory_there_is_nothing_to_work_on() {
    let directory = tempdir().unwrap();
    let nowhere = directory.path().join("nowhere");
    for arguments in [&["db", "list"][..], &["token", "list"], &["key", "list"]] {
        assert!(refused(&nowhere, arguments).contains("there is no data directory"));
    }
    assert!(!nowhere.exists());
}

#[expect(clippy::disallowed_methods, reason = "a file that no server has open")]
fn open(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

/// A data directory as sqld leaves it: a namespace with a configuration, two whose names cannot be ours or are there
/// already.
/// The public key of somebody (RFC 8037, appendix A.2).
const SQLD_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn sqld_directory(directory: &Path) {
    for (name, rows) in [("shop", 3), ("default", 1), ("Bad_Name", 1)] {
        let namespace = directory.join("dbs").join(name);
        fs::create_dir_all(&namespace).unwrap();
        let db = open(&namespace.join("data"));
        db.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(a);").unwrap();
        for row in 0..rows {
            db.execute("INSERT INTO t VALUES(?)", [row]).unwrap();
        }
        // As after a crash: what was written last is in the WAL only.
        std::mem::forget(db);
    }
    fs::create_dir_all(directory.join("metastore")).unwrap();
    let metastore = open(&directory.join("metastore/data"));
    metastore
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE namespace_configs (namespace TEXT NOT NULL PRIMARY KEY, config BLOB NOT NULL);",
        )
        .unwrap();
    // block_writes (2), block_reason (3), max_db_pages (4), jwt_key (7).
    let shop = [&[0x10, 1, 0x1a, 4][..], b"over", &[0x20, 100]].concat();
    let default = [&[0x3a, SQLD_KEY.len() as u8][..], SQLD_KEY.as_bytes()].concat();
    for (name, config) in [("shop", shop), ("default", default)] {
        let row = rusqlite::params![name, config];
        metastore.execute("INSERT INTO namespace_configs VALUES (?, ?)", row).unwrap();
    }
}

#[test]
fn the_databases_of_sqld_are_taken_over() {
    let directory = tempdir().unwrap();
    let (sqld, data) = (directory.path().join("sqld"), directory.path().join("data"));
    sqld_directory(&sqld);
    let before = tree(&sqld);
    let arguments = ["import-sqld", sqld.to_str().unwrap()];
    let output = run(&data, &arguments);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success(), "one of them cannot be imported");
    assert!(stdout.contains("shop: imported\n") && stdout.contains("default: imported\n"));
    assert!(stdout.contains("Bad_Name: not imported: \"Bad_Name\" cannot be a database name"));
    assert_eq!(tree(&sqld), before, "sqld's directory is left as it is");

    let program = Program::start(&data);
    let count = |name: &str, sql: &str| {
        let request = json!({ "requests": [
            { "type": "execute", "stmt": { "sql": sql } }, { "type": "close" },
        ] });
        let path = format!("/db/{name}/v2/pipeline");
        let result =
            program.request("POST", &path, "", &request).unwrap().body["results"][0].clone();
        match result["type"].as_str() {
            Some("ok") => result["response"]["result"]["rows"][0][0]["value"].to_string(),
            _ => result["error"]["message"].to_string(),
        }
    };
    assert_eq!(count("shop", "SELECT count(*) FROM t"), "\"3\"");
    assert_eq!(count("default", "SELECT count(*) FROM t"), "\"1\"");
    let blocked = count("shop", "INSERT INTO t VALUES(4)");
    assert!(blocked.contains("blocked by its owner: over"), "{blocked}");
    assert!(program.terminate().success());
    // It has the name under which sqld's admin API replaces and removes it.
    let keys = ok(&data, &["key", "list"]);
    assert!(keys.lines().any(|line| line.starts_with("jwt_key  database ")), "{keys}");

    // Again: nothing is overwritten.
    let output = run(&data, &arguments);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("shop: not imported: database with name shop already exists"));
    assert!(stdout.contains("default: not imported: database with name default already exists"));
    assert!(
        refused(&data, &["import-sqld", data.to_str().unwrap()])
            .contains("not a data directory of sqld")
    );
}

/// The files of a directory with their lengths, but for the index of a WAL, which is memory.
fn tree(directory: &Path) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(tree(&path));
        } else if !path.to_str().unwrap().ends_with("-shm") {
            files.push((path.display().to_string(), fs::metadata(&path).unwrap().len()));
        }
    }
    files.sort();
    files
}
