//! Transactions on a schema database that end otherwise than with a COMMIT of what was meant.

use super::client::on;
use super::family::{check_alike, family, newest_job};
use crate::harness::TestServer;

const NAMES: [&str; 3] = ["s", "a", "b"];

async fn start() -> TestServer {
    let server = TestServer::start().await;
    family(&server, "s", &NAMES[1..], &["CREATE TABLE k (id UNIQUE)"]).await;
    server
}

/// The tables that all databases have.
async fn tables(server: &TestServer) -> String {
    check_alike(server, &NAMES).await;
    let sql = "SELECT group_concat(name, ' ' ORDER BY name) FROM sqlite_schema WHERE sql NOT NULL";
    on(server, "b").run(&[sql]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_where_nothing_has_begun_lets_nothing_escape() {
    let server = start().await;
    let schema = on(&server, "s");
    let told = schema.batch(&["COMMIT", "CREATE TABLE x (a)", "INSERT INTO x VALUES (1)"]).await;
    let refusal = told[0].clone().unwrap_err();
    assert!(refusal.message.contains("no transaction is active"), "{refusal:?}");
    assert!(told[1..].iter().all(Result::is_ok), "{told:?}");
    assert_eq!(tables(&server).await, "k x");
    for name in NAMES {
        assert_eq!(on(&server, name).run(&["SELECT a FROM x"]).await, "1", "{name}");
    }

    let told = schema.batch(&["CREATE TABLE y (a)", "COMMIT", "CREATE TABLE z (a)"]).await;
    assert!(told.iter().all(Result::is_err), "{told:?}");
    assert_eq!(tables(&server).await, "k x");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn savepoints_count_inside_a_transaction_and_are_refused_outside() {
    let server = start().await;
    let schema = on(&server, "s");
    let migration = [
        "BEGIN",
        "CREATE TABLE kept (a)",
        "SAVEPOINT one",
        "CREATE TABLE undone (a)",
        "INSERT INTO kept VALUES ('undone')",
        "ROLLBACK TO one",
        "RELEASE one",
        "INSERT INTO kept VALUES ('kept')",
        "COMMIT",
    ];
    schema.run(&migration).await;
    assert_eq!(tables(&server).await, "k kept");
    assert_eq!(on(&server, "a").run(&["SELECT a FROM kept"]).await, "kept");
    let refusal = schema.attempt(&["SAVEPOINT one", "CREATE TABLE x (a)"]).await.unwrap_err();
    assert!(refusal.message.contains("a transaction begins with BEGIN"), "{refusal:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rolled_back_is_nowhere_and_makes_no_job() {
    let server = start().await;
    let job = newest_job(&server).id;
    let mut schema = on(&server, "s");
    schema.ask("BEGIN").await.unwrap();
    schema.ask("CREATE TABLE x (a)").await.unwrap();
    schema.ask("INSERT INTO x VALUES ('pending')").await.unwrap();
    assert_eq!(schema.ask("SELECT a FROM x").await.unwrap(), "pending");
    schema.ask("ROLLBACK").await.unwrap();
    assert!(schema.ask("SELECT a FROM x").await.is_err());
    assert_eq!(tables(&server).await, "k");
    assert_eq!(newest_job(&server).id, job);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_a_failure_migrates_nothing_and_each_step_says_so() {
    let server = start().await;
    let job = newest_job(&server).id;
    let steps =
        ["CREATE TABLE x (a)", "INSERT INTO missing VALUES (1)", "INSERT INTO x VALUES (1)"];
    let told = on(&server, "s").batch(&steps).await;
    let messages: Vec<_> = told.into_iter().map(|told| told.unwrap_err().message).collect();
    assert!(messages[1].contains("no such table: missing"), "{messages:?}");
    for message in [&messages[0], &messages[2]] {
        assert!(message.contains("nothing of it was migrated"), "{messages:?}");
    }
    assert_eq!(tables(&server).await, "k");
    assert_eq!(newest_job(&server).id, job);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_fails_half_way_cannot_be_committed() {
    let server = start().await;
    let mut schema = on(&server, "s");
    schema.ask("BEGIN").await.unwrap();
    schema.ask("CREATE TABLE x (a)").await.unwrap();
    assert!(schema.ask("INSERT OR FAIL INTO k VALUES (1), (2), (1)").await.is_err());
    let refusal = schema.ask("COMMIT").await.unwrap_err();
    assert!(refusal.message.contains("OR FAIL"), "{refusal:?}");
    schema.ask("ROLLBACK").await.unwrap();
    // Without a trace: what is done next is done alone.
    schema.ask("CREATE TABLE y (a)").await.unwrap();
    assert_eq!(tables(&server).await, "k y");
    assert_eq!(on(&server, "a").run(&["SELECT count(*) FROM k"]).await, "0");
    server.stop().await;
}
