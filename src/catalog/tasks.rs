//! Tasks of migration jobs: what a job has to do, and has done, with one child.

use std::collections::HashSet;

use rusqlite::{Row, params};
use uuid::Uuid;

use super::jobs::{Job, Status};
use super::name::NamespaceName;
use super::{Catalog, bad_text, failed, now_millis, read_id};
use crate::error::Result;

/// A task as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub database: Uuid,
    pub name: NamespaceName,
    pub status: Status,
    /// How often the run has failed.
    pub attempts: u64,
    pub error: Option<String>,
    /// When it came to its status, in milliseconds since 1970.
    pub finished_at: Option<i64>,
}

/// How many tasks of a job have which status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub waiting_dry_run: u64,
    pub dry_run_success: u64,
    pub dry_run_failure: u64,
    pub waiting_run: u64,
    pub run_success: u64,
    pub run_failure: u64,
}

impl Counts {
    pub fn of(&self, status: Status) -> u64 {
        match status {
            Status::WaitingDryRun => self.waiting_dry_run,
            Status::DryRunSuccess => self.dry_run_success,
            Status::DryRunFailure => self.dry_run_failure,
            Status::WaitingRun => self.waiting_run,
            Status::RunSuccess => self.run_success,
            Status::RunFailure => self.run_failure,
        }
    }

    fn set(&mut self, status: Status, count: u64) {
        *match status {
            Status::WaitingDryRun => &mut self.waiting_dry_run,
            Status::DryRunSuccess => &mut self.dry_run_success,
            Status::DryRunFailure => &mut self.dry_run_failure,
            Status::WaitingRun => &mut self.waiting_run,
            Status::RunSuccess => &mut self.run_success,
            Status::RunFailure => &mut self.run_failure,
        } = count;
    }

    pub fn total(&self) -> u64 {
        Status::ALL.iter().map(|status| self.of(*status)).sum()
    }

    /// How far a job has come that has these tasks.
    pub fn progress(&self, job: &Job) -> Progress {
        let failed = self.dry_run_failure + self.run_failure;
        // What was given up is not waited for.
        let is_given_up = job.status == Status::DryRunFailure
            || (job.status == Status::RunFailure && job.is_cancelled);
        let waiting = self.waiting_dry_run + self.dry_run_success + self.waiting_run;
        let pending = if is_given_up { 0 } else { waiting };
        Progress { done: self.run_success, pending, failed }
    }
}

/// How many children have a migration, are still to have it, and could not take it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    pub pending: u64,
    pub failed: u64,
}

/// What has become of a task.
#[derive(Clone, Debug)]
pub struct TaskOutcome {
    pub database: Uuid,
    pub status: Status,
    pub attempts: u64,
    pub error: Option<String>,
    /// The version that the child has now, if that is another one.
    pub version: Option<i64>,
}

const SELECT: &str = "SELECT t.database_id, d.name, t.status, t.attempts, t.error, t.finished_at
                      FROM tasks t JOIN databases d ON d.id = t.database_id AND d.deleted_at IS NULL";

impl Catalog {
    /// Tasks of a job, of children that are still there, in the order of their names behind `after`.
    pub fn tasks(&self, job: i64, after: &str, limit: usize) -> Result<Vec<Task>> {
        let sql = format!("{SELECT} WHERE t.job_id = ? AND d.name > ? ORDER BY d.name LIMIT ?");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let db = self.lock();
        let mut statement = db.prepare_cached(&sql).map_err(failed("list the tasks of a job"))?;
        let tasks = statement.query_map(params![job, after, limit], read_task);
        tasks.and_then(Iterator::collect).map_err(failed("list the tasks of a job"))
    }

    /// The tasks of a job with this status.
    pub fn tasks_with(&self, job: i64, status: Status) -> Result<Vec<Task>> {
        let sql = format!("{SELECT} WHERE t.job_id = ? AND t.status = ? ORDER BY d.name");
        let db = self.lock();
        let mut statement = db.prepare_cached(&sql).map_err(failed("list the tasks of a job"))?;
        let tasks = statement.query_map(params![job, status.to_sql()], read_task);
        tasks.and_then(Iterator::collect).map_err(failed("list the tasks of a job"))
    }

