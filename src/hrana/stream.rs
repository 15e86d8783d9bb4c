//! A stream: one SQLite connection, as a client sees it.
//!
//! Requests of both transports end here. Between requests a stream that has nothing to keep alive on its
//! connection gives it back, and takes another when it goes on.

use std::sync::Arc;

use hrana_protocol::{Batch, SqlRef, Stmt, StreamRequest, StreamResponse};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::collect::Collect;
use super::disconnect::Disconnect;
use super::sql_store::SqlStore;
use crate::auth::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::migration::Migrator;
use crate::namespace::Namespace;
use crate::sqlite::{
    Arguments, Connection, Lease, Progress, ResultPlaces, Run, RunStep, SavedSession, Script, Sink,
    Tenancy, Work, try_quickly,
};

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

    /// Executes one request. `close` is the caller's: it drops the stream.
    pub async fn handle(&mut self, request: StreamRequest) -> Result<StreamResponse> {
        self.namespace.check()?;
        Ok(match request {
            StreamRequest::Close => StreamResponse::Close,
            StreamRequest::Execute { stmt } => {
                StreamResponse::Execute { result: self.execute(stmt).await?.into_single()? }
            }
            StreamRequest::Batch { batch } => {
                StreamResponse::Batch { result: self.batch(batch).await?.into_batch() }
            }
            StreamRequest::Sequence { sql } => {
                self.sequence(sql).await?;
                StreamResponse::Sequence
            }
            StreamRequest::Describe { sql } => {
                let sql = self.sqls.resolve(sql)?;
                let described =
                    self.with_connection(|connection| connection.describe(&sql)).await?;
                let result = described?;
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
                StreamResponse::Describe { result }
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

    /// Executes a single statement, as a batch of one step.
    pub async fn execute(&mut self, stmt: Stmt) -> Result<Collect> {
        let wants_rows = stmt.want_rows.unwrap_or(true);
        let step = self.step(None, stmt)?;
        let sink = Collect::new(1, wants_rows, self.bytes_left);
        self.run_to_end(vec![step], sink).await
    }

    /// Executes a batch. Rows are collected whatever `want_rows` says: the Rust client reads the rows of
    /// RETURNING from batches in which it says that it wants none.
    pub async fn batch(&mut self, batch: Batch) -> Result<Collect> {
        let steps = self.steps(batch)?;
        let sink = Collect::new(steps.len(), true, self.bytes_left);
        self.run_to_end(steps, sink).await
    }

    /// The steps of a batch with their SQL texts found.
    pub fn steps(&self, batch: Batch) -> Result<Vec<RunStep>> {
        batch.steps.into_iter().map(|step| self.step(step.condition, step.stmt)).collect()
    }

    fn step(&self, condition: Option<hrana_protocol::BatchCond>, stmt: Stmt) -> Result<RunStep> {
        let arguments = Arguments { positional: stmt.args, named: stmt.named_args };
        Ok(RunStep { condition, sql: self.sqls.resolve(stmt.sql)?, arguments })
    }

    async fn run_to_end(&mut self, steps: Vec<RunStep>, sink: Collect) -> Result<Collect> {
        let mut run = self.start(steps, sink);
        // A collecting sink never wants a pause.
        self.drive(&mut run).await?;
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

    async fn sequence(&mut self, sql: SqlRef) -> Result<()> {
        let mut script = Script::new(&self.sqls.resolve(sql)?, self.statement_timeout());
        self.drive(&mut script).await?;
        script.finish()
    }

    fn statement_timeout(&self) -> std::time::Duration {
        self.namespace.database().engine().statement_timeout
    }

    /// Carries work to its end or to a pause; `Done` and `Paused` are what it returns.
    pub async fn drive(&mut self, work: &mut (impl Work + Send)) -> Result<Progress> {
        let outcome = self.drive_durably(work).await;
        if outcome.is_err() {
            self.abandon();
        }
        outcome
    }

    async fn drive_durably(&mut self, work: &mut (impl Work + Send)) -> Result<Progress> {
        let progress = self.drive_migrating(work).await?;
        match progress {
            Progress::Done => self.end_request(work).await?,
            Progress::Cancelled => {
                return Err(Error::new(
                    ErrorKind::StatementTimeout,
                    "the request was stopped because its client disconnected",
                ));
            }
            _ => {}
        }
        self.wait_until_durable(work.held()).await?;
        Ok(progress)
    }

    /// To be awaited before the client is told anything: what was written, and what was read of others' writing,
    /// survives a power failure then. `held` is the memory of the result.
    async fn wait_until_durable(&mut self, held: usize) -> Result<()> {
        let seen = self.connection.as_ref().map_or(0, |connection| connection.commits_seen());
        let commits = Arc::clone(self.namespace.database().commits());
        if commits.is_durable(seen) {
            return Ok(());
        }
        // Others may go on meanwhile.
        self.places.release(held);
        self.give_back();
        commits.ask_quickly();
        commits.wait(seen).await
    }

    /// Drives work, and makes migrations of what it has changed in a schema database.
    async fn drive_migrating(&mut self, work: &mut (impl Work + Send)) -> Result<Progress> {
        loop {
            let progress = self.try_drive(work).await?;
            if progress != Progress::Migrate {
                return Ok(progress);
            }
            let was_implicit = self.is_in_implicit_rehearsal();
            let outcome = self.migrate().await;
            let Some(connection) = &mut self.connection else { return Err(no_connection()) };
            connection.conclude_rehearsal(outcome.is_ok());
            if let Err(error) = outcome {
                if was_implicit {
                    work.revoke(&error);
                }
                let executor = self.namespace.database().executor();
                executor.run(|| work.fail(connection, error)).await?;
            }
        }
    }

    /// At the end of a request: what it has changed outside a transaction becomes a migration, or is not there.
    async fn end_request(&mut self, work: &mut (impl Work + Send)) -> Result<()> {
        if self.is_in_implicit_rehearsal()
            && let Err(error) = self.migrate().await
        {
            work.revoke(&error);
        }
        Ok(())
    }

    fn is_in_implicit_rehearsal(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.is_in_implicit_rehearsal())
    }

    /// Makes a migration of what was rehearsed.
    async fn migrate(&mut self) -> Result<()> {
        let Some(connection) = &mut self.connection else { return Err(no_connection()) };
        let executor = self.namespace.database().executor();
        let (change, turn) = executor.run(|| connection.end_rehearsal()).await?.change?;
        self.migrator.migrate(&self.namespace, &change, turn).await
    }

    async fn try_drive(&mut self, work: &mut (impl Work + Send)) -> Result<Progress> {
        while self.places.try_take() {
            match try_quickly(self.connect().await?, work)? {
                progress @ (Progress::Done | Progress::Paused) => return Ok(progress),
                Progress::NeedsTurn => self.wait_for_turn(work).await?,
                _ => break,
            }
        }
        self.disconnect.before_blocking().await;
        let namespace = Arc::clone(&self.namespace);
        self.connect().await?;
        match &mut self.connection {
            Some(connection) => {
                let executor = namespace.database().executor();
                executor.drive(connection, work, &mut self.places).await
            }
            None => Err(no_connection()),
        }
    }

    /// Waits for the right to write; a stream outside a transaction needs nothing else meanwhile.
    async fn wait_for_turn(&mut self, work: &mut (impl Work + Send)) -> Result<()> {
        if let Some(connection) = &mut self.connection {
            work.put_off(connection);
        }
        self.places.release(work.held());
        self.give_back();
        let namespace = Arc::clone(&self.namespace);
        let turn = namespace.database().write_turn().take().await;
        let connection = self.connect().await?;
        match turn {
            Ok(turn) => connection.hold_turn(turn),
            Err(error) => work.fail(connection, error),
        }
        Ok(())
    }

    async fn with_connection<T>(&mut self, work: impl FnOnce(&mut Connection) -> T) -> Result<T> {
        self.disconnect.before_blocking().await;
        self.places.take().await;
        let namespace = Arc::clone(&self.namespace);
        let connection = self.connect().await?;
        let outcome = namespace.database().executor().run(|| work(connection)).await?;
        self.wait_until_durable(0).await?;
        Ok(outcome)
    }

    /// The connection of the stream; takes an idle one or opens one if it has none.
    async fn connect(&mut self) -> Result<&mut Connection> {
        if self.connection.is_none() {
            if self.namespace.is_behind() {
                self.disconnect.before_blocking().await;
                self.migrator.catch_up(&self.namespace).await?;
            }
            let tenancy =
                Tenancy { owner: self.id, access: self.access.clone(), session: self.session };
            let database = self.namespace.database();
            let lease = match database.connect_idle(&tenancy) {
                Some(lease) => lease,
                None => {
                    self.disconnect.before_blocking().await;
                    let open = || self.migrator.namespaces().connect(&self.namespace, &tenancy);
                    database.executor().run(open).await??
                }
            };
            self.disconnect.watch(lease.interruption());
            self.connection = Some(lease);
        }
        match &mut self.connection {
            Some(connection) => Ok(connection),
            None => Err(no_connection()),
        }
    }
}

fn no_connection() -> Error {
    Error::internal("open a connection", "it vanished")
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.disconnect.release();
    }
}
