//! How work is carried on: on the spot or where blocking is allowed, waiting for the turn to write, for a migration, for
//! the disk.

use std::sync::Arc;

use super::Stream;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::{Connection, Progress, Tenancy, Work, try_quickly};

impl Stream {
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
        if self.namespace.database().commits().is_durable(seen) {
            return Ok(());
        }
        let commits = Arc::clone(self.namespace.database().commits());
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
        loop {
            let progress = self.try_drive_quickly(work).await?;
            let progress = match progress {
                Some(progress) => progress,
                None => self.drive_blocking(work).await?,
            };
            if progress != Progress::NeedsTurn {
                return Ok(progress);
            }
            self.wait_for_turn(work).await?;
        }
    }

    /// `None` if the work has to be done where blocking is allowed.
    async fn try_drive_quickly(
        &mut self,
        work: &mut (impl Work + Send),
    ) -> Result<Option<Progress>> {
        if !self.places.try_take() {
            return Ok(None);
        }
        let progress = try_quickly(self.connect().await?, work)?;
        let is_answer = matches!(progress, Progress::Done | Progress::Paused | Progress::NeedsTurn);
        Ok(is_answer.then_some(progress))
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
