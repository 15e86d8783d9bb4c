//! Children that are left for when they are used: in rolling mode those that nobody uses.

use hranad::catalog::{Settings, Status};
use hyper::Method;

use super::client::on;
use super::estate::record;
use super::family::{
    catalog, check_alike, delete, elsewhere, family, hold, newest_job, start, task, tried,
};
use crate::harness::{TestServer, eventually};

const TABLES: [&str; 3] =
    ["CREATE TABLE t (n)", "CREATE TABLE held (text)", "INSERT INTO t VALUES (0)"];

/// Has children of `s` that nobody uses left for later.
fn set_rolling(server: &TestServer) {
    let schema = record(&catalog(server), "s").id;
    let settings = Settings { is_rolling: true, ..Settings::default() };
    catalog(server).configure_database(schema, &settings).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_nobody_uses_is_left_for_when_it_is_used() {
    let server = start().await;
    family(&server, "s", &["used", "cold"], &TABLES).await;
    set_rolling(&server);
    on(&server, "used").run(&["SELECT n FROM t"]).await;
    for sql in ["UPDATE t SET n = n + 1", "ALTER TABLE t ADD COLUMN c"] {
        on(&server, "s").run(&[sql]).await;
        let job = newest_job(&server).id;
        assert_eq!(task(&server, job, "used").status, Status::RunSuccess, "{sql}");
        assert_eq!(task(&server, job, "cold").status, Status::WaitingRun, "{sql}");
    }
    // Many want it at once, and it makes the changes once.
    let cold = on(&server, "cold");
    let read = || cold.run(&["SELECT n, c FROM t"]);
    let rows = tokio::join!(read(), read(), read(), read());
    for rows in [rows.0, rows.1, rows.2, rows.3] {
        assert_eq!(rows, "1|null");
    }
    let job = newest_job(&server).id;
    for job in [job - 1, job] {
        assert_eq!(task(&server, job, "cold").status, Status::RunSuccess);
    }
    check_alike(&server, &["s", "used", "cold"]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_was_left_for_later_is_exported_with_all_changes() {
    let server = start().await;
    family(&server, "s", &["cold"], &TABLES).await;
    set_rolling(&server);
    on(&server, "s").run(&["ALTER TABLE t ADD COLUMN c"]).await;
    let headers = [("tursocliversion", "1.0")];
    let answer = server.request(Method::GET, "/db/cold/export/1", &headers, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = String::from_utf8_lossy(&answer.body);
    assert!(text.contains("CREATE TABLE t (n, c)"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_child_that_was_left_for_later_does_not_hide_one_that_waits() {
    let server = start().await;
    family(&server, "s", &["cold", "used", "z"], &TABLES).await;
    set_rolling(&server);
    on(&server, "used").run(&["SELECT n FROM t"]).await;
    let client = on(&server, "s");
    let mut holder = hold(&server, "z").await;
    let meanwhile = async {
        // Somebody else has the file when the run comes to it, so that it fails at first.
        tried(&server, &["cold", "used"]).await;
        let other = elsewhere(&server, "used");
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        holder.ask("COMMIT").await.unwrap();
        let job = newest_job(&server).id;
        let has_failed = async |times| {
            eventually(async || task(&server, job, "used").attempts >= times).await;
        };
        has_failed(1).await;
        delete(&server, "cold").await;
        has_failed(3).await;
        other.execute_batch("COMMIT").unwrap();
    };
    tokio::join!(client.run(&["ALTER TABLE t ADD COLUMN c"]), meanwhile);
    let job = newest_job(&server).id;
    assert_eq!(task(&server, job, "used").status, Status::RunSuccess);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_cannot_catch_up_is_used_as_it_is_and_tried_again() {
    let server = start().await;
    family(&server, "s", &["used", "cold"], &TABLES).await;
    set_rolling(&server);
    on(&server, "s").run(&["CREATE UNIQUE INDEX u ON t (n)"]).await;
    let job = newest_job(&server).id;
    elsewhere(&server, "cold").execute_batch("INSERT INTO t VALUES (7), (7)").unwrap();
    let cold = on(&server, "cold");
    cold.run(&["INSERT INTO t VALUES (8)"]).await;
    assert_eq!(cold.run(&["SELECT n FROM t"]).await, "0,7,7,8");
    let failed = task(&server, job, "cold");
    assert_eq!(failed.status, Status::RunFailure);
    assert!(failed.error.unwrap().contains("UNIQUE constraint failed: t.n"));
    // It is not forgotten: what comes next needs what it has missed.
    let refusal = on(&server, "s").attempt(&["ALTER TABLE t ADD COLUMN c"]).await.unwrap_err();
    let expected = format!("database `cold`: migration job {job}, which it has missed: step 1: ");
    assert!(refusal.message.contains(&expected), "{refusal:?}");

    cold.run(&["DELETE FROM t WHERE n = 7"]).await;
    on(&server, "s").run(&["ALTER TABLE t ADD COLUMN c"]).await;
    assert_eq!(cold.run(&["SELECT n, c FROM t"]).await, "0|null,8|null");
    assert_eq!(task(&server, job, "cold").status, Status::RunSuccess);
    check_alike(&server, &["s", "used", "cold"]).await;
    server.stop().await;
}
