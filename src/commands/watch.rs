//! `hranad jobs watch`: a migration until it has ended.

use std::io::IsTerminal as _;
use std::thread::sleep;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::jobs::{find, schema_name, status};
use super::{Owner, say};
use crate::catalog::{Counts, Job, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A bar on a terminal, lines elsewhere. Fails if the job does.
pub(super) fn watch(owner: &Owner, id: i64) -> Result<()> {
    let bar = bar();
    let schema = schema_name(owner, &find(owner, id)?)?;
    let mut last = String::new();
    let (job, counts) = loop {
        let job = find(owner, id)?;
        let counts = owner.catalog.task_counts(id)?;
        let line = format!("job {id} of {schema}: {}", describe(&job, &counts));
        bar.set_length(counts.total());
        bar.set_position(position(&job, &counts));
        bar.set_message(line.clone());
        if bar.is_hidden() && line != last {
            say(&line);
        }
        if job.status.is_final() {
            break (job, counts);
        }
        last = line;
        sleep(limits::WATCH_INTERVAL);
    };
    bar.finish_and_clear();
    if !bar.is_hidden() {
        say(&format!("job {id} of {schema}: {}", describe(&job, &counts)));
    }
    match job.status {
        Status::RunSuccess => Ok(()),
        _ => Err(Error::new(
            ErrorKind::MigrationFailed,
            job.error.unwrap_or_else(|| format!("migration job {id} has failed")),
        )),
    }
}

fn describe(job: &Job, counts: &Counts) -> String {
    let (status, total) = (status(job), counts.total());
    match job.status {
        Status::WaitingDryRun | Status::DryRunSuccess | Status::DryRunFailure => {
            format!("{status}, tried in {} of {total} children", counts.dry_run_success)
        }
        Status::WaitingRun | Status::RunSuccess | Status::RunFailure => {
            let progress = counts.progress(job);
            let left = match (progress.pending, progress.failed) {
                (0, 0) => String::new(),
                (pending, failed) => format!(" ({pending} pending, {failed} failed)"),
            };
            format!("{status}, made in {} of {total} children{left}", progress.done)
        }
    }
}

/// The bar runs twice: for the dry runs, then for the change.
fn position(job: &Job, counts: &Counts) -> u64 {
    if job.status.is_of_run() { counts.run_success } else { counts.dry_run_success }
}

fn bar() -> ProgressBar {
    if !std::io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
