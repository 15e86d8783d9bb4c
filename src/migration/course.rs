//! One job from its first step to its end.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use uuid::Uuid;

use super::Migrator;
use super::state::{self, Action};
use super::task::Lock;
use super::workers::{self, Phase};
use crate::catalog::{Job, Status, Task};
use crate::error::Result;
use crate::limits;
use crate::namespace::Namespace;
use crate::sqlite::{
    Change, Connection, Durability, Migration, MigrationFailure, MigrationTurn, Sharing, block,
};

/// How a course has ended.
pub(super) enum End {
    Success,
    /// Why the job has failed.
    Failure(String),
    /// The server stops; the job is not at its end.
    Stopped,
}

/// What all who work on a job share.
pub(super) struct Shared {
    pub(super) migrator: Arc<Migrator>,
    pub(super) job: i64,
    pub(super) is_rolling: bool,
    pub(super) schema: Uuid,
    pub(super) migration: Arc<Migration>,
    /// The children that are locked.
    locks: Mutex<HashMap<Uuid, Lock>>,
}

/// A job that is being worked on.
pub(super) struct Course {
    shared: Arc<Shared>,
    job: Job,
    schema: Arc<Namespace>,
    /// Children not in use, which are left for when they are.
    deferred: HashSet<Uuid>,
    /// Locks the schema database to other migrations.
    _turn: MigrationTurn,
}

impl Course {
    pub(super) fn new(
        migrator: &Arc<Migrator>,
        job: Job,
        schema: Arc<Namespace>,
        change: &Change,
        turn: MigrationTurn,
    ) -> Self {
        let shared = Shared {
            migrator: Arc::clone(migrator),
            job: job.id,
            is_rolling: job.is_rolling,
            schema: job.schema,
            migration: Arc::new(Migration::new(job.id, change)),
            locks: Mutex::default(),
        };
        Course { shared: Arc::new(shared), job, schema, deferred: HashSet::new(), _turn: turn }
    }

    pub(super) fn job_id(&self) -> i64 {
        self.job.id
    }

    fn migrator(&self) -> &Arc<Migrator> {
        &self.shared.migrator
    }

    /// Goes as far as it can. An error is one of the catalog: the job can go on when that is mended.
    pub(super) async fn take(mut self) -> Result<End> {
        if self.job.status == Status::WaitingDryRun
            && let Err(why) = self.try_schema().await
        {
            return self.end(Status::DryRunFailure, Some(why));
        }
        loop {
            if self.migrator().is_stopped() {
                return Ok(End::Stopped);
            }
            let catalog = Arc::clone(&self.migrator().catalog);
            let id = self.job.id;
            let counts = block(|| catalog.task_counts(id))?;
            let deferred = self.count_deferred()?;
            match state::next(&self.job, &counts, deferred) {
                Action::DryRun => {
                    let tasks = block(|| catalog.tasks_with(id, Status::WaitingDryRun))?;
                    workers::work(&self.shared, Phase::DryRun, tasks).await?;
                }
                Action::BeginRun => block(|| catalog.begin_run(id))?,
                Action::Run { count } => self.run(count).await?,
                Action::RunSchema => match self.run_schema().await {
                    Ok(()) => return self.end(Status::RunSuccess, None),
                    Err(why) => return self.end(Status::RunFailure, Some(why)),
                },
                Action::End(status) => {
                    let why = self.reason(status)?;
                    return self.end(status, Some(why));
                }
                Action::Nothing => return Ok(End::Success),
            }
            if let Some(job) = block(|| catalog.job(id))? {
                self.job = job;
            }
        }
    }

    /// Locks the children that wait for their run: what was found out in a dry run has to stay true.
    pub(super) async fn lock_waiting(&self) {
        if self.job.is_rolling || !self.job.status.is_of_run() {
            return;
        }
        let tasks = block(|| self.migrator().catalog.tasks_with(self.job.id, Status::WaitingRun));
        for task in tasks.unwrap_or_default() {
            // One that is gone, or cannot be locked, is found to be so when its turn comes.
            if let Ok(lock) = self.shared.take_lock(&task).await {
                self.shared.lock_locks().insert(task.database, lock);
            }
        }
    }

