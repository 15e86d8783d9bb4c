//! A stream: one SQLite connection, as a client sees it.
//!
//! Requests of both transports end here. Between requests a stream that has nothing to keep alive on its
//! connection gives it back, and takes another when it goes on.

mod drive;

use std::sync::Arc;

use hrana_protocol::{
    Batch, DescribeResult, Encoding, SqlRef, Stmt, StreamRequest, StreamResponse,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::collect::Collect;
use super::disconnect::Disconnect;
use super::sql_store::SqlStore;
use crate::auth::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::migration::Migrator;
use crate::namespace::Namespace;
use crate::sqlite::{Arguments, Lease, ResultPlaces, Run, RunStep, SavedSession, Script, Sink};

/// A database in the hands of one client. Bound to the rights it was opened with.
pub struct Stream {
    migrator: Arc<Migrator>,
    namespace: Arc<Namespace>,
    access: Access,
    /// Its id in the table of streams, once it is there.
    id: u64,
    connection: Option<Lease>,
    session: SavedSession,
    sqls: SqlStore,
    disconnect: Disconnect,
    /// Results that the request in progress may still add.
    bytes_left: usize,
    places: ResultPlaces,
}

impl Stream {
    pub fn open(migrator: Arc<Migrator>, namespace: Arc<Namespace>, access: Access) -> Self {
        Stream {
            migrator,
            namespace,
            access,
            id: 0,
            connection: None,
            session: SavedSession::NEW,
            sqls: SqlStore::default(),
            disconnect: Disconnect::default(),
            bytes_left: limits::RESPONSE_BYTES_MAX,
            places: ResultPlaces::default(),
        }
    }

    /// Bounds the large results of all streams that share these places.
    pub(super) fn share_places(&mut self, all: Arc<Semaphore>) {
        self.places = ResultPlaces::of(all);
    }

    /// The place that is taken for the result of the request in progress.
    pub(super) fn hand_over_place(&mut self) -> Option<OwnedSemaphorePermit> {
        self.places.hand_over()
    }

    pub fn namespace(&self) -> &Arc<Namespace> {
        &self.namespace
    }

    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Prepares for a request that ends early when `disconnect` says so.
    pub fn begin_request(&mut self, disconnect: Disconnect) {
        if let Some(connection) = &self.connection {
            disconnect.watch(connection.interruption());
        }
        self.disconnect = disconnect;
        self.bytes_left = limits::RESPONSE_BYTES_MAX;
    }

    /// Gives the connection back if another one can continue for it. Returns whether that is so.
    pub fn park(&mut self, id: u64) -> bool {
        self.id = id;
        self.give_back();
        self.disconnect.release();
        self.connection.is_none()
    }

    fn give_back(&mut self) {
        if let Some(connection) = self.connection.take_if(|connection| connection.is_clean()) {
            self.disconnect.release();
            self.session = connection.save_session();
            connection.return_from(self.id);
        }
    }

    /// Sets the texts that the next request may name: those of a session belong to the session.
    pub(super) fn set_texts(&mut self, texts: SqlStore) {
        self.sqls = texts;
    }

    /// Memory that the results of the request in progress occupy.
    pub fn result_bytes(&self) -> usize {
        limits::RESPONSE_BYTES_MAX - self.bytes_left
    }

    /// Counts what a request has as its result besides what this stream knows of.
    pub(super) fn count_result(&mut self, bytes: usize) {
        self.bytes_left = limits::RESPONSE_BYTES_MAX.saturating_sub(bytes);
    }

    /// Whether the client of the request in progress has gone; the stream must not be used again.
    pub fn is_abandoned(&self) -> bool {
        self.disconnect.has_gone()
    }

    /// Ends an execution that will not be continued.
    pub fn abandon(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.abandon();
        }
    }

    pub fn is_in_transaction(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| !connection.is_autocommit())
    }

    /// Memory that the stream needs while it is parked, besides its own size.
    pub fn stored_bytes(&self) -> usize {
        self.sqls.bytes()
    }

    /// Executes one request, for a message of that encoding. `close` is the caller's: it drops the stream. What few ask
    /// for is in a box: futures are moved about, and those of more than a kibibyte are dear to allocate.
    pub async fn handle(
        &mut self,
        request: StreamRequest,
        encoding: Encoding,
    ) -> Result<StreamResponse> {
        self.namespace.check()?;
        let encoding = Some(encoding);
        Ok(match request {
            StreamRequest::Close => StreamResponse::Close,
            StreamRequest::Execute { stmt } => StreamResponse::Execute {
                result: self.execute(stmt, encoding).await?.into_single()?,
            },
            StreamRequest::Batch { batch } => {
                StreamResponse::Batch { result: self.batch(batch, encoding).await?.into_batch() }
            }
            StreamRequest::Sequence { sql } => {
                Box::pin(self.sequence(sql)).await?;
                StreamResponse::Sequence
            }
            StreamRequest::Describe { sql } => {
                StreamResponse::Describe { result: Box::pin(self.describe(sql)).await? }
            }
            StreamRequest::StoreSql { sql_id, sql } => {
                self.sqls.store(sql_id, sql)?;
                StreamResponse::StoreSql
            }
            StreamRequest::CloseSql { sql_id } => {
                self.sqls.close(sql_id);
                StreamResponse::CloseSql
            }
            StreamRequest::GetAutocommit => {
                StreamResponse::GetAutocommit { is_autocommit: !self.is_in_transaction() }
            }
        })
    }

    /// Executes a single statement, as a batch of one step. Its rows are encoded for messages of that encoding, or left
    /// as values.
    pub async fn execute(&mut self, stmt: Stmt, encoding: Option<Encoding>) -> Result<Collect> {
        let wants_rows = stmt.want_rows.unwrap_or(true);
        let steps = vec![self.step(None, stmt)?];
        self.run_to_end(self.collecting(steps, wants_rows, encoding)).await
    }

    /// Executes a batch. Rows are collected whatever `want_rows` says: the Rust client reads the rows of
    /// RETURNING from batches in which it says that it wants none.
    pub async fn batch(&mut self, batch: Batch, encoding: Option<Encoding>) -> Result<Collect> {
        let steps = self.steps(batch)?;
        self.run_to_end(self.collecting(steps, true, encoding)).await
    }

    fn collecting(
        &self,
        steps: Vec<RunStep>,
        wants_rows: bool,
        encoding: Option<Encoding>,
    ) -> Box<Run<Collect>> {
        let sink = Collect::new(steps.len(), wants_rows, encoding, self.bytes_left);
        Box::new(self.start(steps, sink))
    }

    /// The steps of a batch with their SQL texts found.
    pub fn steps(&self, batch: Batch) -> Result<Vec<RunStep>> {
        batch.steps.into_iter().map(|step| self.step(step.condition, step.stmt)).collect()
    }

    fn step(&self, condition: Option<hrana_protocol::BatchCond>, stmt: Stmt) -> Result<RunStep> {
        let arguments = Arguments { positional: stmt.args, named: stmt.named_args };
        Ok(RunStep { condition, sql: self.sqls.resolve(stmt.sql)?, arguments })
    }

    /// The run is in a box for the same reason as in `handle`.
    async fn run_to_end(&mut self, mut run: Box<Run<Collect>>) -> Result<Collect> {
        // A collecting sink never wants a pause.
        self.drive(&mut *run).await?;
        self.bytes_left = run.sink.bytes_left();
        if run.sink.has_lost_errors() {
            return Err(Error::results_too_large());
        }
        Ok(run.sink)
    }

    /// A run of steps on this stream, for [`Stream::drive`].
    pub fn start<S: Sink>(&self, steps: Vec<RunStep>, sink: S) -> Run<S> {
        Run::new(steps, self.statement_timeout(), sink)
    }

    async fn describe(&mut self, sql: SqlRef) -> Result<DescribeResult> {
        let sql = self.sqls.resolve(sql)?;
        let result = self.with_connection(|connection| connection.describe(&sql)).await??;
        let names = result.cols.iter().map(|col| col.name.len());
        let size = names.map(|name| name + limits::DESCRIBED_BYTES).sum::<usize>()
            + result.params.len() * limits::DESCRIBED_BYTES;
        // Many descriptions are large together.
        self.bytes_left = self.bytes_left.checked_sub(size).ok_or_else(|| {
            Error::new(
                ErrorKind::ResponseTooLarge,
                "the descriptions of one request are too large; use several",
            )
        })?;
        Ok(result)
    }

    async fn sequence(&mut self, sql: SqlRef) -> Result<()> {
        let mut script = Script::new(&self.sqls.resolve(sql)?, self.statement_timeout());
        self.drive(&mut script).await?;
        script.finish()
    }

    fn statement_timeout(&self) -> std::time::Duration {
        self.namespace.database().engine().statement_timeout
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.disconnect.release();
    }
}
