//! A schema database with four children on the disk, which the program is run on, killed, and run on again; and the
//! migration that it is killed in.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hranad::catalog::{Catalog, NamespaceName, Record};
use hranad::sqlite::mark_of;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{Refusal, execute, outcome};
use crate::program::{self, Program};

pub(super) const SCHEMA: &str = "s";
pub(super) const CHILDREN: [&str; 4] = ["c1", "c2", "c3", "c4"];

/// Done twice it would be seen.
pub(super) const MIGRATION: [&str; 5] = [
    "BEGIN",
    "UPDATE t SET n = n + 1",
    "ALTER TABLE t ADD COLUMN added",
    "CREATE INDEX t_by_n ON t (n)",
    "COMMIT",
];

/// A data directory of its own.
pub(super) struct Estate {
    directory: TempDir,
}

impl Estate {
    /// Migrations that it was built by.
    pub(super) const JOBS: usize = 3;

    pub(super) fn new() -> Self {
        static FIRST: LazyLock<Estate> = LazyLock::new(Estate::build);
        let directory = TempDir::new().unwrap();
        copy(&FIRST.data_dir(), &directory.path().join("data"));
        Estate { directory }
    }

    fn build() -> Self {
        let estate = Estate { directory: TempDir::new().unwrap() };
        let server = Program::start(&estate.data_dir());
        let token = fs::read_to_string(estate.data_dir().join("api-token")).unwrap();
        let create = |fields: &Value| {
            let answer = server.request("POST", "/v1/databases", token.trim(), fields).unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
        };
        create(&json!({ "name": "other" }));
        create(&json!({ "name": SCHEMA, "is_schema": true }));
        let ask = |name, sql| query(server.address(), name, sql).unwrap().unwrap();
        ask(SCHEMA, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)");
        ask(SCHEMA, "CREATE TABLE log (id TEXT)");
        ask("other", "CREATE TABLE log (id TEXT)");
        ask(SCHEMA, "INSERT INTO t VALUES (1, 0)");
        for child in CHILDREN {
            create(&json!({ "name": child, "schema": SCHEMA }));
            ask(child, "INSERT INTO t VALUES (2, 0)");
        }
        assert!(server.terminate().success());
        estate
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Where the points on the way to the disk are noted.
    pub(super) fn points(&self) -> PathBuf {
        self.directory.path().join("points")
    }

    /// Where there is of every file what has become durable.
    pub(super) fn kept(&self) -> PathBuf {
        self.directory.path().join("kept")
    }

    /// All that there is now is durable.
    pub(super) fn keep_what_is_durable(&self) {
        let _ = fs::remove_dir_all(self.kept());
        fs::create_dir(self.kept()).unwrap();
        for file in self.files() {
            fs::copy(&file, self.kept().join(file.file_name().unwrap())).unwrap();
        }
    }

    /// Loses what is not durable of these files, and what is only in memory.
    pub(super) fn lose(&self, is_lost: impl Fn(&str) -> bool) {
        for file in self.files() {
            let name = file.file_name().unwrap().to_str().unwrap();
            if name.ends_with("-shm") || is_lost(name) {
                fs::remove_file(&file).unwrap();
            }
        }
        let data = self.data_dir();
        for kept in fs::read_dir(self.kept()).unwrap().map(|entry| entry.unwrap().path()) {
            let name = kept.file_name().unwrap().to_str().unwrap();
            // One that was being copied has a number at its end.
            let is_copy =
                kept.extension().is_some_and(|end| end.to_str().unwrap().parse::<u64>().is_ok());
            if !is_copy && !name.ends_with("-shm") && is_lost(name) {
                let directory =
                    if name.starts_with("catalog") { &data } else { &data.join("databases") };
                fs::copy(&kept, directory.join(name)).unwrap();
            }
        }
    }

    /// The files of SQLite.
    fn files(&self) -> Vec<PathBuf> {
        let data = self.data_dir();
        let all = [data.join("databases"), data].into_iter().flat_map(|directory| {
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path())
        });
        all.filter(|path| path.to_str().unwrap().contains(".sqlite")).collect()
    }

    pub(super) fn catalog(&self) -> Catalog {
        Catalog::open(&self.data_dir()).unwrap()
    }

    /// Compares all databases with what they have to be: of one schema and version, with each `n` at `times`.
    pub(super) fn check(&self, server: &Program, times: usize) {
        let ask = |name: &str, sql| query(server.address(), name, sql).unwrap().unwrap();
        let catalog = self.catalog();
        let sql = "SELECT group_concat(sql, '; ' ORDER BY name) FROM sqlite_schema";
        let schema = ask(SCHEMA, sql);
        let version = record(&catalog, SCHEMA).schema_version;
        for name in CHILDREN.into_iter().chain([SCHEMA]) {
            assert_eq!(ask(name, sql), schema, "{name}");
            let count = if name == SCHEMA { 1 } else { 2 };
            let expected = vec![times.to_string(); count].join(",");
            assert_eq!(ask(name, "SELECT n FROM t ORDER BY id"), expected, "{name}");
            assert_eq!(ask(name, "PRAGMA integrity_check"), "ok", "{name}");
            let record = record(&catalog, name);
            let path = self.data_dir().join(format!("databases/{}.sqlite", record.id));
            assert_eq!((record.schema_version, mark_of(&path).unwrap()), (version, version));
        }
    }
}

/// What the catalog says of a database.
pub(super) fn record(catalog: &Catalog, name: &str) -> Record {
    catalog.database(&NamespaceName::parse(name).unwrap()).unwrap().unwrap()
}

/// Executes one statement. Fails if the server goes meanwhile.
pub(super) fn query(
    address: SocketAddr,
    name: &str,
    sql: &str,
) -> io::Result<Result<String, Refusal>> {
    queries(address, name, &[sql])
}

/// Executes statements on one stream. The outcome of the first that has failed, or else of the last.
pub(super) fn queries(
    address: SocketAddr,
    name: &str,
    sqls: &[&str],
) -> io::Result<Result<String, Refusal>> {
    let requests: Vec<_> = sqls.iter().map(|sql| execute(sql)).collect();
    let path = format!("/db/{name}/v2/pipeline");
    let body = json!({ "requests": requests });
    Ok(outcome(&program::request(address, "POST", &path, "", &body)?.body))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}
