//! Tables that are rebuilt, and the foreign keys of others that refer to them.

use super::client::on;
use super::family::{check_alike, elsewhere, family};
use crate::harness::TestServer;

const TABLES: [&str; 2] = [
    "CREATE TABLE owner (id INTEGER PRIMARY KEY)",
    "CREATE TABLE pet (name, owner REFERENCES owner ON DELETE CASCADE)",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_table_keeps_the_rows_that_refer_to_it() {
    let server = TestServer::start().await;
    family(&server, "s", &["a", "b"], &TABLES).await;
    let child = on(&server, "b");
    child.run(&["INSERT INTO owner VALUES (1), (2)"]).await;
    child.run(&["INSERT INTO pet VALUES ('Rex', 1), ('Tom', 2)"]).await;
    let rebuild = [
        "PRAGMA foreign_keys = OFF",
        "BEGIN",
        "CREATE TABLE owner_new (id INTEGER PRIMARY KEY, city TEXT NOT NULL DEFAULT 'Bonn')",
        "INSERT INTO owner_new (id) SELECT id FROM owner",
        "DROP TABLE owner",
        "ALTER TABLE owner_new RENAME TO owner",
        "COMMIT",
    ];
    on(&server, "s").run(&rebuild).await;
    let pets = "SELECT name, city FROM pet JOIN owner ON owner = id ORDER BY name";
    assert_eq!(child.run(&[pets]).await, "Rex|Bonn,Tom|Bonn");
    let refusal = child.attempt(&["INSERT INTO pet VALUES ('Ben', 3)"]).await.unwrap_err();
    assert!(refusal.message.contains("FOREIGN KEY constraint failed"), "{refusal:?}");
    check_alike(&server, &["s", "a", "b"]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_left_without_its_owner_fails_the_dry_run() {
    let server = TestServer::start().await;
    family(&server, "s", &["a", "b"], &TABLES).await;
    let (schema, child) = (on(&server, "s"), on(&server, "b"));
    child.run(&["INSERT INTO owner VALUES (1)"]).await;
    child.run(&["INSERT INTO pet VALUES ('Rex', 1)"]).await;
    let refusal = schema.attempt(&["DELETE FROM owner"]).await.unwrap_err();
    assert_eq!(refusal.code, "SCHEMA_MIGRATION_ERROR");
    assert!(refusal.message.contains("dry run failed: database `b`: "), "{refusal:?}");
    assert!(refusal.message.contains("table pet in row 1"), "{refusal:?}");
    assert_eq!(child.run(&["SELECT count(*) FROM owner"]).await, "1");
    child.run(&["DELETE FROM owner"]).await;

    // Only in the schema database itself.
    schema.run(&["INSERT INTO owner VALUES (7)"]).await;
    schema.run(&["INSERT INTO pet VALUES ('Mia', 7)"]).await;
    for name in ["a", "b"] {
        on(&server, name).run(&["DELETE FROM pet"]).await;
    }
    let refusal = schema.attempt(&["DELETE FROM owner"]).await.unwrap_err();
    assert!(refusal.message.contains("dry run failed: the schema database `s`"), "{refusal:?}");
    assert!(refusal.message.contains("nothing was changed anywhere"), "{refusal:?}");
    assert_eq!(child.run(&["SELECT count(*) FROM owner"]).await, "1");
    schema.run(&["BEGIN", "DELETE FROM pet", "DELETE FROM owner", "COMMIT"]).await;
    assert_eq!(child.run(&["SELECT count(*) FROM owner"]).await, "0");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_had_no_owner_before_do_not_count_and_one_more_does() {
    let server = TestServer::start().await;
    family(&server, "s", &["a", "b"], &TABLES).await;
    let (schema, child) = (on(&server, "s"), on(&server, "b"));
    elsewhere(&server, "b")
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO owner VALUES (1);
             INSERT INTO pet (rowid, name, owner) VALUES (5, 'Rex', 99), (6, 'Tom', 1), (9, 'Ben', 98)",
        )
        .unwrap();
    schema.run(&["ALTER TABLE owner ADD COLUMN city"]).await;
    let refusal = schema.attempt(&["DELETE FROM owner"]).await.unwrap_err();
    assert!(refusal.message.contains("table pet in row 6"), "{refusal:?}");
    // The rows get other numbers.
    let rebuild = [
        "BEGIN",
        "CREATE TABLE pet_new (name, owner REFERENCES owner ON DELETE CASCADE, age)",
        "INSERT INTO pet_new SELECT name, owner, 1 FROM pet ORDER BY name",
        "DROP TABLE pet",
        "ALTER TABLE pet_new RENAME TO pet",
        "COMMIT",
    ];
    schema.run(&rebuild).await;
    let pets = "SELECT name, owner, age FROM pet ORDER BY rowid";
    assert_eq!(child.run(&[pets]).await, "Ben|98|1,Rex|99|1,Tom|1|1");
    check_alike(&server, &["s", "a", "b"]).await;
    server.stop().await;
}
