//! One child of a job: its lock, its dry run, its run.

use std::sync::Arc;

use super::course::{Shared, describe};
use super::parse;
use super::workers::Phase;
use crate::catalog::{Status, Task, TaskOutcome};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::namespace::Namespace;
use crate::sqlite::{Migration, MigrationFailure, MigrationTurn, block};

/// A child that nobody but the job writes to.
pub(super) struct Lock {
    namespace: Arc<Namespace>,
    _turn: MigrationTurn,
}

impl Shared {
    pub(super) async fn take_lock(&self, task: &Task) -> Result<Lock> {
        let namespace = self.migrator.namespaces.of_id(task.database)?;
        let turn = namespace.database().write_turn();
        let turn = turn.take_for(self.job, namespace.database().engine().migration_wait()).await?;
        Ok(Lock { namespace, _turn: turn })
    }

    /// Does one task. Nothing, if its child is gone.
    pub(super) async fn do_task(&self, phase: Phase, task: &Task) -> Option<TaskOutcome> {
        match self.try_task(phase, task).await {
            Ok(version) => Some(TaskOutcome {
                database: task.database,
                status: match phase {
                    Phase::DryRun => Status::DryRunSuccess,
                    Phase::Run => Status::RunSuccess,
                },
                attempts: task.attempts,
                error: None,
                version,
            }),
            Err(Failure::Gone) => None,
            Err(Failure::Failed(error)) => Some(failed(phase, task, error)),
        }
    }

    async fn try_task(&self, phase: Phase, task: &Task) -> Result<Option<i64>, Failure> {
        let held = self.lock_locks().remove(&task.database);
        // A child that was deleted and restored meanwhile is not the one that was locked.
        let lock = match held.filter(|lock| lock.namespace.check().is_ok()) {
            Some(lock) => lock,
            None => self.take_lock(task).await?,
        };
        let outcome = self.work_on(phase, &lock).await;
        let is_gone = matches!(outcome, Err(Failure::Gone));
        let is_done = phase == Phase::Run && outcome.is_ok();
        if !is_done && !is_gone && !self.is_rolling {
            self.lock_locks().insert(task.database, lock);
        }
        outcome
    }

    async fn work_on(&self, phase: Phase, lock: &Lock) -> Result<Option<i64>, Failure> {
        let namespace = &lock.namespace;
        let database = namespace.database();
        let catalog = &self.migrator.catalog;
        let mut migrations = missing(catalog, namespace, &self.schema)?;
        let was_behind = !migrations.is_empty();
        migrations.push(Arc::clone(&self.migration));
        let _place = database.engine().admit_migration().await;
        let work = || -> Result<Option<i64>, Failure> {
            let mut connection = self.migrator.namespaces.connect_for_migration(namespace)?;
            let outcome = match phase {
                Phase::DryRun => connection.try_migrations(&migrations).map(|()| None),
                Phase::Run => connection.migrate(&migrations).map(Some),
            };
            let version = outcome.map_err(|failure| self.explain(&failure))?;
            if let Some(version) = version {
                namespace.set_version(version);
            }
            Ok(version)
        };
        let version = database.executor().run(work).await??;
        if let Some(version) = version.filter(|_| was_behind) {
            block(|| catalog.note_caught_up(namespace.id(), version, None))?;
        }
        Ok(version)
    }

    fn explain(&self, failure: &MigrationFailure) -> Failure {
        let why = describe(failure);
        Failure::Failed(match failure.job {
            job if job == self.job => why,
            job => format!("migration job {job}, which it has missed: {why}"),
        })
    }
}

/// The jobs that a child has missed, oldest first.
pub(super) fn missing(
    catalog: &crate::catalog::Catalog,
    namespace: &Namespace,
    schema: &uuid::Uuid,
) -> Result<Vec<Arc<Migration>>> {
    if !namespace.is_behind() {
        return Ok(Vec::new());
    }
    let scripts = block(|| catalog.scripts_after(*schema, namespace.version()))?;
    let migration =
        |(job, script): (i64, String)| Ok(Arc::new(Migration::new(job, &parse(&script)?)));
    scripts.into_iter().map(migration).collect()
}

/// Why a task was not done.
enum Failure {
    /// Its child was deleted.
    Gone,
    Failed(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::DatabaseNotFound => Failure::Gone,
            _ => Failure::Failed(error.to_string()),
        }
    }
}

/// A task that has failed, in the run phase perhaps not for good.
fn failed(phase: Phase, task: &Task, error: String) -> TaskOutcome {
    let attempts = task.attempts + 1;
    let status = match phase {
        Phase::DryRun => Status::DryRunFailure,
        Phase::Run if attempts >= limits::TASK_ATTEMPTS_MAX => Status::RunFailure,
        Phase::Run => Status::WaitingRun,
    };
    TaskOutcome { database: task.database, status, attempts, error: Some(error), version: None }
}
