//! Children that do not have everything of their schema database: they were left for later, were created or restored
//! meanwhile, or have failed. They take it over when they are used.

use std::sync::Arc;
use std::time::Instant;

use super::Migrator;
use super::course::describe;
use super::task::missing;
use crate::catalog::{Job, Status};
use crate::error::Result;
use crate::limits;
use crate::namespace::Namespace;
use crate::sqlite::{Durability, MigrationFailure, Sharing, block};

impl Migrator {
    /// Has a child take over what it lacks, before anybody uses it. One that cannot is used as it is, and tried again
    /// later.
    pub async fn catch_up(&self, child: &Arc<Namespace>) -> Result<()> {
        let has_failed = |failed_at: Instant| failed_at.elapsed() < limits::CATCH_UP_RETRY;
        let record = child.record();
        let Some(schema) = record.role.schema() else { return Ok(()) };
        if !child.is_behind() || child.failed_at().is_some_and(has_failed) {
            return Ok(());
        }
        let turn = child.database().write_turn();
        // A migration that is under way brings along what is missing.
        if turn.job() > child.version() {
            return Ok(());
        }
        // Who is in the middle of writing it is not to be waited for: readers would, too.
        let Ok(_turn) = turn.take_for(child.version(), limits::CATCH_UP_WAIT).await else {
            return Ok(());
        };
        // Somebody else may have done it meanwhile.
        let migrations = missing(&self.catalog, child, &schema.id)?;
        if migrations.is_empty() {
            return Ok(());
        }
        let database = child.database();
        let _place = database.engine().admit_migration().await;
        let migrate = || -> Result<(i64, Option<MigrationFailure>)> {
            let mut connection = self.namespaces.connect_for_migration(child, Sharing::Shared)?;
            let failure = connection.migrate(&migrations, Durability::AtOnce).err();
            Ok((connection.mark()?, failure))
        };
        let (version, failure) = match database.executor().run(migrate).await? {
            Ok(outcome) => outcome,
            // The file cannot even be opened; whoever uses it will be told.
            Err(error) => {
                tracing::warn!("{} cannot catch up with {}: {error}", child.name(), schema.name);
                child.set_failed_at(Some(Instant::now()));
                return Ok(());
            }
        };
        let failure = failure.map(|failure| (failure.job, describe(&failure)));
        child.set_version(version);
        child.set_failed_at(failure.is_some().then(Instant::now));
        if let Some((job, why)) = &failure {
            tracing::warn!("{} cannot take migration job {job} over: {why}", child.name());
        }
        let failure = failure.as_ref().map(|(job, why)| (*job, why.as_str()));
        block(|| self.catalog.note_caught_up(child.id(), version, failure))
    }

    /// Has the tasks of a job done again that have failed. Returns what is stored of the job then.
    pub async fn retry(self: &Arc<Self>, job: i64) -> Result<Job> {
        let job = block(|| self.catalog.retry_job(job))?;
        if job.status == Status::RunSuccess {
            for task in block(|| self.catalog.tasks_with(job.id, Status::WaitingRun))? {
                let child = self.namespaces.of_id(task.database)?;
                child.set_failed_at(None);
                self.catch_up(&child).await?;
            }
        }
        self.tend()?;
        Ok(job)
    }

    /// Has a job end where it is. Whoever works on it takes notice; where nobody does, its end is all that is left to
    /// be done. Returns what is stored of the job then.
    pub fn cancel(self: &Arc<Self>, job: i64) -> Result<Job> {
        let job = block(|| self.catalog.cancel_job(job))?;
        self.tend()?;
        Ok(job)
    }
}
