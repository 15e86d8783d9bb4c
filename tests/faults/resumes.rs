//! Jobs that go on by themselves although something is missing or in the way, or that say what it is.

use std::fs;
use std::time::Duration;

use hranad::catalog::Status;

use super::client::on;
use super::crashes::migrate_until;
use super::estate::{CHILDREN, Estate, SCHEMA, query, record};
use super::family::{
    catalog, catalog_elsewhere, check_alike, family, hold, newest_job, start, tried,
};
use super::points::Death;
use crate::harness::eventually;
use crate::program::Program;

/// Starts the program after it has died in a migration, without the file of one database, and then with it.
fn resume_without(name: &str, death: Death) {
    let estate = Estate::new();
    assert!(!migrate_until(&estate, death));
    let path =
        estate.data_dir().join(format!("databases/{}.sqlite", record(&estate.catalog(), name).id));
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).unwrap();

    let server = Program::start(&estate.data_dir());
    let ask = |name: &str, sql| query(server.address(), name, sql).unwrap().unwrap();
    let wait_for_end = || {
        for _ in 0..3000 {
            if estate.catalog().unfinished_jobs().unwrap().is_empty() {
                return estate.catalog().jobs(None, i64::MAX, 1).unwrap().remove(0);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the job does not come to its end");
    };
    let job = wait_for_end();
    assert!(job.error.unwrap().contains(&format!("database `{name}`")), "{name} {death:?}");
    for other in [CHILDREN[0], "other"] {
        ask(other, "INSERT INTO log VALUES ('written meanwhile')");
    }
    fs::rename(&aside, &path).unwrap();
    let times = match job.status {
        Status::RunFailure => {
            estate.catalog().retry_job(job.id).unwrap();
            assert_eq!(wait_for_end().status, Status::RunSuccess);
            1
        }
        status => {
            assert_eq!(status, Status::DryRunFailure);
            0
        }
    };
    ask(SCHEMA, "CREATE TABLE next (a)");
    estate.check(&server, times);
}

#[test]
fn a_migration_resumed_without_a_file_stops_neither_the_server_nor_the_others() {
    // Before its dry runs are noted, and when it has begun to run.
    for at in [2, 4] {
        for name in [SCHEMA, CHILDREN[3]] {
            resume_without(name, Death { kind: "commit", at });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_could_not_be_noted_goes_on_when_it_can() {
    let server = start().await;
    family(&server, "s", &["a", "b"], &["CREATE TABLE t (n)", "CREATE TABLE held (text)"]).await;
    let mut holder = hold(&server, "b").await;
    let schema = on(&server, "s");
    let other = catalog_elsewhere(&server);
    let meanwhile = async {
        tried(&server, &["a"]).await;
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        holder.ask("COMMIT").await.unwrap();
    };
    let migration = ["BEGIN", "INSERT INTO t VALUES (1)", "ALTER TABLE t ADD COLUMN c", "COMMIT"];
    let (outcome, ()) = tokio::join!(schema.attempt(&migration), meanwhile);
    let refusal = outcome.unwrap_err();
    assert_eq!(refusal.code, "MIGRATION_RUNNING");
    assert!(refusal.message.contains("it goes on by itself"), "{refusal:?}");
    other.execute_batch("COMMIT").unwrap();
    eventually(async || newest_job(&server).status == Status::RunSuccess).await;
    assert!(catalog(&server).unfinished_jobs().unwrap().is_empty());
    assert_eq!(on(&server, "b").run(&["SELECT n, c FROM t"]).await, "1|null");
    check_alike(&server, &["s", "a", "b"]).await;
    server.stop().await;
}
