//! `hranad jobs`: the migrations of schema databases.

use super::watch::watch;
use super::{Owner, say, table};
use crate::catalog::{Job, NamespaceName, Status, job_not_found, rfc3339};
use crate::config::{JobsArgs, JobsCommand};
use crate::error::{Error, Result};
use crate::limits;

pub fn jobs(args: &JobsArgs) -> Result<()> {
    let owner = Owner::open(&args.data.data_dir)?;
    match &args.command {
        JobsCommand::List { schema, limit } => list(&owner, schema.as_deref(), *limit),
        JobsCommand::Show { id } => show(&owner, *id),
        JobsCommand::Watch { id } => watch(&owner, *id),
        JobsCommand::Retry { id } => retry(&owner, *id),
        JobsCommand::Cancel { id } => {
            let job = owner.catalog.cancel_job(*id)?;
            say(&match job.status.is_final() {
                true => format!("migration job {id} is given up; the next migration may come"),
                false => format!("migration job {id} ends as soon as the server takes notice"),
            });
            Ok(())
        }
    }
}

/// A job, or why there is none.
pub(super) fn find(owner: &Owner, id: i64) -> Result<Job> {
    owner.catalog.job(id)?.ok_or_else(|| job_not_found(id))
}

fn list(owner: &Owner, schema: Option<&str>, limit: usize) -> Result<()> {
    let schema = match schema {
        Some(name) => Some(owner.schema(&NamespaceName::parse(name)?)?.id),
        None => None,
    };
    let head = ["ID", "SCHEMA", "STATUS", "DONE", "PENDING", "FAILED", "BEGUN", "ENDED", "ERROR"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for job in owner.catalog.jobs(schema, i64::MAX, limit)? {
        let progress = owner.catalog.task_counts(job.id)?.progress(&job);
        rows.push(vec![
            job.id.to_string(),
            schema_name(owner, &job)?,
            status(&job),
            progress.done.to_string(),
            progress.pending.to_string(),
            progress.failed.to_string(),
            time(Some(job.created_at)),
            time(job.finished_at),
            shorten(job.error.as_deref().unwrap_or_default()),
        ]);
    }
    table(&rows);
    Ok(())
}

fn show(owner: &Owner, id: i64) -> Result<()> {
    let job = find(owner, id)?;
    let progress = owner.catalog.task_counts(id)?.progress(&job);
    let mode = if job.is_rolling { "rolling" } else { "locked" };
    let mut lines = vec![
        ("job", id.to_string()),
        ("schema", schema_name(owner, &job)?),
        ("status", status(&job)),
        ("mode", format!("{mode}, {} canaries", job.canaries)),
        ("begun", time(Some(job.created_at))),
        ("ended", time(job.finished_at)),
        (
            "children",
            format!(
                "{} done, {} pending, {} failed",
                progress.done, progress.pending, progress.failed
            ),
        ),
    ];
    if let Some(error) = &job.error {
        lines.push(("error", error.clone()));
    }
    for (name, value) in lines {
        say(format!("{name:9} {value}").trim_end());
    }
    let head = ["CHILD", "STATUS", "FAILURES", "SINCE", "ERROR"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut after = String::new();
    loop {
        let tasks = owner.catalog.tasks(id, &after, limits::TASKS_LISTED)?;
        let Some(last) = tasks.last() else { break };
        after = last.name.to_string();
        rows.extend(tasks.into_iter().map(|task| {
            vec![
                task.name.to_string(),
                task.status.name().to_owned(),
                task.attempts.to_string(),
                time(task.finished_at),
                task.error.unwrap_or_default(),
            ]
        }));
    }
    if rows.len() > 1 {
        say("");
        table(&rows);
    }
    Ok(())
}

fn retry(owner: &Owner, id: i64) -> Result<()> {
    let job = find(owner, id)?;
    let failed = owner.catalog.task_counts(id)?.run_failure;
    if job.status == Status::RunSuccess && failed == 0 {
        return Err(Error::bad_request(format!(
            "there is nothing to try again in migration job {id}: no child has failed"
        )));
    }
    let job = owner.catalog.retry_job(id)?;
    say(&match job.status {
        Status::RunSuccess => {
            format!("{failed} children take migration job {id} over when they are used next")
        }
        _ => format!("the server tries migration job {id} again; see `hranad jobs watch {id}`"),
    });
    Ok(())
}

/// What the schema database of a job is called, as long as it is there.
pub(super) fn schema_name(owner: &Owner, job: &Job) -> Result<String> {
    let name = owner.catalog.database_name(job.schema)?;
    Ok(name.map_or_else(|| "(deleted)".to_owned(), |name| name.to_string()))
}

pub(super) fn status(job: &Job) -> String {
    let cancelled = if job.is_cancelled { " (cancelled)" } else { "" };
    format!("{}{cancelled}", job.status.name())
}

/// `2026-01-31 12:00:00Z`, or nothing.
fn time(millis: Option<i64>) -> String {
    let Some(millis) = millis else { return String::new() };
    let text = rfc3339(millis);
    text.get(..19).map_or(text.clone(), |seconds| format!("{}Z", seconds.replace('T', " ")))
}

/// Fits beside other columns.
fn shorten(text: &str) -> String {
    const CHARS: usize = 60;
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
