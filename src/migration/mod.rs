//! Migrations: what is changed in a schema database is changed in all of its children, exactly once each.
//!
//! A migration is a row in the catalog with a task for each child. The order is that of the contract: a dry run
//! everywhere, of which nothing is left; then the change in each child, in the same transaction as the mark that it
//! has the job; at last the schema database itself. What is to be done next follows from what is stored
//! ([`state`]), so that a crash is but another look at the rows.
//!
//! | file | what |
//! |---|---|
//! | `state` | what a job does next |
//! | `course` | one job from its first step to its end |
//! | `workers` | several tasks at once, and noting what has become of them |
//! | `task` | one child: its lock, its dry run, its run |
//! | `catch_up` | children that were left for later, or were not there |
//! | `background` | threads that give way to those that answer clients |

mod background;
mod catch_up;
mod course;
mod state;
mod task;
mod workers;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::timeout;

use self::background::Background;
use self::course::{Course, End};
use crate::catalog::{Catalog, Job};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::namespace::{Namespace, Namespaces};
use crate::sqlite::{Change, Turn, block};

/// Carries migrations to their ends.
pub struct Migrator {
    catalog: Arc<Catalog>,
    namespaces: Arc<Namespaces>,
    /// The jobs that are being worked on.
    running: Mutex<HashSet<i64>>,
    /// Told when one of these has ended.
    ended: watch::Sender<()>,
    stopped: watch::Receiver<bool>,
    background: Background,
}

impl Migrator {
    pub fn start(
        catalog: Arc<Catalog>,
        namespaces: Arc<Namespaces>,
        stopped: watch::Receiver<bool>,
    ) -> Result<Self> {
        let (running, ended) = (Mutex::default(), watch::Sender::default());
        let background = Background::start(namespaces.engine().migrations_max())?;
        Ok(Migrator { catalog, namespaces, running, ended, stopped, background })
    }

    pub fn namespaces(&self) -> &Arc<Namespaces> {
        &self.namespaces
    }

    /// Migrates the children of a schema database and then itself. Returns when that has come to its end; it comes
    /// there also if nobody waits for it. `turn` is the right to write the schema database.
    pub async fn migrate(
        self: &Arc<Self>,
        schema: &Arc<Namespace>,
        change: &Change,
        turn: Turn,
    ) -> Result<()> {
        let script = serde_json::to_string(change)
            .map_err(|error| Error::internal("write a migration down", error))?;
        let job = {
            // Under the lock, so that nobody finds the job with nobody working on it.
            let mut running = self.lock_running();
            let job = block(|| self.catalog.create_job(schema.id(), &script))?;
            running.insert(job.id);
            job
        };
        let turn = schema.database().write_turn().hold(turn, job.id);
        let id = job.id;
        let course = Course::new(self, job, Arc::clone(schema), change, turn);
        match self.set_out(course).await {
            Ok(End::Success) => Ok(()),
            Ok(End::Failure(why)) => Err(Error::new(ErrorKind::MigrationFailed, why)),
            Ok(End::Stopped) | Err(_) => Err(Error::new(
                ErrorKind::MigrationRunning,
                format!(
                    "migration job {id} was interrupted, because the server stops or had to give it up for the moment; \
                     it goes on by itself"
                ),
            )),
        }
    }

    /// Goes on with the jobs that an earlier process has not finished. When this returns all that they lock is
    /// locked.
    pub async fn resume(self: &Arc<Self>) -> Result<()> {
        for Job { id, .. } in block(|| self.catalog.unfinished_jobs())? {
            match self.open_course(id).await {
                Ok(Some(course)) => {
                    course.lock_waiting().await;
                    drop(self.set_out(course));
                }
                Ok(None) => {}
                // One that cannot be gone on with holds up nobody else.
                Err(error) => tracing::error!("migration job {id} cannot go on: {error}"),
            }
        }
        Ok(())
    }

    /// Goes on with the jobs that nobody works on: they were given up for a moment, or their owner wants them to be
    /// tried again.
    pub fn tend(self: &Arc<Self>) -> Result<()> {
        let given_up: Vec<i64> = {
            let mut running = self.lock_running();
            let jobs = block(|| self.catalog.unfinished_jobs())?;
            jobs.into_iter().map(|job| job.id).filter(|id| running.insert(*id)).collect()
        };
        for id in given_up {
            let migrator = Arc::clone(self);
            self.background.handle().spawn(async move {
                match migrator.open_course(id).await {
                    Ok(Some(course)) => drop(migrator.set_out(course)),
                    Ok(None) => migrator.note_end(id),
                    Err(error) => {
                        tracing::error!("migration job {id} cannot go on: {error}");
                        migrator.note_end(id);
                    }
                }
            });
        }
        Ok(())
    }

    /// Waits, within a bound, until nothing is worked on any more. For when the server stops.
    pub async fn rest(&self) {
        let mut ended = self.ended.subscribe();
        let rest = async {
            while !self.lock_running().is_empty() {
                let _ = ended.changed().await;
            }
        };
        let _ = timeout(limits::DRAIN, rest).await;
    }

    /// Prepares to go on with a job; none if it is at its end.
    async fn open_course(self: &Arc<Self>, id: i64) -> Result<Option<Course>> {
        let unfinished = || -> Result<Option<Job>> {
            let job = block(|| self.catalog.job(id))?;
            Ok(job.filter(|job| !job.status.is_final()))
        };
        let Some(job) = unfinished()? else { return Ok(None) };
        let schema = self.namespaces.of_id(job.schema)?;
        let turn = schema.database().write_turn();
        let turn = turn.take_for(id, schema.database().engine().migration_wait()).await?;
        // Whoever had the turn may have worked on it.
        let Some(job) = unfinished()? else { return Ok(None) };
        let change = parse(&block(|| self.catalog.job_script(id))?)?;
        Ok(Some(Course::new(self, job, schema, &change, turn)))
    }

    /// Lets a job take its course, in a task of its own.
    fn set_out(self: &Arc<Self>, course: Course) -> tokio::sync::oneshot::Receiver<End> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (migrator, id) = (Arc::clone(self), course.job_id());
        self.lock_running().insert(id);
        self.background.handle().spawn(async move {
            let end = course.take().await;
            migrator.note_end(id);
            match end {
                Ok(end) => drop(sender.send(end)),
                Err(error) => tracing::error!("migration job {id} was given up for now: {error}"),
            }
        });
        receiver
    }

    fn note_end(&self, job: i64) {
        self.lock_running().remove(&job);
        self.ended.send_replace(());
    }

    fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    fn lock_running(&self) -> std::sync::MutexGuard<'_, HashSet<i64>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a job does, as it is stored.
fn parse(script: &str) -> Result<Change> {
    serde_json::from_str(script).map_err(|error| Error::internal("read a migration", error))
}
