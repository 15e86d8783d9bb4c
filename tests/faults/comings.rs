//! Children that come and go while a migration runs, and after it: none is refused, none is missed.

use std::time::Duration;

use hranad::catalog::{NamespaceName, Settings, Status};
use hyper::Method;
use serde_json::json;
use tokio::time::timeout;

use super::client::on;
use super::estate::record;
use super::family::{
    catalog, check_alike, create, delete, elsewhere, family, hold, newest_job, task, tried,
};
use crate::harness::{TestServer, eventually};

const TABLES: [&str; 3] =
    ["CREATE TABLE t (n)", "CREATE TABLE held (text)", "INSERT INTO t VALUES (0)"];

fn restore(server: &TestServer, name: &str) {
    assert!(catalog(server).restore_database(&NamespaceName::parse(name).unwrap()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn children_come_and_go_while_a_migration_runs() {
    let server = TestServer::start().await;
    family(&server, "s", &["a", "anew", "gone", "back", "later", "z"], &TABLES).await;
    delete(&server, "later").await;
    let mut holder = hold(&server, "z").await;
    let schema = on(&server, "s");
    let meanwhile = async {
        tried(&server, &["a", "gone", "back"]).await;
        create(&server, &json!({ "name": "new", "schema": "s" })).await;
        let seed = json!({ "type": "database", "name": "a" });
        create(&server, &json!({ "name": "copy", "seed": seed })).await;
        delete(&server, "gone").await;
        delete(&server, "anew").await;
        create(&server, &json!({ "name": "anew", "schema": "s" })).await;
        delete(&server, "back").await;
        restore(&server, "back");
        // One that is used before the migration is over.
        assert_eq!(on(&server, "copy").run(&["SELECT n FROM t"]).await, "0");
        holder.ask("COMMIT").await.unwrap();
    };
    let migration = ["BEGIN", "UPDATE t SET n = n + 1", "ALTER TABLE t ADD COLUMN c", "COMMIT"];
    let both = async { tokio::join!(schema.run(&migration), meanwhile) };
    timeout(Duration::from_secs(20), both).await.expect("the migration never ends");
    restore(&server, "later");
    restore(&server, "gone");
    let names = ["s", "a", "anew", "gone", "back", "later", "z", "new", "copy"];
    for name in names {
        assert_eq!(on(&server, name).run(&["SELECT n, c FROM t"]).await, "1|null", "{name}");
    }
    check_alike(&server, &names).await;
    schema.run(&migration[..2].iter().chain(&["COMMIT"]).copied().collect::<Vec<_>>()).await;
    for name in names {
        assert_eq!(on(&server, name).run(&["SELECT n FROM t"]).await, "2", "{name}");
    }
    server.stop().await;
}

/// Has children of `s` that nobody uses left for later.
fn set_rolling(server: &TestServer) {
    let schema = record(&catalog(server), "s").id;
    let settings = Settings { is_rolling: true, ..Settings::default() };
    catalog(server).configure_database(schema, &settings).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_nobody_uses_is_left_for_when_it_is_used() {
    let server = TestServer::start().await;
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
    let server = TestServer::start().await;
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
    let server = TestServer::start().await;
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
