//! The SQL policy as one table: what SQL, with which rights, and what SQLite says of it.
//!
//! Each line runs on a real connection with the real authorizer, in a database that has a table `t(a, b)`.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::connection::Connection;
use super::executor::Work as _;
use super::file::{Sharing, create_file};
use super::pace::Pace;
use super::script::Script;
use super::write_turn::WriteTurn;
use crate::auth::Access;
use crate::error::ErrorKind;

pub(super) const OWNER: Access = Access::FULL;
const WRITER: Access = Access { write: true, ddl: false, ..Access::FULL };
const READER: Access = Access::READ_ONLY;

const SCHEMA: &str = "CREATE TABLE t(a, b); CREATE INDEX ia ON t(a); INSERT INTO t VALUES(1, 2); CREATE VIEW v AS SELECT a FROM t";

/// A file in which a schema has been executed.
pub(super) struct Template {
    directory: tempfile::TempDir,
    copies: Cell<u32>,
}

impl Template {
    pub(super) fn new(schema: &str) -> Self {
        let template = Template { directory: tempfile::tempdir().unwrap(), copies: Cell::new(0) };
        create_file(&template.path("template")).unwrap();
        execute(&mut connect(&template.path("template"), OWNER), schema).unwrap();
        template
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A new file like it.
    pub(super) fn copy(&self) -> PathBuf {
        self.copies.set(self.copies.get() + 1);
        let copy = self.path(&self.copies.get().to_string());
        std::fs::copy(self.path("template"), &copy).unwrap();
        copy
    }
}

pub(super) fn connect(path: &Path, access: Access) -> Connection {
    let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let turn = WriteTurn::new(Duration::from_secs(1));
    Connection::open(path, Sharing::Shared, access, turn, Arc::default(), permit).unwrap()
}

pub(super) fn execute(connection: &mut Connection, sql: &str) -> crate::error::Result<()> {
    let mut script = Script::new(sql, Duration::from_secs(10));
    script.advance(connection, Pace::Full);
    script.finish()
}

/// What becomes of `sql`: `ok`, `taints` (ok, but the connection serves nobody else), or the message.
fn verdict(template: &Template, access: &Access, sql: &str) -> String {
    let mut connection = connect(&template.copy(), access.clone());
    match execute(&mut connection, sql) {
        Ok(()) if connection.is_clean() => "ok".to_owned(),
        Ok(()) => "taints".to_owned(),
        Err(error) if error.kind() == ErrorKind::Denied => error.message().to_owned(),
        Err(error) => format!("{}: {}", error.kind().code(), error.message()),
    }
}

fn check(access: &Access, table: &[(&str, &str)]) {
    check_in(SCHEMA, access, table);
}

pub(super) fn check_in(schema: &str, access: &Access, table: &[(&str, &str)]) {
    let template = Template::new(schema);
    let wrong: Vec<_> = table
        .iter()
        .map(|(sql, expected)| (sql, expected, verdict(&template, access, sql)))
        .filter(|(_, expected, found)| !found.contains(**expected))
        .map(|(sql, expected, found)| format!("{sql}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_owner_has_the_whole_of_sql() {
    check(
        &OWNER,
        &[
            ("SELECT * FROM t JOIN v USING (a)", "ok"),
            (
                "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 9) SELECT * FROM c",
                "ok",
            ),
            ("INSERT INTO t VALUES(1, 2); UPDATE t SET a = 3; DELETE FROM t", "ok"),
            ("INSERT INTO t VALUES(5, 6) RETURNING a", "ok"),
            ("REPLACE INTO t VALUES(1, 2)", "ok"),
            (
                "CREATE TABLE x(y INTEGER PRIMARY KEY, z UNIQUE) STRICT, WITHOUT ROWID",
                "SQLITE_ERROR",
            ),
            (
                "CREATE TABLE x(y INT PRIMARY KEY, z TEXT UNIQUE) STRICT, WITHOUT ROWID; DROP TABLE x",
                "ok",
            ),
            ("CREATE TABLE x AS SELECT * FROM t", "ok"),
            ("CREATE INDEX i ON t(a); REINDEX i; DROP INDEX i", "ok"),
            ("CREATE VIEW w AS SELECT 1; DROP VIEW w", "ok"),
            ("CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END; DROP TRIGGER g", "ok"),
            (
                "ALTER TABLE t ADD COLUMN c; ALTER TABLE t RENAME COLUMN c TO d; ALTER TABLE t DROP COLUMN d",
                "ok",
            ),
            ("ALTER TABLE t RENAME TO u", "ok"),
            ("ANALYZE; PRAGMA optimize", "ok"),
            ("VACUUM", "ok"),
            (
                "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES('a b'); SELECT * FROM f('a'); DROP TABLE f",
                "ok",
            ),
            (
                "CREATE VIRTUAL TABLE f USING fts4(x); INSERT INTO f VALUES('a b'); DROP TABLE f",
                "ok",
            ),
            ("CREATE VIRTUAL TABLE r USING rtree(id, x, y); INSERT INTO r VALUES(1, 2, 3)", "ok"),
            (
                "CREATE VIRTUAL TABLE g USING geopoly(a); SELECT geopoly_area('[[0,0],[1,0],[1,1],[0,0]]')",
                "ok",
            ),
            (
                "CREATE VIRTUAL TABLE f USING fts5(x); CREATE VIRTUAL TABLE fv USING fts5vocab(f, row)",
                "ok",
            ),
            ("SELECT sqrt(2), json('{}'), json_extract('[1]', '$[0]') FROM json_each('[1]')", "ok"),
            ("SELECT count(*) FROM dbstat", "ok"),
            ("SELECT name FROM pragma_table_info('t')", "ok"),
            ("EXPLAIN QUERY PLAN SELECT * FROM t", "ok"),
            ("SAVEPOINT s; INSERT INTO t VALUES(1, 1); ROLLBACK TO s; RELEASE s", "ok"),
        ],
    );
}

#[test]
fn nobody_reaches_out_of_the_database() {
    check(
        &OWNER,
        &[
            ("ATTACH 'other.sqlite' AS o", "ATTACH is not available"),
            ("ATTACH '' AS o", "ATTACH is not available"),
            ("ATTACH ':memory:' AS o", "ATTACH is not available"),
            ("ATTACH printf('%s', 'x') AS o", "ATTACH is not available"),
            ("DETACH main", "DETACH is not available"),
            ("VACUUM INTO '/tmp/stolen.sqlite'", "VACUUM INTO is not available"),
            ("VACUUM main INTO 'x'", "VACUUM INTO is not available"),
            ("SELECT load_extension('x')", "load_extension() is not available"),
            ("SELECT LOAD_EXTENSION('x', 'y')", "is not available"),
            (
                "CREATE VIEW w AS SELECT load_extension('x'); SELECT * FROM w",
                "unsafe use of load_extension()",
            ),
            (
                "CREATE VIRTUAL TABLE f USING fts4(x); SELECT optimize(f) FROM f",
                "optimize() is not available",
            ),
            ("SELECT fts3_tokenizer('simple')", "fts3_tokenizer() is not available"),
            ("SELECT readfile('/etc/passwd')", "no such function"),
            ("SELECT * FROM sqlite_dbpage", "no such table"),
            (
                "CREATE VIRTUAL TABLE x USING csv(filename='/etc/passwd')",
                "module csv are not available",
            ),
            ("CREATE VIRTUAL TABLE x USING dbstat", "module dbstat are not available"),
            (
                "INSERT INTO sqlite_schema VALUES('table', 'x', 'x', 2, 'CREATE TABLE x(y)')",
                "may not be modified",
            ),
            ("DELETE FROM sqlite_schema", "may not be modified"),
            ("UPDATE sqlite_schema SET sql = ''", "may not be modified"),
            ("PRAGMA writable_schema = 1", "PRAGMA writable_schema is not available"),
            ("PRAGMA writable_schema = RESET", "PRAGMA writable_schema is not available"),
            ("CREATE VIRTUAL TABLE f USING fts5(x); DELETE FROM f_data", "may not be modified"),
            ("DROP TABLE sqlite_schema", "may not be dropped"),
            ("CREATE TABLE sqlite_x(a)", "reserved for internal use"),
        ],
    );
}

#[test]
fn pragmas_are_allowed_one_by_one() {
    check(
        &OWNER,
        &[
            ("PRAGMA table_info(t)", "ok"),
            ("PRAGMA main.table_xinfo('t')", "ok"),
            ("PRAGMA foreign_key_check", "ok"),
            ("PRAGMA integrity_check(1)", "ok"),
            ("PRAGMA user_version", "ok"),
            ("PRAGMA user_version = 7", "ok"),
            ("PRAGMA user_version = x", "cannot be set to 'x'"),
            ("PRAGMA application_id = 7", "ok"),
            ("PRAGMA journal_mode", "ok"),
            ("PRAGMA journal_mode = WAL", "taints"),
            ("PRAGMA journal_mode = DELETE", "cannot be set to 'DELETE' here, only to 'wal'"),
            ("PRAGMA foreign_keys", "ok"),
            ("PRAGMA foreign_keys = off", "taints"),
            ("PRAGMA foreign_keys(1)", "taints"),
            ("PRAGMA foreign_keys = maybe", "cannot be set to 'maybe' here, only to on or off"),
            ("PRAGMA defer_foreign_keys = on", "taints"),
            ("PRAGMA query_only = 1", "taints"),
            ("PRAGMA read_uncommitted = 0", "taints"),
            ("PRAGMA legacy_alter_table = on", "taints"),
            ("PRAGMA synchronous", "ok"),
            ("PRAGMA synchronous = off", "PRAGMA synchronous is set by the server"),
            ("PRAGMA cache_size = -1000000", "is set by the server"),
            ("PRAGMA mmap_size = 1000000", "is set by the server"),
            ("PRAGMA busy_timeout = 1000000", "is set by the server"),
            (
                "PRAGMA temp_store_directory = '/etc'",
                "PRAGMA temp_store_directory is not available",
            ),
            ("PRAGMA trusted_schema = 1", "is set by the server"),
            ("PRAGMA wal_checkpoint(TRUNCATE)", "is not available"),
            ("PRAGMA locking_mode = EXCLUSIVE", "is set by the server"),
            ("PRAGMA schema_version = 1", "is set by the server"),
            ("PRAGMA page_size = 512", "is set by the server"),
            ("PRAGMA max_page_count = 1", "is set by the server"),
            ("PRAGMA key = 'x'", "is not available"),
            ("PRAGMA nonsense", "PRAGMA nonsense is not available"),
            ("SELECT * FROM pragma_journal_mode('delete')", "unknown database"),
            ("SELECT * FROM pragma_wal_checkpoint", "no such table"),
            ("SELECT * FROM pragma_optimize(0x10002)", "cannot be used as a table"),
            ("SELECT * FROM pragma_user_version", "ok"),
        ],
    );
}

#[test]
fn temporary_objects_stay_on_their_connection() {
    check(
        &OWNER,
        &[
            (
                "CREATE TEMP TABLE x(y); INSERT INTO x VALUES(1); SELECT * FROM x; DROP TABLE x",
                "taints",
            ),
            ("CREATE TEMP VIEW x AS SELECT 1", "taints"),
            ("CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END", "taints"),
            ("CREATE TABLE temp.x(y)", "taints"),
            ("CREATE VIEW temp.x AS SELECT 1", "taints"),
            ("CREATE TRIGGER temp.x AFTER INSERT ON main.t BEGIN SELECT 1; END", "taints"),
            ("CREATE VIRTUAL TABLE temp.x USING fts5(y)", "taints"),
            ("BEGIN", "taints"),
        ],
    );
}

#[test]
fn a_child_changes_its_rows_and_takes_its_schema_from_elsewhere() {
    let child = Access { schema: Some("parent".into()), ..WRITER };
    let refusal = "is that of the schema database parent; change it there";
    check(
        &child,
        &[
            ("INSERT INTO t VALUES(1, 2); UPDATE t SET a = 3; DELETE FROM t", "ok"),
            ("ANALYZE; REINDEX", "ok"),
            (
                "CREATE TEMP TABLE x(y); CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END",
                "taints",
            ),
            ("CREATE TABLE x(y)", refusal),
            ("CREATE TABLE x AS SELECT * FROM t", refusal),
            ("DROP TABLE t", refusal),
            ("DROP TABLE IF EXISTS t", refusal),
            ("ALTER TABLE t ADD COLUMN c", refusal),
            ("ALTER TABLE t RENAME TO u", refusal),
            ("CREATE UNIQUE INDEX i ON t(b)", refusal),
            ("DROP INDEX ia", refusal),
            ("CREATE VIEW w AS SELECT 1", refusal),
            ("CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END", refusal),
            ("CREATE VIRTUAL TABLE f USING fts5(x)", refusal),
            ("PRAGMA user_version = 7", refusal),
            ("PRAGMA application_id = 7", refusal),
            ("PRAGMA writable_schema = ON", "is not available"),
            ("PRAGMA default_cache_size = 7", "is not available"),
            ("PRAGMA schema_version = 7", "is set by the server"),
            (
                "INSERT INTO sqlite_schema VALUES('table', 'x', 'x', 0, 'CREATE TABLE x(y)')",
                "SQLITE_ERROR",
            ),
            ("UPDATE sqlite_schema SET sql = ''", "SQLITE_ERROR"),
            ("EXPLAIN CREATE TABLE x(y)", refusal),
        ],
    );
    check(&Access { ddl: true, ..child }, &[("CREATE TABLE x(y); PRAGMA user_version = 7", "ok")]);
}

#[test]
fn a_writer_changes_rows_but_not_the_schema() {
    check(
        &WRITER,
        &[
            (
                "SELECT * FROM t; INSERT INTO t VALUES(1, 2); UPDATE t SET a = 3; DELETE FROM t",
                "ok",
            ),
            ("PRAGMA user_version = 7", "ok"),
            ("CREATE TABLE x(y)", "may not change the schema"),
            ("DROP TABLE t", "may not change the schema"),
            ("ALTER TABLE t ADD COLUMN c", "may not change the schema"),
            ("CREATE INDEX i ON t(a)", "may not change the schema"),
            ("CREATE VIEW w AS SELECT 1", "may not change the schema"),
            ("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END", "may not change the schema"),
            ("CREATE VIRTUAL TABLE f USING fts5(x)", "may not change the schema"),
            ("CREATE TABLE x AS SELECT * FROM t", "may not change the schema"),
            ("VACUUM", "may not change the schema"),
        ],
    );
}

#[test]
fn a_reader_changes_nothing() {
    check(
        &READER,
        &[
            ("SELECT * FROM t JOIN v USING (a)", "ok"),
            ("PRAGMA table_info(t); PRAGMA user_version; PRAGMA foreign_keys", "ok"),
            ("EXPLAIN QUERY PLAN SELECT * FROM t", "ok"),
            ("CREATE TEMP TABLE x(y); INSERT INTO x VALUES(1)", "taints"),
            ("INSERT INTO t VALUES(1, 2)", "read-only"),
            ("UPDATE t SET a = 1", "read-only"),
            ("DELETE FROM t", "read-only"),
            ("DELETE FROM t RETURNING a", "read-only"),
            ("EXPLAIN DELETE FROM t", "read-only"),
            ("CREATE TABLE x(y)", "read-only"),
            ("PRAGMA user_version = 1", "read-only"),
            ("PRAGMA optimize", "read-only"),
            ("ANALYZE", "read-only"),
            ("REINDEX", "read-only"),
            ("CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END", "read-only"),
            ("VACUUM", "read-only"),
        ],
    );
}
