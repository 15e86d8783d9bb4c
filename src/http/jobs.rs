//! `GET /v1/jobs`: the migrations of a schema database, in sqld's shapes and with more in them; and what its owner can
//! do with one that does not come to its end. A database that has no migrations says so in the words by which clients
//! tell.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::App;
use super::caller::Caller;
use super::wire::json_response;
use crate::auth::Access;
use crate::catalog::{Job, Task, job_not_found, rfc3339};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::namespace::Namespace;
use crate::sqlite::{block, check_whole};

#[derive(Serialize)]
struct ListBody {
    /// The last job that the schema database itself has.
    schema_version: i64,
    /// The newest first.
    migrations: Vec<JobBody>,
    /// The `before` of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// A job, as far as a list tells it.
#[derive(Serialize)]
struct JobBody {
    job_id: i64,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    rolling: bool,
    canaries: u64,
    cancelled: bool,
    created_at: Option<String>,
    finished_at: Option<String>,
    /// Children that have it, that are still to have it, and that could not take it over.
    done: u64,
    pending: u64,
    failed: u64,
}

impl JobBody {
    fn new(app: &App, job: Job) -> Result<Self> {
        let progress = block(|| app.catalog.task_counts(job.id))?.progress(&job);
        Ok(JobBody {
            job_id: job.id,
            status: job.status.name(),
            error: job.error,
            rolling: job.is_rolling,
            canaries: job.canaries,
            cancelled: job.is_cancelled,
            created_at: Some(rfc3339(job.created_at)),
            finished_at: job.finished_at.map(rfc3339),
            done: progress.done,
            pending: progress.pending,
            failed: progress.failed,
        })
    }

    /// What a schema database without a job says of its creation. Clients look at the first of the list without asking
    /// whether there is one (`@libsql/client` 0.6.1 to 0.7.0).
    fn of_creation() -> Self {
        JobBody {
            job_id: CREATION,
            status: "RunSuccess",
            error: None,
            rolling: false,
            canaries: 0,
            cancelled: false,
            created_at: None,
            finished_at: None,
            done: 0,
            pending: 0,
            failed: 0,
        }
    }
}

/// The job that every schema database has; those of the catalog begin with 1.
const CREATION: i64 = 0;

#[derive(Serialize)]
struct DetailBody {
    #[serde(flatten)]
    job: JobBody,
    /// In the order of their names.
    progress: Vec<TaskBody>,
    /// The `after` of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct TaskBody {
    namespace: String,
    status: &'static str,
    error: Option<String>,
    /// How often the run has failed.
    attempts: u64,
    finished_at: Option<String>,
}

impl TaskBody {
    fn new(task: Task) -> Self {
        TaskBody {
            namespace: task.name.to_string(),
            status: task.status.name(),
            error: task.error,
            attempts: task.attempts,
            finished_at: task.finished_at.map(rfc3339),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Page {
    limit: Option<usize>,
    /// Of a list: jobs below this one.
    before: Option<i64>,
    /// Of a job: children behind this one.
    after: Option<String>,
}

impl Page {
    fn limit(&self, most: usize) -> usize {
        self.limit.filter(|limit| *limit > 0).map_or(most, |limit| limit.min(most))
    }
}

type PageQuery = Result<Query<Page>, QueryRejection>;

fn page(query: PageQuery) -> Result<Page> {
    let Query(page) = query.map_err(|error| Error::bad_request(error.body_text()))?;
    Ok(page)
}

/// `GET /v1/jobs`: the newest, or a page of `limit` below `before`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: PageQuery,
) -> Result<Response> {
    check_schema(caller.namespace())?;
    let page = page(query)?;
    let limit = page.limit(limits::JOBS_LISTED);
    let (schema, before) = (caller.namespace().id(), page.before.unwrap_or(i64::MAX));
    // One more tells whether there is a next page.
    let mut jobs = block(|| app.catalog.jobs(Some(schema), before, limit + 1))?;
    let is_more = jobs.len() > limit;
    jobs.truncate(limit);
    let next = jobs.last().filter(|_| is_more).map(|job| job.id);
    let mut migrations =
        jobs.into_iter().map(|job| JobBody::new(&app, job)).collect::<Result<Vec<_>>>()?;
    if migrations.is_empty() && page.before.is_none() {
        migrations.push(JobBody::of_creation());
    }
    let schema_version = caller.namespace().version();
    Ok(json_response(&ListBody { schema_version, migrations, next }))
}

/// `GET /v1/jobs/{job}`: all of its children, or a page of `limit` behind `after`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(job): Path<String>,
    query: PageQuery,
) -> Result<Response> {
    let id = job_id(caller.namespace(), &job)?;
    let page = page(query)?;
    if id == CREATION {
        let job = JobBody::of_creation();
        return Ok(json_response(&DetailBody { job, progress: Vec::new(), next: None }));
    }
    let job = find(&app, caller.namespace(), id)?;
    detail(&app, job, &page)
}

/// `POST /v1/jobs/{job}/retry` and `…/resume`: does again what has failed.
pub(crate) async fn retry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(job): Path<String>,
) -> Result<Response> {
    let job = find_to_change(&app, &caller, &job)?;
    let job = app.migrator.retry(job.id).await?;
    detail(&app, job, &FIRST_PAGE)
}

/// `POST /v1/jobs/{job}/cancel`: children that do not have it yet will not have it.
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(job): Path<String>,
) -> Result<Response> {
    let job = find_to_change(&app, &caller, &job)?;
    let job = app.migrator.cancel(job.id)?;
    detail(&app, job, &FIRST_PAGE)
}

