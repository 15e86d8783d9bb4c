//! Schema databases and children in a data directory of sqld.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use super::commands::{done, line, ok, run, say};
use crate::program::Program;

#[expect(clippy::disallowed_methods, reason = "a file of sqld")]
fn open(path: &Path) -> rusqlite::Connection {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    rusqlite::Connection::open(path).unwrap()
}

/// A schema database, two children of which one sorts before it, and one of a database that is none.
fn sqld_directory(directory: &Path) {
    const TASKS: &str =
        "CREATE TABLE sqlite3_libsql_tasks (job_id INTEGER PRIMARY KEY, status INTEGER,
        migration TEXT NOT NULL, error TEXT, finished GENERATED AS (status = 4 OR status = 5));
        INSERT INTO sqlite3_libsql_tasks (job_id, status, migration) VALUES (3, 4, '{}');
        PRAGMA default_cache_size = 7;";
    let metastore = open(&directory.join("metastore/data"));
    metastore
        .execute_batch(
            "CREATE TABLE namespace_configs (namespace TEXT PRIMARY KEY, config BLOB NOT NULL)",
        )
        .unwrap();
    // shared_schema (11), shared_schema_name (12).
    let is_schema = vec![0x58, 1];
    let child_of = |name: &str| [&[0x62, name.len() as u8][..], name.as_bytes()].concat();
    for (name, config, sql) in [
        ("a", child_of("sch"), TASKS),
        ("sch", is_schema, "PRAGMA schema_version = 3"),
        ("z", child_of("sch"), TASKS),
        ("lost", child_of("plain"), ""),
        ("plain", Vec::new(), ""),
    ] {
        let db = open(&directory.join(format!("dbs/{name}/data")));
        db.execute_batch("CREATE TABLE t (id)").unwrap();
        db.execute_batch(sql).unwrap();
        let row = rusqlite::params![name, config];
        metastore.execute("INSERT INTO namespace_configs VALUES (?, ?)", row).unwrap();
    }
}

#[test]
fn schema_databases_are_taken_over_with_their_children() {
    let directory = tempdir().unwrap();
    let (sqld, data) = (directory.path().join("sqld"), directory.path().join("data"));
    sqld_directory(&sqld);
    let output = run(&data, &format!("import-sqld {}", sqld.to_str().unwrap()));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    for part in [
        "sch: imported as a schema database\n",
        "a: imported as a child of sch\n",
        "z: imported as a child of sch\n",
        "lost: imported as a database of its own: plain is not here as a schema database\n",
        "plain: imported\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(ok(&data, "schema verify sch").contains("2 of 2 children are the same"));
    let program = Program::start(&data);
    done(&program, "sch", "ALTER TABLE t ADD COLUMN n");
    for name in ["a", "z"] {
        done(&program, name, "INSERT INTO t (id, n) VALUES (1, 2)");
        assert!(say(&program, name, "SELECT * FROM sqlite3_libsql_tasks")["code"].is_string());
    }
    done(&program, "lost", "CREATE TABLE own (id)");
    assert_eq!(line(&ok(&data, "schema list"), "sch")[5..], ["2", "0"]);
    assert!(program.terminate().success());
}
