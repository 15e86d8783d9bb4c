//! Children that cannot follow: found out in the dry run, so that nothing has changed anywhere.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use hyper::Method;
use serde_json::json;

use super::client::{Outcome, on};
use super::family::{check_alike, delete, elsewhere, family, file};
use crate::harness::TestServer;

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)";

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_cannot_follow_is_named_and_nothing_has_changed() {
    let server = TestServer::start().await;
    family(&server, "s", &["a", "b", "c"], &[TABLE]).await;
    on(&server, "a").run(&["INSERT INTO t VALUES (1, 7)"]).await;
    on(&server, "b").run(&["INSERT INTO t VALUES (1, 7), (2, 7)"]).await;
    let migration = ["BEGIN", "UPDATE t SET n = n + 1", "CREATE UNIQUE INDEX u ON t (n)", "COMMIT"];
    let refusal = on(&server, "s").attempt(&migration).await.unwrap_err();
    assert_eq!(refusal.code, "SCHEMA_MIGRATION_ERROR");
    assert_eq!(
        refusal.message,
        "migration dry run failed: database `b`: step 2: SQLite error: UNIQUE constraint failed: t.n; \
         nothing was changed anywhere"
    );
    for name in ["a", "b", "c"] {
        // Nobody is locked out any more.
        on(&server, name).run(&["INSERT INTO t VALUES (9, 9)"]).await;
        let rows = on(&server, name).run(&["SELECT max(n), count(*) FROM t WHERE id = 1"]).await;
        assert_eq!(rows, if name == "c" { "null|0" } else { "7|1" }, "{name}");
    }
    let indexes = "SELECT count(*) FROM sqlite_schema WHERE type = 'index'";
    assert_eq!(on(&server, "s").run(&[indexes]).await, "0");
    check_alike(&server, &["s", "a", "b", "c"]).await;

    on(&server, "b").run(&["DELETE FROM t WHERE id = 2"]).await;
    on(&server, "s").run(&migration).await;
    assert_eq!(on(&server, "b").run(&["SELECT n FROM t ORDER BY id"]).await, "8,10");
    check_alike(&server, &["s", "a", "b", "c"]).await;
    server.stop().await;
}

/// Makes a file one that SQLite must not write: of a form that only later versions know to write. Rights of the file
/// do not stop a superuser.
fn set_readonly(path: &Path, is_readonly: bool) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(&[if is_readonly { 3 } else { 2 }], 18).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_whose_file_is_missing_full_or_readonly_stops_nobody_else() {
    let server = TestServer::start().await;
    family(&server, "s", &["a", "missing", "full", "readonly"], &[TABLE]).await;
    let migrate = async |name: &str, message: &str| {
        let outcome: Outcome =
            on(&server, "s").attempt(&[&format!("CREATE TABLE {name} (x)")]).await;
        let refusal = outcome.unwrap_err();
        assert!(refusal.message.contains(&format!("database `{name}`: ")), "{refusal:?}");
        assert!(refusal.message.contains(message), "{refusal:?}");
        on(&server, "a").run(&["INSERT INTO t (n) VALUES (1)"]).await;
    };
    let again = async |name: &str| {
        on(&server, "s").run(&[&format!("CREATE TABLE {name} (x)")]).await;
        assert_eq!(on(&server, name).run(&[&format!("SELECT count(*) FROM {name}")]).await, "0");
    };

    elsewhere(&server, "readonly").execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    set_readonly(&file(&server, "readonly"), true);
    migrate("readonly", "attempt to write a readonly database").await;
    set_readonly(&file(&server, "readonly"), false);
    again("readonly").await;

    let path = "/v1/databases/full/configuration";
    let limit = async |bytes: u64| {
        let body = json!({ "size_limit": bytes.to_string() });
        assert_eq!(server.platform(Method::PATCH, path, body).await.status, 200);
    };
    limit(4096).await;
    migrate("full", "database or disk is full").await;
    limit(1 << 20).await;
    again("full").await;

    let path = file(&server, "missing");
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).unwrap();
    migrate("missing", "open the database file").await;
    // Whoever does not need it any more gets on without it.
    delete(&server, "missing").await;
    on(&server, "s").run(&["CREATE TABLE last (x)"]).await;
    check_alike(&server, &["s", "a", "full", "readonly"]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_another_process_holds_for_a_moment_is_waited_for() {
    let server = TestServer::start().await;
    family(&server, "s", &["a"], &[TABLE]).await;
    let other = elsewhere(&server, "a");
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let release = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        other.execute_batch("COMMIT").unwrap();
    });
    on(&server, "s").run(&["ALTER TABLE t ADD COLUMN c"]).await;
    release.join().unwrap();
    check_alike(&server, &["s", "a"]).await;
    server.stop().await;
}
