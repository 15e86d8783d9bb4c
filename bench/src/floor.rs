//! The least that a server has to do for an answer: read the request, execute the cached statement right
//! there, write the same JSON, over HTTP and over WebSocket. No streams, no policy, no permits, no other database.
//!
//! It is durable as hranad is (WAL, `synchronous=FULL`), has two threads with a connection each, and lets one
//! statement write at a time. Below `/grouped` one transaction has the statements of all who wait.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use rusqlite::{Connection, Statement};
use serde::Deserialize;

use self::answer::Answer;
use crate::{Result, say};

mod answer;
mod grouped;
mod socket;

thread_local! {
    static DATABASE: RefCell<Option<Database>> = const { RefCell::new(None) };
}

/// A connection and its prepared statements. The connection lives as long as the process.
struct Database {
    connection: &'static Connection,
    statements: HashMap<String, Statement<'static>>,
}

/// Held by the statement that writes.
static WRITING: Mutex<()> = Mutex::new(());

/// Serves the file at `database`, printing the address first.
pub(crate) fn serve(database: &Path) -> Result<()> {
    open(database)?;
    let path: Arc<Path> = database.into();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let sockets = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let (http, ws) = (listener.local_addr()?, sockets.local_addr()?);
        say(&mut std::io::stdout(), &format!("floor on http://{http} ws://{ws}"));
        tokio::spawn(socket::serve(sockets, Arc::clone(&path)));
        let listener = listener.tap_io(|socket| {
            let _ = socket.set_nodelay(true);
        });
        let router = Router::new()
            .route("/health", get(async || ""))
            .route("/v2/pipeline", post(pipeline))
            .route("/grouped/v2/pipeline", post(grouped))
            .with_state(path);
        tokio::select! {
            served = axum::serve(listener, router) => served?,
            stopped = tokio::signal::ctrl_c() => stopped?,
        }
        Ok(())
    })
}

#[expect(clippy::disallowed_methods, reason = "the floor has no other module to open its file")]
pub(crate) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    Ok(connection)
}

#[derive(Deserialize)]
struct Pipeline<'a> {
    #[serde(borrow)]
    requests: Vec<Request<'a>>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Request<'a> {
    Execute {
        #[serde(borrow)]
        stmt: Stmt<'a>,
    },
    Batch {
        #[serde(borrow)]
        batch: Batch<'a>,
    },
    Close,
}

/// Its conditions are not looked at: the first failure ends the request.
#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    steps: Vec<Step<'a>>,
}

#[derive(Deserialize)]
struct Step<'a> {
    #[serde(borrow)]
    stmt: Stmt<'a>,
}

#[derive(Deserialize)]
struct Stmt<'a> {
    sql: &'a str,
    #[serde(borrow, default)]
    args: Vec<Argument<'a>>,
}

#[derive(Deserialize)]
struct Argument<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    value: &'a str,
}

async fn pipeline(State(path): State<Arc<Path>>, body: Bytes) -> Response {
    reply(with_database(&path, |database| database.respond(&body, false)))
}

async fn grouped(State(path): State<Arc<Path>>, body: Bytes) -> Response {
    reply(grouped::respond(&path, body).await)
}

fn reply(answer: Result<Vec<u8>>) -> Response {
    match answer {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Works with the connection of this thread.
fn with_database<T>(path: &Path, work: impl FnOnce(&mut Database) -> Result<T>) -> Result<T> {
    DATABASE.with_borrow_mut(|database| {
        let database = match database {
            Some(database) => database,
            None => database.insert(Database {
                connection: Box::leak(Box::new(open(path)?)),
                statements: HashMap::new(),
            }),
        };
        work(database)
    })
}

impl Database {
    fn respond(&mut self, body: &[u8], has_turn: bool) -> Result<Vec<u8>> {
        let pipeline: Pipeline<'_> = serde_json::from_slice(body)?;
        let mut answer = Answer::new();
        for request in &pipeline.requests {
            match request {
                Request::Execute { stmt } => {
                    answer.open();
                    self.execute(stmt, &mut answer, has_turn)?;
                    answer.shut();
                }
                Request::Batch { batch } => {
                    answer.open();
                    self.execute_batch(batch, &mut answer, has_turn)?;
                    answer.shut();
                }
                Request::Close => answer.close(),
            }
        }
        Ok(answer.end())
    }

    fn execute(&mut self, stmt: &Stmt<'_>, answer: &mut Answer, has_turn: bool) -> Result<()> {
        answer.begin_execute();
        self.run(stmt, answer, has_turn)?;
        answer.shut();
        Ok(())
    }

    /// Everything in one turn to write, because a batch may be a transaction.
    fn execute_batch(
        &mut self,
        batch: &Batch<'_>,
        answer: &mut Answer,
        has_turn: bool,
    ) -> Result<()> {
        let _turn = (!has_turn).then(|| WRITING.lock().unwrap_or_else(PoisonError::into_inner));
        answer.begin_batch();
        for (index, step) in batch.steps.iter().enumerate() {
            answer.separate_step(index);
            self.run(&step.stmt, answer, true)?;
        }
        answer.end_batch();
        Ok(())
    }

    fn run(&mut self, stmt: &Stmt<'_>, answer: &mut Answer, has_turn: bool) -> Result<()> {
        let connection = self.connection;
        if !self.statements.contains_key(stmt.sql) {
            self.statements.insert(stmt.sql.to_owned(), connection.prepare(stmt.sql)?);
        }
        let statement = self.statements.get_mut(stmt.sql).ok_or("the statement vanished")?;
        for (index, argument) in stmt.args.iter().enumerate() {
            match argument.kind {
                "integer" => {
                    let value: i64 = argument.value.parse()?;
                    statement.raw_bind_parameter(index + 1, value)?;
                }
                _ => statement.raw_bind_parameter(index + 1, argument.value)?,
            }
        }
        let writes = !statement.readonly();
        let turn =
            (writes && !has_turn).then(|| WRITING.lock().unwrap_or_else(PoisonError::into_inner));
        answer.begin(statement)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            answer.row(row, columns)?;
        }
        drop(rows);
        drop(turn);
        let rowid = writes.then(|| connection.last_insert_rowid());
        answer.result(if writes { connection.changes() } else { 0 }, rowid);
        Ok(())
    }
}
