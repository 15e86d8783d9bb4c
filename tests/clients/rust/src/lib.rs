//! The crate `libsql` 0.10.0 with a remote database, which is version 3 of Hrana: what it writes and reads.
//! Here is also the server that the environment describes, and databases on it that no other test uses.

#![cfg(test)]

mod connections;
mod statements;

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};

use hyper::client::HttpConnector;
use hyper::{Body, Client, Request, StatusCode, body};
use libsql::params::IntoParams;
use libsql::{Builder, Connection, Database, Value};

/// A database in which the transactions of others are seen only when they are committed.
pub(crate) struct Fresh {
    pub(crate) database: Database,
    pub(crate) connection: Connection,
}

fn required(name: &str) -> String {
    let message = "is not set; these tests are started by `cargo test clients`";
    env::var(name).unwrap_or_else(|_| panic!("{name} {message}"))
}

/// Creates a database and tells the URL that clients use.
async fn create_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = required("HRANAD_URL");
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("rust-{}-{count}", std::process::id());
    let request = Request::post(format!("{server}/v1/databases"))
        .header("authorization", format!("Bearer {}", required("HRANAD_API_TOKEN")))
        .body(Body::from(format!(r#"{{"name":"{name}","group":"default"}}"#)))
        .unwrap();
    let answer = Client::new().request(request).await.unwrap();
    let status = answer.status();
    let body = body::to_bytes(answer.into_body()).await.unwrap();
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    format!("{server}/db/{name}")
}

/// Without the feature `tls` the client has to be given the way to connect.
pub(crate) async fn open(url: String) -> Database {
    let builder = Builder::new_remote(url, String::new());
    builder.connector(HttpConnector::new()).build().await.unwrap()
}

/// A new database, in which `schema` has been executed.
pub(crate) async fn fresh(schema: &str) -> Fresh {
    let database = open(create_database().await).await;
    let connection = database.connect().unwrap();
    connection.execute_batch(schema).await.unwrap();
    Fresh { database, connection }
}

impl Fresh {
    pub(crate) fn connect(&self) -> Connection {
        self.database.connect().unwrap()
    }
}

/// The first column of all rows.
pub(crate) async fn column(
    connection: &Connection,
    sql: &str,
    params: impl IntoParams,
) -> Vec<Value> {
    let mut rows = connection.query(sql, params).await.unwrap();
    let mut values = Vec::new();
    while let Some(row) = rows.next().await.unwrap() {
        values.push(row.get_value(0).unwrap());
    }
    values
}

pub(crate) fn integers(values: impl IntoIterator<Item = i64>) -> Vec<Value> {
    values.into_iter().map(Value::Integer).collect()
}

/// The error has this code, and a message like this. The crate gives both only as a text.
#[track_caller]
pub(crate) fn fails<T>(result: libsql::Result<T>, code: &str, message: &str) {
    let error = result.err().expect("an error").to_string();
    assert!(error.contains(code) && error.contains(message), "{error}");
}
