//! Failures after good dry runs: retried, told, settled by the owner.

use hranad::catalog::{Settings, Status};

use super::client::{Outcome, on};
use super::estate::record;
use super::family::{
    catalog, check_alike, delete, elsewhere, family, hold, newest_job, start, task, tried,
};
use crate::harness::{TestServer, eventually};

const ALL: [&str; 4] = ["s", "a", "b", "c"];
const TABLES: [&str; 2] = ["CREATE TABLE t (n)", "CREATE TABLE held (text)"];

/// Has a migration fail in the child `b`, into which something comes behind its dry run.
async fn fail_in_run(server: &TestServer) -> Outcome {
    family(server, "s", &ALL[1..], &TABLES).await;
    let mut holder = hold(server, "c").await;
    let spoil = async {
        tried(server, &["a", "b"]).await;
        elsewhere(server, "b").execute_batch("INSERT INTO t VALUES (1), (1)").unwrap();
        holder.ask("COMMIT").await.unwrap();
    };
    let schema = on(server, "s");
    tokio::join!(schema.attempt(&["CREATE UNIQUE INDEX u ON t (n)"]), spoil).0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_told_locks_nobody_and_can_be_tried_again() {
    let server = start().await;
    let refusal = fail_in_run(&server).await.unwrap_err();
    let job = newest_job(&server);
    assert_eq!(refusal.code, "SCHEMA_MIGRATION_ERROR");
    let expected = format!(
        "migration failed: database `b`: step 1: SQLite error: UNIQUE constraint failed: t.n; \
         2 of 3 children have it, see `hranad jobs show {}`",
        job.id
    );
    assert_eq!(refusal.message, expected);
    assert_eq!(job.status, Status::RunFailure);
    let failed = task(&server, job.id, "b");
    assert_eq!((failed.status, failed.attempts), (Status::RunFailure, 5));
    assert!(failed.error.unwrap().contains("UNIQUE constraint failed"));
    let index = "SELECT count(*) FROM sqlite_schema WHERE name = 'u'";
    for (name, count) in [("s", "0"), ("a", "1"), ("b", "0"), ("c", "1")] {
        assert_eq!(on(&server, name).run(&[index]).await, count, "{name}");
    }
    for name in ["a", "b", "c"] {
        on(&server, name).run(&["INSERT INTO t VALUES (5)"]).await;
    }
    let refusal = on(&server, "s").attempt(&["CREATE TABLE more (x)"]).await.unwrap_err();
    let command = format!("`hranad jobs retry {}`", job.id);
    assert!(refusal.message.contains(&command), "{refusal:?}");

    on(&server, "b").run(&["DELETE FROM t WHERE n = 1"]).await;
    catalog(&server).retry_job(job.id).unwrap();
    eventually(async || newest_job(&server).status == Status::RunSuccess).await;
    check_alike(&server, &ALL).await;
    on(&server, "s").run(&["CREATE TABLE more (x)"]).await;
    check_alike(&server, &ALL).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_can_be_given_up_and_goes_on_without_a_deleted_child() {
    let server = start().await;
    fail_in_run(&server).await.unwrap_err();
    catalog(&server).cancel_job(newest_job(&server).id).unwrap();
    // Those that have the index of the job that was given up keep it, and take over what comes next.
    on(&server, "s").run(&["CREATE TABLE more (x)"]).await;
    for name in ALL {
        assert_eq!(on(&server, name).run(&["SELECT count(*) FROM more"]).await, "0", "{name}");
    }
    server.stop().await;

    let server = start().await;
    fail_in_run(&server).await.unwrap_err();
    delete(&server, "b").await;
    catalog(&server).retry_job(newest_job(&server).id).unwrap();
    eventually(async || newest_job(&server).status == Status::RunSuccess).await;
    check_alike(&server, &["s", "a", "c"]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cancels_before_the_run_has_changed_nothing() {
    let server = start().await;
    family(&server, "s", &ALL[1..], &TABLES).await;
    let mut holder = hold(&server, "c").await;
    let cancel = async {
        tried(&server, &["a", "b"]).await;
        catalog(&server).cancel_job(newest_job(&server).id).unwrap();
        holder.ask("COMMIT").await.unwrap();
    };
    let schema = on(&server, "s");
    let (outcome, ()) = tokio::join!(schema.attempt(&["CREATE TABLE more (x)"]), cancel);
    let refusal = outcome.unwrap_err();
    assert!(refusal.message.contains("was cancelled by its owner; 0 of 3"), "{refusal:?}");
    let tables = "SELECT count(*) FROM sqlite_schema";
    for name in ALL {
        assert_eq!(on(&server, name).run(&[tables]).await, "2", "{name}");
    }
    schema.run(&["CREATE TABLE more (x)"]).await;
    check_alike(&server, &ALL).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn children_that_wait_for_their_run_are_still_locked_after_a_restart() {
    let flags = ["--write-wait", "0.5"];
    let server = start().await;
    family(&server, "s", &ALL[1..], &TABLES).await;
    let schema = record(&catalog(&server), "s").id;
    let settings = Settings { canaries: 1, ..Settings::default() };
    catalog(&server).configure_database(schema, &settings).unwrap();
    let mut holder = hold(&server, "c").await;
    // The first child is held by somebody else when its run comes, and the others wait for it.
    let other = elsewhere(&server, "a");
    let client = on(&server, "s");
    let stuck = async {
        tried(&server, &["a", "b"]).await;
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        holder.ask("COMMIT").await.unwrap();
        eventually(async || newest_job(&server).status == Status::WaitingRun).await;
    };
    tokio::select! {
        outcome = client.attempt(&["ALTER TABLE t ADD COLUMN c"]) => panic!("{outcome:?}"),
        () = stuck => {}
    }
    let server = server.restart_with(&flags).await;
    assert_eq!(on(&server, "b").run(&["SELECT count(*) FROM t"]).await, "0");
    let refusal = on(&server, "b").attempt(&["INSERT INTO t VALUES (1)"]).await.unwrap_err();
    assert_eq!(refusal.code, "MIGRATION_RUNNING", "{refusal:?}");
    assert_eq!(newest_job(&server).status, Status::WaitingRun);
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    eventually(async || newest_job(&server).status == Status::RunSuccess).await;
    on(&server, "b").run(&["INSERT INTO t (c) VALUES (1)"]).await;
    check_alike(&server, &ALL).await;
    server.stop().await;
}