const FIRST_PAGE: Page = Page { limit: None, before: None, after: None };

fn detail(app: &App, job: Job, page: &Page) -> Result<Response> {
    let limit = page.limit(limits::TASKS_LISTED);
    let after = page.after.as_deref().unwrap_or_default();
    let mut tasks = block(|| app.catalog.tasks(job.id, after, limit + 1))?;
    let is_more = tasks.len() > limit;
    tasks.truncate(limit);
    let next = tasks.last().filter(|_| is_more).map(|task| task.name.to_string());
    let progress = tasks.into_iter().map(TaskBody::new).collect();
    Ok(json_response(&DetailBody { job: JobBody::new(app, job)?, progress, next }))
}

/// Fails unless there can be migrations: exactly as sqld says it.
fn check_schema(namespace: &Namespace) -> Result<()> {
    match namespace.record().role.is_schema() {
        true => Ok(()),
        false => Err(Error::bad_request("Invalid namespace")),
    }
}

/// The job in the URL.
fn job_id(namespace: &Namespace, text: &str) -> Result<i64> {
    check_schema(namespace)?;
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        Error::bad_request(format!("{shown:?} is not the number of a migration job"))
    })
}

/// A job of this schema database; those of others are not there.
fn find(app: &App, namespace: &Namespace, id: i64) -> Result<Job> {
    let job = block(|| app.catalog.job(id))?;
    job.filter(|job| job.schema == namespace.id()).ok_or_else(|| job_not_found(id))
}

/// The same for somebody who wants to do something with it, which needs all rights on the schema.
fn find_to_change(app: &App, caller: &Caller, job: &str) -> Result<Job> {
    let id = job_id(caller.namespace(), job)?;
    let what = "what becomes of a migration";
    let Access { write, ddl, blocked, .. } = caller.access();
    if !(*write && *ddl) {
        let reason = match blocked {
            Some(reason) => reason.to_string(),
            None => format!("{what} needs the right to change the schema; this access has it not"),
        };
        return Err(Error::new(ErrorKind::Denied, format!("not authorized: {reason}")));
    }
    check_whole(caller.access(), what)?;
    find(app, caller.namespace(), id)
}