    /// How many children that wait are left for later. One that was left may be gone.
    fn count_deferred(&self) -> Result<u64> {
        if self.deferred.is_empty() {
            return Ok(0);
        }
        let tasks = block(|| self.migrator().catalog.tasks_with(self.job.id, Status::WaitingRun))?;
        let count = tasks.iter().filter(|task| self.deferred.contains(&task.database)).count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Makes the change in children that wait for it; those that have failed before wait a little first.
    async fn run(&mut self, count: Option<u64>) -> Result<()> {
        let tasks = block(|| self.migrator().catalog.tasks_with(self.job.id, Status::WaitingRun))?;
        if self.job.is_rolling {
            let namespaces = &self.shared.migrator.namespaces;
            let is_cold = |task: &&Task| !namespaces.is_in_use(&task.name);
            self.deferred.extend(tasks.iter().filter(is_cold).map(|task| task.database));
        }
        let tasks: Vec<_> =
            tasks.into_iter().filter(|task| !self.deferred.contains(&task.database)).collect();
        let attempts = tasks.iter().map(|task| task.attempts).min().unwrap_or(0);
        if attempts > 0 {
            sleep(pause(attempts)).await;
        }
        let count = count.and_then(|count| usize::try_from(count).ok());
        let tasks: Vec<_> = tasks.into_iter().take(count.unwrap_or(usize::MAX)).collect();
        let together = Durability::CAN_BE_LATER
            && !self.job.is_rolling
            && tasks.len() >= limits::CHILDREN_SYNCED_TOGETHER_MIN;
        let durability = if together { Durability::Later } else { Durability::AtOnce };
        workers::work(&self.shared, Phase::Run(durability), tasks).await
    }

    /// Tries the change in the schema database, where the rehearsal did not look at foreign keys.
    async fn try_schema(&self) -> Result<(), String> {
        let migrations = [Arc::clone(&self.shared.migration)];
        self.with_schema(|connection| connection.try_migrations(&migrations)).await.map_err(|why| {
            format!(
                "migration dry run failed: the schema database `{}` itself: {why}; nothing was changed anywhere",
                self.schema.name()
            )
        })
    }

    /// Does something with the schema database.
    async fn with_schema<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, MigrationFailure>,
    ) -> Result<T, String> {
        let database = self.schema.database();
        let work = || -> Result<T, MigrationFailure> {
            let namespaces = &self.migrator().namespaces;
            let opened = namespaces.connect_for_migration(&self.schema, Sharing::Shared);
            let fail = |error| MigrationFailure { job: self.job.id, step: None, error };
            work(&mut opened.map_err(fail)?)
        };
        let outcome = database.executor().run(work).await.map_err(|error| error.to_string())?;
        outcome.map_err(|failure| describe(&failure))
    }

    /// Makes the change in the schema database.
    async fn run_schema(&self) -> Result<(), String> {
        let migrations = [Arc::clone(&self.shared.migration)];
        let mut attempts = 0;
        loop {
            let failure =
                match self.with_schema(|c| c.migrate(&migrations, Durability::AtOnce)).await {
                    Ok(version) => {
                        self.schema.set_version(version);
                        return Ok(());
                    }
                    Err(failure) => failure,
                };
            attempts += 1;
            if attempts >= limits::TASK_ATTEMPTS_MAX {
                return Err(format!(
                    "migration failed: the schema database `{}` itself: {failure}",
                    self.schema.name()
                ));
            }
            sleep(pause(attempts)).await;
        }
    }

    /// Why the job ends so.
    fn reason(&self, status: Status) -> Result<String> {
        let catalog = &self.migrator().catalog;
        let counts = block(|| catalog.task_counts(self.job.id))?;
        if self.job.is_cancelled {
            return Ok(format!(
                "migration job {} was cancelled by its owner; {} of {} children have it",
                self.job.id,
                counts.run_success,
                counts.total()
            ));
        }
        let (failed, what) = match status {
            Status::DryRunFailure => (Status::DryRunFailure, "migration dry run failed"),
            _ => (Status::RunFailure, "migration failed"),
        };
        let tasks = block(|| catalog.tasks_with(self.job.id, failed))?;
        let first = tasks.first().map_or_else(String::new, |task| {
            let error = task.error.as_deref().unwrap_or("for an unknown reason");
            format!(": database `{}`: {error}", task.name)
        });
        let more = match tasks.len() {
            0 | 1 => String::new(),
            count => format!(" (and {} others)", count - 1),
        };
        let then = match status {
            Status::DryRunFailure => "; nothing was changed anywhere".to_owned(),
            _ => format!(
                "; {} of {} children have it, see `hranad jobs show {}`",
                counts.run_success,
                counts.total(),
                self.job.id
            ),
        };
        Ok(format!("{what}{first}{more}{then}"))
    }

    fn end(self, status: Status, why: Option<String>) -> Result<End> {
        let migrator = self.migrator();
        block(|| migrator.catalog.end_job(&self.job, status, why.as_deref()))?;
        if status == Status::RunSuccess {
            migrator.namespaces.note_schema_version(self.job.schema, self.job.id);
        }
        tracing::info!(
            "migration job {} of {}: {}",
            self.job.id,
            self.schema.name(),
            status.name()
        );
        Ok(why.map_or(End::Success, End::Failure))
    }
}

impl Shared {
    pub(super) fn lock_locks(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Lock>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait after so many failures.
fn pause(failures: u64) -> Duration {
    limits::TASK_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(16))
}

/// A failure in one database, for whoever reads it.
pub(super) fn describe(failure: &MigrationFailure) -> String {
    match failure.step {
        Some(step) => format!("step {step}: {}", failure.error),
        None => failure.error.to_string(),
    }
}
