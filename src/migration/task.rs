//! One child of a job: its lock, its dry run, its run.

use std::path::Path;
use std::sync::Arc;

use super::course::{Shared, describe};
use super::parse;
use super::workers::Phase;
use crate::catalog::{Status, Task, TaskOutcome};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::namespace::Namespace;
use crate::sqlite::{Durability, Migration, MigrationFailure, MigrationTurn, Sharing, block};

/// A child that nobody but the job writes to.
pub(super) struct Lock {
    namespace: Arc<Namespace>,
    _turn: MigrationTurn,
}

impl Lock {
    /// Where the child's file is.
    pub(super) fn path(&self) -> &Path {
        self.namespace.database().path()
    }
}

impl Shared {
    pub(super) async fn take_lock(&self, task: &Task) -> Result<Lock> {
        let namespace = self.migrator.namespaces.of_id(task.database)?;
        let turn = namespace.database().write_turn();
        let turn = turn.take_for(self.job, namespace.database().engine().migration_wait()).await?;
        Ok(Lock { namespace, _turn: turn })
    }

    /// Does one task. Nothing, if its child is gone.
    pub(super) async fn do_task(&self, phase: Phase, task: Task) -> Option<Done> {
        match self.try_task(phase, &task).await {
            Ok((version, held)) => Some(Done { task, outcome: Ok(version), held }),
            Err(Failure::Gone) => None,
            Err(Failure::Failed(error)) => Some(Done { task, outcome: Err(error), held: None }),
        }
    }

    async fn try_task(
        &self,
        phase: Phase,
        task: &Task,
    ) -> Result<(Option<i64>, Option<Lock>), Failure> {
        let held = self.lock_locks().remove(&task.database);
        // A child that was deleted and restored meanwhile is not the one that was locked.
        let lock = match held.filter(|lock| lock.namespace.check().is_ok()) {
            Some(lock) => lock,
            None => self.take_lock(task).await?,
        };
        match self.work_on(phase, &lock).await {
            Ok((version, Durability::Later)) => Ok((version, Some(lock))),
            Ok((version, Durability::AtOnce)) => {
                if phase == Phase::DryRun {
                    self.keep_lock(task, lock);
                }
                Ok((version, None))
            }
            Err(Failure::Gone) => Err(Failure::Gone),
            Err(failure) => {
                self.keep_lock(task, lock);
                Err(failure)
            }
        }
    }

    /// Keeps a child locked until its next turn in this job.
    pub(super) fn keep_lock(&self, task: &Task, lock: Lock) {
        if !self.is_rolling {
            self.lock_locks().insert(task.database, lock);
        }
    }

    async fn work_on(
        &self,
        phase: Phase,
        lock: &Lock,
    ) -> Result<(Option<i64>, Durability), Failure> {
        let namespace = &lock.namespace;
        let database = namespace.database();
        let catalog = &self.migrator.catalog;
        let mut migrations = missing(catalog, namespace, &self.schema)?;
        let was_behind = !migrations.is_empty();
        migrations.push(Arc::clone(&self.migration));
        let durability = match phase {
            // What it has caught up with is noted before the rest of the job.
            Phase::Run(durability) if !was_behind => durability,
            _ => Durability::AtOnce,
        };
        let _place = database.engine().admit_migration().await;
        let attempt = |sharing| -> Result<Option<i64>, Failure> {
            let namespaces = &self.migrator.namespaces;
            let mut connection = namespaces.connect_for_migration(namespace, sharing)?;
            let outcome = match phase {
                Phase::DryRun => connection.try_migrations(&migrations).map(|()| None),
                Phase::Run(_) => connection.migrate(&migrations, durability).map(Some),
            };
            outcome.map_err(|failure| self.explain(&failure))
        };
        let work = || {
            // Where nobody has the file open that costs less. Otherwise, and if it takes its time, it fails.
            let alone = attempt(Sharing::Alone);
            let version = alone.or_else(|_| attempt(Sharing::Shared))?;
            if let Some(version) = version {
                namespace.set_version(version);
            }
            Ok::<_, Failure>(version)
        };
        let version = database.executor().run(work).await??;
        if let Some(version) = version.filter(|_| was_behind) {
            block(|| catalog.note_caught_up(namespace.id(), version, None))?;
        }
        Ok((version, durability))
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

/// A task of which something has become.
pub(super) struct Done {
    pub(super) task: Task,
    /// The version that its child has now, or why not.
    pub(super) outcome: Result<Option<i64>, String>,
    /// The child, if what was done to it is not durable yet.
    pub(super) held: Option<Lock>,
}

impl Done {
    /// What is to be noted. A run that has failed has perhaps not done so for good.
    pub(super) fn note(self, phase: Phase) -> TaskOutcome {
        let Task { database, attempts, .. } = self.task;
        match self.outcome {
            Ok(version) => {
                let status = match phase {
                    Phase::DryRun => Status::DryRunSuccess,
                    Phase::Run(_) => Status::RunSuccess,
                };
                TaskOutcome { database, status, attempts, error: None, version }
            }
            Err(error) => {
                let attempts = attempts + 1;
                let status = match phase {
                    Phase::DryRun => Status::DryRunFailure,
                    Phase::Run(_) if attempts >= limits::TASK_ATTEMPTS_MAX => Status::RunFailure,
                    Phase::Run(_) => Status::WaitingRun,
                };
                TaskOutcome { database, status, attempts, error: Some(error), version: None }
            }
        }
    }
}
