//! How work is carried on: on the spot or where blocking is allowed, waiting for the turn to write, for a migration, for
//! the disk.

use std::sync::Arc;

use super::Stream;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::{Connection, Lease, Progress, Tenancy, Work};

impl Stream {
    /// Carries work to its end or to a pause; `Done` and `Paused` are what it returns.
    pub async fn drive(&mut self, work: &mut (impl Work + Send)) -> Result<Progress> {
        let outcome = match self.begin(work) {
            Ok(Some(progress @ (Progress::Done | Progress::Paused))) if self.owes_nothing() => {
                return Ok(progress);
            }
            // In a box, as it is large and few requests come to it.
            Ok(begun) => Box::pin(self.drive_durably(work, begun)).await,
            Err(error) => Err(error),
        };
        if outcome.is_err() {
            self.abandon();
        }
        outcome
    }

    /// Begins work on the spot; for most of it that is all. `None` if there is no connection at hand.
    fn begin(&mut self, work: &mut (impl Work + Send)) -> Result<Option<Progress>> {
        if self.connection.is_none() && (self.namespace.is_behind() || !self.take_idle()) {
            return Ok(None);
        }
        self.try_quickly(work).map(Some)
    }

    /// Whether nothing has to be done, or waited for, before the client is told.
    fn owes_nothing(&self) -> bool {
        !self.is_in_implicit_rehearsal() && self.is_durable()
    }

    async fn drive_durably(
        &mut self,
        work: &mut (impl Work + Send),
        begun: Option<Progress>,
    ) -> Result<Progress> {
        let progress = self.drive_migrating(work, begun).await?;
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
        if self.is_durable() {
            return Ok(());
        }
        let seen = self.commits_seen();
        let commits = Arc::clone(self.namespace.database().commits());
        // Others may go on meanwhile.
        self.places.release(held);
        self.give_back();
        commits.ask_quickly();
        commits.wait(seen).await
    }

    fn commits_seen(&self) -> u64 {
        self.connection.as_ref().map_or(0, |connection| connection.commits_seen())
    }

    fn is_durable(&self) -> bool {
        self.namespace.database().commits().is_durable(self.commits_seen())
    }

    /// Drives work, and makes migrations of what it has changed in a schema database.
    async fn drive_migrating(
        &mut self,
        work: &mut (impl Work + Send),
        mut begun: Option<Progress>,
    ) -> Result<Progress> {
        loop {
            let progress = self.try_drive(work, begun.take()).await?;
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

    async fn try_drive(
        &mut self,
        work: &mut (impl Work + Send),
        mut begun: Option<Progress>,
    ) -> Result<Progress> {
        loop {
            let mut progress = match begun.take() {
                Some(progress) => progress,
                None => {
                    self.connect().await?;
                    self.try_quickly(work)?
                }
            };
            if !matches!(progress, Progress::Done | Progress::Paused | Progress::NeedsTurn) {
                progress = self.drive_blocking(work).await?;
            }
            if progress != Progress::NeedsTurn {
                return Ok(progress);
            }
            self.wait_for_turn(work).await?;
        }
    }

    /// `Slow` also where a place for the result is to be waited for.
    fn try_quickly(&mut self, work: &mut (impl Work + Send)) -> Result<Progress> {
        match &mut self.connection {
            Some(connection) if self.places.try_take() => {
                self.namespace.database().executor().try_quickly(connection, work)
            }
            Some(_) => Ok(Progress::Slow),
            None => Err(no_connection()),
        }
    }

    async fn drive_blocking(&mut self, work: &mut (impl Work + Send)) -> Result<Progress> {
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

    pub(super) async fn with_connection<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> T,
    ) -> Result<T> {
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
            if !self.take_idle() {
                self.disconnect.before_blocking().await;
                let tenancy = self.tenancy();
                let open = || self.migrator.namespaces().connect(&self.namespace, &tenancy);
                let lease = self.namespace.database().executor().run(open).await??;
                self.take(lease);
            }
        }
        match &mut self.connection {
            Some(connection) => Ok(connection),
            None => Err(no_connection()),
        }
    }

    /// Takes a connection that is idle. Whether there is one.
    fn take_idle(&mut self) -> bool {
        let idle = self.namespace.database().connect_idle(&self.tenancy());
        idle.map(|lease| self.take(lease)).is_some()
    }

    fn take(&mut self, lease: Lease) {
        self.disconnect.watch(lease.interruption());
        self.connection = Some(lease);
    }

    fn tenancy(&self) -> Tenancy {
        Tenancy { owner: self.id, access: self.access.clone(), session: self.session }
    }
}

fn no_connection() -> Error {
    Error::internal("open a connection", "it vanished")
}
