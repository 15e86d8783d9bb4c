//! The rights of single tables as one table, like `policy_tests`.

use std::sync::Arc;

use super::connection::Connection;
use super::dump::Dump;
use super::executor::Work as _;
use super::pace::Pace;
use super::policy_tests::{OWNER, Template, check_in, connect, execute};
use super::session::SavedSession;
use super::statement::Step;
use crate::auth::Access;
use crate::error::{ErrorKind, Result};

const SCHEMA: &str = "
CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE, c);
CREATE TABLE secret(x UNIQUE, y);
CREATE VIEW v AS SELECT a, b FROM t;
CREATE VIEW w AS SELECT x FROM secret;
CREATE TABLE watched(a);
CREATE TABLE log(what);
CREATE TRIGGER note AFTER INSERT ON watched BEGIN INSERT INTO log VALUES(new.a); END;
CREATE TABLE parent(id INTEGER PRIMARY KEY);
CREATE TABLE child(id REFERENCES parent(id) ON DELETE CASCADE);
CREATE TABLE numbered(n INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE VIRTUAL TABLE f USING fts5(text);
CREATE VIRTUAL TABLE g USING fts4(text);
CREATE VIRTUAL TABLE r USING rtree(id, low, high);
INSERT INTO t VALUES(1, 2, 3);
INSERT INTO secret VALUES(1, 2);
INSERT INTO f VALUES('one two');
INSERT INTO g VALUES('one two');
INSERT INTO r VALUES(1, 2, 3)";

fn limited(rules: &str) -> Access {
    Access { tables: Some(Arc::new(serde_json::from_str(rules).unwrap())), ..Access::FULL }
}

fn check(rules: &str, table: &[(&str, &str)]) {
    check_in(SCHEMA, &limited(rules), table);
}

#[test]
fn without_a_rule_only_the_schema_can_be_read() {
    check(
        "[]",
        &[
            ("SELECT 1", "ok"),
            ("SELECT name, sql FROM sqlite_schema", "ok"),
            ("PRAGMA table_info(secret)", "ok"),
            ("SELECT name FROM pragma_table_info('secret')", "ok"),
            ("SELECT value FROM json_each('[1, 2]')", "ok"),
            ("SELECT count(*) FROM json_each('[1, 2]')", "ok"),
            ("WITH c AS (SELECT 1) SELECT count(*) FROM c", "ok"),
            ("BEGIN; SAVEPOINT s; RELEASE s; COMMIT", "ok"),
            ("SELECT a FROM t", "this access has no right data_read on the table t"),
            ("SELECT count(*) FROM t", "no right data_read on the table t"),
            ("SELECT count(*) FROM main.t AS x", "no right data_read on the table t"),
            ("SELECT 1 WHERE EXISTS (SELECT 1 FROM secret)", "no right data_read"),
            ("SELECT 1 IN w", "no right data_read"),
            ("SELECT 1 IN (SELECT x FROM secret)", "no right data_read"),
            ("WITH secret AS (SELECT 1) SELECT count(*) FROM secret", "no right data_read"),
            ("SELECT count(*) FROM w", "no right data_read"),
            ("SELECT rowid FROM t", "no right data_read"),
            ("SELECT * FROM sqlite_sequence", "no right data_read"),
            ("SELECT * FROM dbstat", "no right data_read"),
            ("SELECT * FROM f", "no right data_read on the table f"),
            ("SELECT block FROM f_data", "no right data_read"),
            ("INSERT INTO t(b) VALUES(1)", "no right data_add on the table t"),
            ("UPDATE t SET c = 1", "no right data_update on the table t"),
            ("DELETE FROM t", "no right data_delete on the table t"),
            ("EXPLAIN DELETE FROM t", "no right data_delete on the table t"),
            ("CREATE TABLE n(a)", "no right schema_add on the table n"),
            ("CREATE INDEX i ON t(c)", "no right schema_add on the table t"),
            ("ALTER TABLE t ADD COLUMN d", "no right schema_update on the table t"),
            ("DROP TABLE t", "no right schema_delete on the table t"),
            ("DROP TRIGGER note", "no right schema_delete on the table watched"),
            ("CREATE TEMP TABLE x(y); INSERT INTO x VALUES(1); SELECT count(*) FROM x", "taints"),
            ("CREATE TEMP VIEW x AS SELECT * FROM secret; SELECT * FROM x", "no right data_read"),
            ("CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM secret; END", "taints"),
        ],
    );
}

#[test]
fn reading_is_of_the_tables_that_are_named() {
    check(
        r#"[{"t":["T","v","w","f","g","r"],"a":["data_read"]}]"#,
        &[
            ("SELECT a, b FROM t; SELECT count(*) FROM t", "ok"),
            ("SELECT * FROM v; SELECT count(*) FROM v", "ok"),
            ("SELECT * FROM w", "no right data_read on the table secret"),
            (
                "SELECT a FROM t UNION SELECT x FROM secret",
                "no right data_read on the table secret",
            ),
            ("SELECT a, (SELECT x FROM secret) FROM t", "no right data_read on the table secret"),
            ("SELECT * FROM t, secret", "no right data_read on the table secret"),
            ("CREATE TEMP TABLE x AS SELECT * FROM t", "taints"),
            ("CREATE TEMP TABLE x AS SELECT * FROM secret", "no right data_read"),
            ("SELECT * FROM f('one'); SELECT count(*) FROM f", "ok"),
            ("SELECT * FROM g WHERE text MATCH 'two'", "ok"),
            ("SELECT * FROM r WHERE low > 1", "ok"),
            ("SELECT count(*) FROM r", "ok"),
            ("SELECT * FROM f_content", "no right data_read on the table f_content"),
            ("INSERT INTO f VALUES('three')", "no right data_add on the table f"),
            ("DELETE FROM r", "no right data_delete on the table r"),
            ("UPDATE t SET c = a", "no right data_update on the table t"),
        ],
    );
}

#[test]
fn adding_is_neither_reading_nor_replacing() {
    check(
        r#"[{"t":["t","watched","child","f","r","numbered"],"a":["data_add"]}]"#,
        &[
            ("INSERT INTO t VALUES(5, 6, 7)", "ok"),
            ("INSERT INTO t VALUES(5, 'replace', replace('a', 'b', 'c'))", "ok"),
            ("INSERT OR IGNORE INTO t VALUES(1, 2, 3)", "ok"),
            ("INSERT OR REPLACE INTO t VALUES(1, 2, 3)", "no right data_delete on the table t"),
            ("REPLACE INTO t VALUES(1, 2, 3)", "data_delete on the table t, which REPLACE needs"),
            (
                "INSERT INTO t VALUES(1, 2, 3) ON CONFLICT DO UPDATE SET c = 4",
                "no right data_update on the table t",
            ),
            ("INSERT INTO t VALUES(5, 6, 7) RETURNING a", "no right data_read on the table t"),
            ("INSERT INTO t SELECT * FROM secret", "no right data_read on the table secret"),
            ("INSERT INTO watched VALUES(1)", "no right data_add on the table log"),
            ("INSERT INTO child VALUES(NULL)", "no right data_read on the table parent"),
            ("INSERT INTO numbered DEFAULT VALUES", "ok"),
            ("INSERT INTO f VALUES('three')", "ok"),
            ("INSERT INTO r VALUES(2, 3, 4)", "ok"),
            ("UPDATE sqlite_sequence SET seq = 7", "no right data_update"),
        ],
    );
}

#[test]
fn what_triggers_and_foreign_keys_do_needs_its_own_right() {
    let both = r#"{"t":["watched","parent"],"a":["data_read","data_add","data_delete"]}"#;
    check(
        &format!("[{both}]"),
        &[
            ("INSERT INTO watched VALUES(1)", "no right data_add on the table log"),
            ("DELETE FROM parent", "on the table child"),
            ("INSERT INTO parent VALUES(1)", "ok"),
        ],
    );
    check(
        &format!(
            r#"[{both},{{"t":["log"],"a":["data_add"]}},{{"t":["child"],"a":["data_read","data_delete"]}}]"#
        ),
        &[
            ("INSERT INTO watched VALUES(1)", "ok"),
            ("DELETE FROM parent", "ok"),
            ("INSERT INTO log SELECT x FROM secret", "no right data_read on the table secret"),
        ],
    );
}

#[test]
fn changing_needs_what_it_reads_and_replaces() {
    check(
        r#"[{"t":["t"],"a":["data_update","data_read"]},{"t":["secret"],"a":["data_delete"]}]"#,
        &[
            ("UPDATE t SET c = c + 1 WHERE a = 1", "ok"),
            ("UPDATE OR REPLACE t SET a = 1", "data_delete on the table t, which REPLACE needs"),
            ("UPDATE t SET c = y FROM secret", "no right data_read on the table secret"),
            ("DELETE FROM secret", "ok"),
            ("DELETE FROM secret WHERE x = 1", "no right data_read on the table secret"),
            ("DELETE FROM t", "no right data_delete on the table t"),
        ],
    );
}

#[test]
fn the_schema_is_changed_table_by_table() {
    check(
        r#"[{"t":["t","n","m"],"a":["schema_add","schema_update","schema_delete"]},{"t":["n"],"a":["data_read"]},{"t":["f","watched","numbered"],"a":["schema_delete"]}]"#,
        &[
            ("CREATE TABLE n(a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE)", "ok"),
            ("CREATE INDEX i ON t(c); DROP INDEX i", "ok"),
            ("ALTER TABLE t ADD COLUMN d NOT NULL DEFAULT 1 CHECK (d > 0)", "ok"),
            ("ALTER TABLE t RENAME COLUMN c TO d", "ok"),
            ("ALTER TABLE t DROP COLUMN c", "ok"),
            ("DROP TABLE t", "ok"),
            ("DROP TABLE numbered; DROP TABLE watched; DROP TABLE f", "ok"),
            ("CREATE TABLE n AS SELECT * FROM secret", "no right data_read on the table secret"),
            ("CREATE TABLE n AS SELECT * FROM sqlite_sequence", "no right data_read"),
            ("CREATE UNIQUE INDEX i ON t(b, c + 1) WHERE c > 1", "ok"),
            ("CREATE TABLE n AS SELECT 1 AS a; SELECT a FROM n", "ok"),
            ("CREATE VIEW n AS SELECT * FROM secret", "ok"),
            (
                "CREATE VIEW n AS SELECT * FROM secret; SELECT * FROM n",
                "no right data_read on the table secret",
            ),
            ("CREATE TABLE other(a)", "no right schema_add on the table other"),
            ("CREATE INDEX i ON secret(y)", "no right schema_add on the table secret"),
            ("DROP TABLE secret", "no right schema_delete on the table secret"),
            ("DROP VIEW w", "no right schema_delete on the table w"),
            ("ALTER TABLE secret RENAME TO m", "no right schema_update on the table secret"),
            (
                "CREATE TRIGGER i AFTER INSERT ON t BEGIN DELETE FROM secret; END",
                "CREATE TRIGGER needs all rights on all tables",
            ),
            (
                "CREATE VIRTUAL TABLE n USING fts5(x, content='secret')",
                "CREATE VIRTUAL TABLE needs all rights on all tables",
            ),
            ("CREATE VIRTUAL TABLE temp.n USING fts5vocab(main, f, row)", "needs all rights"),
        ],
    );
}

#[test]
fn what_concerns_the_whole_file_needs_all_rights() {
    let all_but_one = r#"[{"t":null,"a":["data_read","data_add","data_update","data_delete","schema_add","schema_update"]}]"#;
    check(
        all_but_one,
        &[
            (
                "SELECT * FROM secret; INSERT INTO t VALUES(7, 8, 9); REPLACE INTO t VALUES(1, 2, 3)",
                "ok",
            ),
            ("CREATE TABLE n(a); ALTER TABLE n RENAME TO m", "ok"),
            ("DROP TABLE t", "no right schema_delete on the table t"),
            ("REINDEX", "REINDEX needs all rights on all tables"),
            ("ANALYZE", "ANALYZE needs all rights on all tables"),
            ("VACUUM", "VACUUM needs all rights on all tables"),
            ("PRAGMA optimize", "optimize needs all rights on all tables"),
            ("PRAGMA user_version = 7", "user_version needs all rights on all tables"),
            ("PRAGMA user_version", "ok"),
        ],
    );
}

#[test]
fn virtual_tables_can_be_read_without_the_right_to_write() {
    check_in(
        SCHEMA,
        &Access::READ_ONLY,
        &[
            ("SELECT * FROM r WHERE low > 1", "ok"),
            ("SELECT * FROM f('one')", "ok"),
            ("SELECT * FROM g WHERE text MATCH 'two'", "ok"),
            ("DELETE FROM r", "read-only"),
            ("INSERT INTO f VALUES('x')", "read-only"),
        ],
    );
}

/// The rights of `of_views` on one connection, and the owner on another, in one file.
fn reader_and_owner() -> (Connection, Connection, Template) {
    let template = Template::new(SCHEMA);
    let path = template.copy();
    let of_views = limited(r#"[{"t":["t","v","f","r"],"a":["data_read"]}]"#);
    (connect(&path, of_views), connect(&path, OWNER), template)
}

/// Executes one statement, which stays prepared if it can.
fn query(connection: &mut Connection, sql: &str) -> Result<()> {
    let mut run = || -> Result<()> {
        connection.prepare(sql)?;
        while let Step::Row = connection.step()? {}
        Ok(())
    };
    let result = run();
    connection.abandon();
    result
}

#[test]
fn a_statement_prepared_before_is_judged_again_when_the_schema_changes() {
    let (mut reader, mut owner, _template) = reader_and_owner();
    let sql = "SELECT * FROM v";
    query(&mut reader, sql).unwrap();
    assert!(reader.knows(sql));
    execute(&mut owner, "DROP VIEW v; CREATE VIEW v AS SELECT x AS a, y AS b FROM secret").unwrap();
    for _ in 0..2 {
        let error = query(&mut reader, sql).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    }
    execute(&mut owner, "DROP VIEW v; CREATE VIEW v AS SELECT a, b FROM t").unwrap();
    query(&mut reader, sql).unwrap();
}

#[test]
fn virtual_tables_are_found_again_when_the_schema_changes() {
    let (mut reader, mut owner, _template) = reader_and_owner();
    for change in ["CREATE TABLE more(a)", "ALTER TABLE more ADD COLUMN b", "DROP TABLE more"] {
        for sql in ["SELECT * FROM f('one')", "SELECT * FROM r WHERE low > 1"] {
            query(&mut reader, sql).unwrap();
            execute(&mut reader, sql).unwrap();
        }
        execute(&mut owner, change).unwrap();
    }
}

#[test]
fn what_is_no_table_yet_is_looked_up_each_time() {
    let (mut reader, mut owner, _template) = reader_and_owner();
    let sql = "SELECT value FROM json_each('[1]')";
    query(&mut reader, sql).unwrap();
    execute(&mut owner, "CREATE TABLE json_each(value)").unwrap();
    assert_eq!(query(&mut reader, sql).unwrap_err().kind(), ErrorKind::Denied);
}

#[test]
fn other_rights_forget_what_was_prepared() {
    let (mut connection, _owner, _template) = reader_and_owner();
    let sql = "SELECT a FROM t";
    query(&mut connection, sql).unwrap();
    assert!(connection.knows(sql));
    let same = limited(r#"[{"t":["t","v","f","r"],"a":["data_read"]}]"#);
    connection.begin_session(SavedSession::NEW, &same);
    assert!(connection.knows(sql));
    connection.begin_session(SavedSession::NEW, &limited("[]"));
    assert!(!connection.knows(sql));
    assert_eq!(query(&mut connection, sql).unwrap_err().kind(), ErrorKind::Denied);
}

#[test]
fn a_dump_needs_all_rights() {
    let (mut reader, _owner, _template) = reader_and_owner();
    let mut dump = Dump::default();
    dump.advance(&mut reader, Pace::Full);
    let error = dump.check().unwrap_err();
    assert!(error.message().contains("a dump needs all rights on all tables"), "{error}");
}

#[test]
fn what_another_statement_did_excuses_nothing() {
    let template = Template::new(SCHEMA);
    let rules = r#"[{"t":["t","v"],"a":["data_read","schema_add","schema_delete"]}]"#;
    let mut connection = connect(&template.copy(), limited(rules));
    let sql = "SELECT * FROM v";
    query(&mut connection, sql).unwrap();
    for change in ["DROP VIEW v", "CREATE VIEW v AS SELECT * FROM secret", "CREATE INDEX i ON t(c)"]
    {
        query(&mut connection, change).unwrap();
    }
    assert!(connection.knows(sql));
    assert_eq!(query(&mut connection, sql).unwrap_err().kind(), ErrorKind::Denied);
}