    /// How many tasks have which status, of children that are still there.
    pub fn task_counts(&self, job: i64) -> Result<Counts> {
        let sql = "SELECT t.status, count(*) FROM tasks t
                   JOIN databases d ON d.id = t.database_id AND d.deleted_at IS NULL
                   WHERE t.job_id = ? GROUP BY t.status";
        let db = self.lock();
        let count = || -> rusqlite::Result<Counts> {
            let mut counts = Counts::default();
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([job])?;
            while let Some(row) = rows.next()? {
                counts.set(Status::read(row, 0)?, row.get::<_, i64>(1)?.unsigned_abs());
            }
            Ok(counts)
        };
        count().map_err(failed("count the tasks of a job"))
    }

    /// The children of a schema that could not take over what others have.
    pub fn failed_children(&self, schema: Uuid) -> Result<HashSet<Uuid>> {
        let sql = "SELECT DISTINCT t.database_id FROM jobs j JOIN tasks t ON t.job_id = j.id
                   WHERE j.schema_id = ? AND t.status = ?";
        let db = self.lock();
        let list = failed("list the children that have failed");
        let mut statement = db.prepare_cached(sql).map_err(&list)?;
        let values = params![schema.to_string(), Status::RunFailure.to_sql()];
        let ids = statement.query_map(values, |row| read_id(row, 0));
        ids.and_then(Iterator::collect).map_err(&list)
    }

    /// Notes what has become of tasks.
    pub fn note_tasks(&self, job: i64, outcomes: &[TaskOutcome]) -> Result<()> {
        self.change("note what has become of tasks", |transaction| {
            let mut task = transaction.prepare_cached(
                "UPDATE tasks SET status = ?, attempts = ?, error = ?, finished_at = ?
                 WHERE job_id = ? AND database_id = ?",
            )?;
            let mut version = transaction
                .prepare_cached("UPDATE databases SET schema_version = ?2 WHERE id = ?1")?;
            let now = now_millis();
            for outcome in outcomes {
                let id = outcome.database.to_string();
                let attempts = i64::try_from(outcome.attempts).unwrap_or(i64::MAX);
                let status = outcome.status.to_sql();
                task.execute(params![status, attempts, outcome.error, now, job, id])?;
                if let Some(number) = outcome.version {
                    version.execute(params![id, number])?;
                }
            }
            Ok(())
        })
    }

    /// Notes what a child has taken over of jobs that it had missed: the tasks up to a version are done, or the one
    /// behind it has failed.
    pub fn note_caught_up(
        &self,
        child: Uuid,
        version: i64,
        failure: Option<(i64, &str)>,
    ) -> Result<()> {
        self.change("note that a child has caught up", |transaction| {
            let id = child.to_string();
            let now = now_millis();
            let sql = "UPDATE databases SET schema_version = ? WHERE id = ?";
            transaction.execute(sql, params![version, id])?;
            // Jobs that have failed, or were given up, are not among them.
            let sql = "UPDATE tasks SET status = ?1, error = NULL, finished_at = ?2
                       WHERE database_id = ?3 AND job_id <= ?4 AND status <> ?1
                       AND (SELECT status FROM jobs WHERE id = job_id) = ?1";
            let (done, failed) = (Status::RunSuccess.to_sql(), Status::RunFailure.to_sql());
            transaction.execute(sql, params![done, now, id, version])?;
            if let Some((job, error)) = failure {
                let sql = "UPDATE tasks SET status = ?, error = ?, attempts = attempts + 1, finished_at = ?
                           WHERE database_id = ? AND job_id = ?";
                transaction.execute(sql, params![failed, error, now, id, job])?;
            }
            Ok(())
        })
    }
}

fn read_task(row: &Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        database: read_id(row, 0)?,
        name: NamespaceName::parse(row.get_ref(1)?.as_str()?).map_err(|e| bad_text(1, e))?,
        status: Status::read(row, 2)?,
        attempts: row.get::<_, i64>(3)?.unsigned_abs(),
        error: row.get(4)?,
        finished_at: row.get(5)?,
    })
}
