//! Migration jobs of schema databases. A job has a task for each child: see `tasks`.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use uuid::Uuid;

use super::{Catalog, failed, now_millis, read_id};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// How far a job or a task has come. The names are libSQL's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// The dry run is still to be done.
    WaitingDryRun,
    DryRunSuccess,
    /// The end: nothing was changed anywhere.
    DryRunFailure,
    /// The dry runs were good, and the change is being made.
    WaitingRun,
    /// The end.
    RunSuccess,
    /// Some children may have the change. A job can be tried again from here.
    RunFailure,
}

impl Status {
    pub const ALL: [Status; 6] = [
        Status::WaitingDryRun,
        Status::DryRunSuccess,
        Status::DryRunFailure,
        Status::WaitingRun,
        Status::RunSuccess,
        Status::RunFailure,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Status::WaitingDryRun => "WaitingDryRun",
            Status::DryRunSuccess => "DryRunSuccess",
            Status::DryRunFailure => "DryRunFailure",
            Status::WaitingRun => "WaitingRun",
            Status::RunSuccess => "RunSuccess",
            Status::RunFailure => "RunFailure",
        }
    }

    /// Whether a job stays so unless somebody asks for more.
    pub fn is_final(self) -> bool {
        matches!(self, Status::DryRunFailure | Status::RunSuccess | Status::RunFailure)
    }

    /// Whether the dry runs are over and were good.
    pub fn is_of_run(self) -> bool {
        matches!(self, Status::WaitingRun | Status::RunSuccess | Status::RunFailure)
    }

    pub(super) fn to_sql(self) -> i64 {
        self as i64
    }

    pub(super) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        let number: i64 = row.get(column)?;
        let status = usize::try_from(number).ok().and_then(|index| Status::ALL.get(index));
        status.copied().ok_or(rusqlite::Error::IntegralValueOutOfRange(column, number))
    }
}

/// One migration of a schema database and its children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Counts up over all schemas. Also the version of the schema that the job makes.
    pub id: i64,
    pub schema: Uuid,
    pub status: Status,
    /// Children are locked only while they are migrated themselves, and those not in use are left for later.
    pub is_rolling: bool,
    /// How many children are migrated before all others.
    pub canaries: u64,
    /// Somebody wants it to end.
    pub is_cancelled: bool,
    pub error: Option<String>,
    /// In milliseconds since 1970.
    pub created_at: i64,
    pub finished_at: Option<i64>,
}

const COLUMNS: &str =
    "id, schema_id, status, is_rolling, canaries, is_cancelled, error, created_at, finished_at";

impl Catalog {
    /// Adds a job with a task for each child that there is now. Refuses it while an earlier one is not settled.
    pub fn create_job(&self, schema: Uuid, script: &str) -> Result<Job> {
        let create = failed("add a migration job to the catalog");
        let mut db = self.lock();
        let transaction = db.transaction().map_err(&create)?;
        if let Some(last) = last_job(&transaction, schema).map_err(&create)? {
            check_settled(&last)?;
        }
        let sql = format!(
            "INSERT INTO jobs (schema_id, script, status, is_rolling, canaries, created_at)
             SELECT id, ?2, ?3, is_rolling, canaries, ?4 FROM databases
             WHERE id = ?1 AND is_schema AND deleted_at IS NULL RETURNING {COLUMNS}"
        );
        let waiting = Status::WaitingDryRun.to_sql();
        let values = params![schema.to_string(), script, waiting, now_millis()];
        let job = transaction.query_row(&sql, values, read_job).optional().map_err(&create)?;
        let job =
            job.ok_or_else(|| Error::bad_request("the schema database is not there any more"))?;
        let sql = "INSERT INTO tasks (job_id, database_id, status)
                   SELECT ?, id, ? FROM databases WHERE schema_id = ? AND deleted_at IS NULL";
        transaction.execute(sql, params![job.id, waiting, schema.to_string()]).map_err(&create)?;
        transaction.commit().map_err(&create)?;
        Ok(job)
    }

