//! Who waits for whom while a migration runs.

use std::time::{Duration, Instant};

use super::client::on;
use super::family::{catalog, catalog_elsewhere, check_alike, create, family, hold, start, tried};
use crate::harness::{TestServer, eventually};

const TABLES: [&str; 2] = ["CREATE TABLE t (n)", "CREATE TABLE held (text)"];

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_a_transaction_writers_for_the_migration_and_readers_for_nobody() {
    let server = start().await;
    family(&server, "s", &["a", "b"], &TABLES).await;
    let mut holder = hold(&server, "b").await;
    let (schema, a, b) = (on(&server, "s"), on(&server, "a"), on(&server, "b"));
    let reads = async {
        assert_eq!(a.run(&["SELECT count(*) FROM t"]).await, "0");
        assert_eq!(b.run(&["SELECT count(*) FROM held"]).await, "0");
        assert_eq!(schema.run(&["SELECT count(*) FROM t"]).await, "0");
        assert_eq!(catalog(&server).unfinished_jobs().unwrap().len(), 1);
        holder.ask("COMMIT").await.unwrap();
    };
    let meanwhile = async {
        tried(&server, &["a"]).await;
        // It knows the new column: it comes behind the migration.
        let write = ["INSERT INTO t VALUES (1, 'later') RETURNING c"];
        tokio::join!(async { while a.attempt(&write).await.is_err() {} }, reads);
    };
    let migrate = async { schema.run(&["ALTER TABLE t ADD COLUMN c"]).await };
    tokio::join!(migrate, meanwhile);
    assert_eq!(b.run(&["SELECT text FROM held"]).await, "written meanwhile");
    check_alike(&server, &["s", "a", "b"]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_of_a_locked_child_waits_and_is_done_then() {
    let server = start().await;
    family(&server, "s", &["a", "b"], &TABLES).await;
    let mut holder = hold(&server, "b").await;
    let (schema, a) = (on(&server, "s"), on(&server, "a"));
    let write = async {
        tried(&server, &["a"]).await;
        let release = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert_eq!(a.run(&["SELECT count(*) FROM t"]).await, "0", "it is locked");
            holder.ask("COMMIT").await.unwrap();
        };
        tokio::join!(a.run(&["INSERT INTO t (n) VALUES (1)"]), release);
    };
    tokio::join!(schema.run(&["ALTER TABLE t ADD COLUMN c DEFAULT 'new'"]), write);
    assert_eq!(a.run(&["SELECT n, c FROM t"]).await, "1|new");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_goes_on_for_too_long_fails_the_dry_run() {
    let server = TestServer::start_with(&["--write-wait", "0.5"]).await;
    family(&server, "s", &["a", "b"], &TABLES).await;
    let mut holder = hold(&server, "b").await;
    let schema = on(&server, "s");
    let refusal = schema.attempt(&["ALTER TABLE t ADD COLUMN c"]).await.unwrap_err();
    assert!(refusal.message.contains("database `b`: "), "{refusal:?}");
    assert!(refusal.message.contains("database is locked"), "{refusal:?}");
    on(&server, "a").run(&["INSERT INTO t VALUES (1)"]).await;
    holder.ask("COMMIT").await.unwrap();
    schema.run(&["ALTER TABLE t ADD COLUMN c"]).await;
    check_alike(&server, &["s", "a", "b"]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_a_child_that_is_behind_do_not_wait_for_its_writer() {
    let server = start().await;
    family(&server, "s", &["a"], &TABLES).await;
    let mut holder = hold(&server, "a").await;
    let schema = on(&server, "s");
    let meanwhile = async {
        let fields = serde_json::json!({ "name": "new", "schema": "s" });
        create(&server, &fields).await;
        let writer = hold(&server, "new").await;
        holder.ask("COMMIT").await.unwrap();
        writer
    };
    let (_, mut writer) = tokio::join!(schema.run(&["ALTER TABLE t ADD COLUMN c"]), meanwhile);
    let started = Instant::now();
    assert_eq!(on(&server, "new").run(&["SELECT count(*) FROM held"]).await, "0");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    writer.ask("COMMIT").await.unwrap();
    assert_eq!(on(&server, "new").run(&["SELECT count(c) FROM t"]).await, "0");
    check_alike(&server, &["s", "a", "new"]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_children_that_nobody_had_open_do_not_wait_for_a_long_migration() {
    const CHILDREN: [&str; 3] = ["a", "b", "c"];
    let server = start().await;
    let tables = ["CREATE TABLE t (n)", "INSERT INTO t VALUES (1)"];
    family(&server, "s", &CHILDREN, &tables).await;
    for child in CHILDREN {
        on(&server, child).run(&["INSERT INTO t VALUES (2)"]).await;
    }
    let server = server.restart().await;
    let long =
        ["UPDATE t SET n = n + (SELECT max(x) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL \
                SELECT x + 1 FROM c WHERE x < 300000) SELECT x FROM c))"];
    let started = Instant::now();
    let read = async {
        eventually(async || !catalog(&server).unfinished_jobs().unwrap().is_empty()).await;
        let mut longest = Duration::ZERO;
        for child in CHILDREN {
            let asked = Instant::now();
            on(&server, child).run(&["SELECT count(*) FROM t"]).await;
            longest = longest.max(asked.elapsed());
        }
        assert!(!catalog(&server).unfinished_jobs().unwrap().is_empty(), "it is over");
        longest
    };
    let schema = on(&server, "s");
    let (_, longest) = tokio::join!(schema.run(&long), read);
    // It does the same eight times; nobody waits for as much as one of these.
    let once = started.elapsed() / 8;
    assert!(longest < once, "{longest:?} of {once:?}");
    assert_eq!(on(&server, "c").run(&["SELECT max(n) FROM t"]).await, "300002");
    server.stop().await;
}

/// A command of the owner writes the catalog for a moment, in a process of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_waits_for_who_writes_the_catalog() {
    let server = start().await;
    family(&server, "s", &["a"], &TABLES).await;
    let command = catalog_elsewhere(&server);
    command.execute_batch("BEGIN IMMEDIATE").unwrap();
    let end = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        command.execute_batch("COMMIT").unwrap();
    };
    let schema = on(&server, "s");
    tokio::join!(schema.run(&["ALTER TABLE t ADD COLUMN c"]), end);
    check_alike(&server, &["s", "a"]).await;
    server.stop().await;
}
