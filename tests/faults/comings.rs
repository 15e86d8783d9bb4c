//! Children that come and go while a migration runs, and after it: none is refused, none is missed.

use std::time::Duration;

use hranad::catalog::{NamespaceName, Status};
use serde_json::json;
use tokio::time::timeout;

use super::client::on;
use super::family::{
    catalog, check_alike, create, delete, family, hold, newest_job, start, task, tried,
};
use crate::harness::TestServer;

const TABLES: [&str; 3] =
    ["CREATE TABLE t (n)", "CREATE TABLE held (text)", "INSERT INTO t VALUES (0)"];

fn restore(server: &TestServer, name: &str) {
    assert!(catalog(server).restore_database(&NamespaceName::parse(name).unwrap()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn children_come_and_go_while_a_migration_runs() {
    let server = start().await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_is_deleted_before_its_dry_run_and_restored_later_is_told_of_as_it_is() {
    let server = TestServer::start_with(&["--transaction-idle", "0.5"]).await;
    family(&server, "s", &["a", "z"], &TABLES).await;
    let _holder = hold(&server, "z").await;
    let schema = on(&server, "s");
    let meanwhile = async {
        tried(&server, &["a"]).await;
        delete(&server, "z").await;
    };
    tokio::join!(schema.run(&["ALTER TABLE t ADD COLUMN c"]), meanwhile);
    restore(&server, "z");
    assert_eq!(on(&server, "z").run(&["SELECT n, c FROM t"]).await, "0|null");
    assert_eq!(task(&server, newest_job(&server).id, "z").status, Status::RunSuccess);
    check_alike(&server, &["s", "a", "z"]).await;
    server.stop().await;
}