    /// What a job does, as it was given to `create_job`.
    pub fn job_script(&self, id: i64) -> Result<String> {
        let sql = "SELECT script FROM jobs WHERE id = ?";
        let script = self.lock().query_row(sql, [id], |row| row.get(0));
        script.map_err(failed("read a migration job"))
    }

    pub fn job(&self, id: i64) -> Result<Option<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = ?");
        let job = self.lock().query_row(&sql, [id], read_job).optional();
        job.map_err(failed("look a migration job up"))
    }

    /// The newest jobs of one schema, or of all, below the id `before`.
    pub fn jobs(&self, schema: Option<Uuid>, before: i64, limit: usize) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE (?1 IS NULL OR schema_id = ?1) AND id < ?2
             ORDER BY id DESC LIMIT ?3"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let db = self.lock();
        let mut statement = db.prepare_cached(&sql).map_err(failed("list the migration jobs"))?;
        let jobs =
            statement.query_map(params![schema.map(|id| id.to_string()), before, limit], read_job);
        jobs.and_then(Iterator::collect).map_err(failed("list the migration jobs"))
    }

    /// The jobs that are not at their end, in their order.
    pub fn unfinished_jobs(&self) -> Result<Vec<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE finished_at IS NULL ORDER BY id");
        let db = self.lock();
        let mut statement =
            db.prepare_cached(&sql).map_err(failed("look for unfinished migration jobs"))?;
        let jobs = statement.query_map([], read_job);
        jobs.and_then(Iterator::collect).map_err(failed("look for unfinished migration jobs"))
    }

    /// The jobs of a schema behind the version `after` that have made their change everywhere, with what they do.
    pub fn scripts_after(&self, schema: Uuid, after: i64) -> Result<Vec<(i64, String)>> {
        let sql =
            "SELECT id, script FROM jobs WHERE schema_id = ? AND id > ? AND status = ? ORDER BY id";
        let db = self.lock();
        let read = failed("read the migrations of a schema");
        let mut statement = db.prepare_cached(sql).map_err(&read)?;
        let values = params![schema.to_string(), after, Status::RunSuccess.to_sql()];
        let scripts = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)));
        scripts.and_then(Iterator::collect).map_err(&read)
    }

    /// Notes that all dry runs were good: from now on the change is made.
    pub fn begin_run(&self, job: i64) -> Result<()> {
        self.change("note the dry runs of a migration job", |transaction| {
            let sql = "UPDATE jobs SET status = ? WHERE id = ?";
            transaction.execute(sql, params![Status::WaitingRun.to_sql(), job])?;
            let sql = "UPDATE tasks SET status = ? WHERE job_id = ? AND status = ?";
            let (from, to) = (Status::DryRunSuccess.to_sql(), Status::WaitingRun.to_sql());
            transaction.execute(sql, params![to, job, from]).map(|_| ())
        })
    }

    /// Notes that a job is at its end. After a success its schema database has the new version.
    pub fn end_job(&self, job: &Job, status: Status, error: Option<&str>) -> Result<()> {
        self.change("note the end of a migration job", |transaction| {
            let sql = "UPDATE jobs SET status = ?, error = ?, finished_at = ? WHERE id = ?";
            transaction.execute(sql, params![status.to_sql(), error, now_millis(), job.id])?;
            if status == Status::RunSuccess {
                let sql = "UPDATE databases SET schema_version = ? WHERE id = ?";
                transaction.execute(sql, params![job.id, job.schema.to_string()])?;
            }
            forget_old(transaction, job.schema)
        })
    }

    /// Has the failed tasks of a job done again. Whether there is anything to do.
    pub fn retry_job(&self, id: i64) -> Result<Job> {
        let job = self.job(id)?.ok_or_else(|| job_not_found(id))?;
        match job.status {
            Status::RunFailure if !job.is_cancelled => {}
            Status::RunSuccess => {}
            status => {
                let message = format!(
                    "migration job {id} cannot be tried again: it is {}{}",
                    status.name(),
                    if job.is_cancelled { " and was cancelled" } else { "" }
                );
                return Err(Error::bad_request(message));
            }
        }
        self.change("have a migration job done again", |transaction| {
            let sql = "UPDATE tasks SET status = ?, attempts = 0, error = NULL, finished_at = NULL
                       WHERE job_id = ? AND status = ?";
            let (from, to) = (Status::RunFailure.to_sql(), Status::WaitingRun.to_sql());
            transaction.execute(sql, params![to, id, from])?;
            let sql = "UPDATE jobs SET status = ?, error = NULL, finished_at = NULL
                       WHERE id = ? AND status = ?";
            transaction.execute(sql, params![to, id, from]).map(|_| ())
        })?;
        self.job(id)?.ok_or_else(|| job_not_found(id))
    }

    /// Wants a job to end. One that has failed already is settled by that.
    pub fn cancel_job(&self, id: i64) -> Result<Job> {
        let job = self.job(id)?.ok_or_else(|| job_not_found(id))?;
        if job.is_cancelled || matches!(job.status, Status::RunSuccess | Status::DryRunFailure) {
            let message =
                format!("migration job {id} cannot be cancelled: it is {}", job.status.name());
            return Err(Error::bad_request(message));
        }
        let sql = "UPDATE jobs SET is_cancelled = 1 WHERE id = ?";
        self.lock().execute(sql, [id]).map_err(failed("cancel a migration job"))?;
        self.job(id)?.ok_or_else(|| job_not_found(id))
    }
}

