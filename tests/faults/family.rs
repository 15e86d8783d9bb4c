//! A schema database and its children on a server in this process, and what is stored of their migrations.

use std::path::PathBuf;
use std::time::Duration;

use hranad::catalog::{Catalog, Job, Status, Task};
use hyper::Method;
use serde_json::{Value, json};

use super::client::{Client, on};
use super::estate::record;
use crate::harness::{TestServer, eventually};

/// Starts a server that lets a transaction rest for as long as a test on a slow machine may need.
pub(super) async fn start() -> TestServer {
    TestServer::start_with(&["--transaction-idle", "60"]).await
}

/// Creates a schema database, executes this on it, and creates its children.
pub(super) async fn family(server: &TestServer, schema: &str, children: &[&str], sqls: &[&str]) {
    create(server, &json!({ "name": schema, "is_schema": true })).await;
    for sql in sqls {
        on(server, schema).run(&[sql]).await;
    }
    for child in children {
        create(server, &json!({ "name": child, "schema": schema })).await;
    }
}

pub(super) async fn create(server: &TestServer, fields: &Value) {
    let answer = server.platform(Method::POST, "/v1/databases", fields.clone()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

pub(super) async fn delete(server: &TestServer, name: &str) {
    let path = format!("/v1/databases/{name}");
    let answer = server.platform(Method::DELETE, &path, Value::Null).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

pub(super) fn catalog(server: &TestServer) -> Catalog {
    Catalog::open(&server.directory.path().join("data")).unwrap()
}

/// The file of a database.
pub(super) fn file(server: &TestServer, name: &str) -> PathBuf {
    let id = record(&catalog(server), name).id;
    server.directory.path().join(format!("data/databases/{id}.sqlite"))
}

/// The file of a database in the hands of somebody else.
#[expect(clippy::disallowed_methods, reason = "nobody asks a server before opening its files")]
pub(super) fn elsewhere(server: &TestServer, name: &str) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(file(server, name)).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    db
}

/// The catalog in the hands of another process, a command of the owner for instance.
#[expect(clippy::disallowed_methods, reason = "the catalog is not a tenant's file")]
pub(super) fn catalog_elsewhere(server: &TestServer) -> rusqlite::Connection {
    rusqlite::Connection::open(server.directory.path().join("data/catalog.sqlite")).unwrap()
}

pub(super) fn newest_job(server: &TestServer) -> Job {
    catalog(server).jobs(None, i64::MAX, 1).unwrap().remove(0)
}

/// What a job has to do with a child, or has done.
pub(super) fn task(server: &TestServer, job: i64, child: &str) -> Task {
    let tasks = catalog(server).tasks(job, "", 100).unwrap();
    tasks.into_iter().find(|task| task.name.as_str() == child).unwrap()
}

/// Waits until the newest job has tried the change in these children.
pub(super) async fn tried(server: &TestServer, children: &[&str]) {
    let catalog = catalog(server);
    eventually(async || {
        let job = catalog.jobs(None, i64::MAX, 1).unwrap().remove(0);
        assert!(job.error.is_none(), "{job:?}");
        let tasks = catalog.tasks_with(job.id, Status::DryRunSuccess).unwrap();
        children.iter().all(|child| tasks.iter().any(|task| task.name.as_str() == *child))
    })
    .await;
}

/// Begins a transaction that writes, which a migration has to wait for.
pub(super) async fn hold<'a>(server: &'a TestServer, child: &str) -> Client<'a> {
    let mut client = on(server, child);
    client.ask("BEGIN IMMEDIATE").await.unwrap();
    client.ask("INSERT INTO held VALUES ('written meanwhile')").await.unwrap();
    client
}

/// Checks that all of these databases have the same schema and version.
pub(super) async fn check_alike(server: &TestServer, names: &[&str]) {
    let sql = "SELECT group_concat(sql, '; ' ORDER BY name) FROM sqlite_schema";
    let first = on(server, names[0]).run(&[sql]).await;
    for name in names {
        assert_eq!(on(server, name).run(&[sql]).await, first, "{name}");
        let versions = [names[0], name].map(|name| record(&catalog(server), name).schema_version);
        assert_eq!(versions[0], versions[1], "{name}");
    }
}