/// The newest job of a schema.
fn last_job(transaction: &Transaction<'_>, schema: Uuid) -> rusqlite::Result<Option<Job>> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE schema_id = ? ORDER BY id DESC LIMIT 1");
    transaction.query_row(&sql, [schema.to_string()], read_job).optional()
}

/// Whether there may be another job behind this one.
fn check_settled(last: &Job) -> Result<()> {
    let id = last.id;
    match last.status {
        Status::RunFailure if !last.is_cancelled => Err(Error::new(
            ErrorKind::MigrationFailed,
            format!(
                "migration job {id} of this schema has failed ({}); retry it with `hranad jobs retry {id}`, or give \
                 it up with `hranad jobs cancel {id}`, before the next migration",
                last.error.as_deref().unwrap_or("for an unknown reason")
            ),
        )),
        status if status.is_final() => Ok(()),
        _ => Err(Error::new(
            ErrorKind::MigrationRunning,
            format!("migration job {id} of this schema is running; try again when it has ended"),
        )),
    }
}

/// Forgets the tasks of jobs that ended long ago, and what the oldest jobs did if every child has it.
fn forget_old(transaction: &Transaction<'_>, schema: Uuid) -> rusqlite::Result<()> {
    let schema = schema.to_string();
    let kept = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let sql = "DELETE FROM tasks WHERE job_id IN
               (SELECT id FROM jobs WHERE schema_id = ? ORDER BY id DESC LIMIT -1 OFFSET ?)";
    transaction.execute(sql, params![schema, kept(limits::JOBS_WITH_TASKS_KEPT)])?;
    // A deleted child may come back, and needs what it has missed.
    let sql = "DELETE FROM jobs WHERE id IN
                   (SELECT id FROM jobs WHERE schema_id = ?1 ORDER BY id DESC LIMIT -1 OFFSET ?2)
               AND id <= (SELECT min(schema_version) FROM databases WHERE schema_id = ?1 OR id = ?1)";
    transaction.execute(sql, params![schema, kept(limits::JOBS_KEPT)]).map(|_| ())
}

fn read_job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: row.get(0)?,
        schema: read_id(row, 1)?,
        status: Status::read(row, 2)?,
        is_rolling: row.get(3)?,
        canaries: row.get::<_, i64>(4)?.unsigned_abs(),
        is_cancelled: row.get(5)?,
        error: row.get(6)?,
        created_at: row.get(7)?,
        finished_at: row.get(8)?,
    })
}

/// There is no such job.
pub fn job_not_found(id: i64) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("couldn't find requested migration job: there is no job {id}"),
    )
}
