//! What a migration job does next: a pure function of what is stored of it.

use crate::catalog::{Counts, Job, Status};

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Execute the change in every child that waits for it, and take it back.
    DryRun,
    /// Note that the change will be made.
    BeginRun,
    /// Make the change in this many of the children that wait for it, or in all.
    Run { count: Option<u64> },
    /// Make it in the schema database, which ends the job.
    RunSchema,
    /// The job is at its end.
    End(Status),
    /// It was at its end before.
    Nothing,
}

/// `counts` are those of the tasks; `deferred` of those that wait for the run are left for when they are used.
pub(super) fn next(job: &Job, counts: &Counts, deferred: u64) -> Action {
    match job.status {
        Status::WaitingDryRun | Status::DryRunSuccess if job.is_cancelled => {
            Action::End(Status::DryRunFailure)
        }
        Status::WaitingDryRun if counts.dry_run_failure > 0 => Action::End(Status::DryRunFailure),
        Status::WaitingDryRun if counts.waiting_dry_run > 0 => Action::DryRun,
        Status::WaitingDryRun | Status::DryRunSuccess => Action::BeginRun,
        Status::WaitingRun if job.is_cancelled => Action::End(Status::RunFailure),
        Status::WaitingRun => run(job, counts, deferred),
        Status::DryRunFailure | Status::RunSuccess | Status::RunFailure => Action::Nothing,
    }
}

fn run(job: &Job, counts: &Counts, deferred: u64) -> Action {
    let waiting = counts.waiting_run.saturating_sub(deferred);
    let is_trial = counts.run_success < job.canaries;
    match (waiting, counts.run_failure) {
        // The others are spared what has failed in a canary.
        (_, 1..) if is_trial => Action::End(Status::RunFailure),
        (1.., _) if is_trial => Action::Run { count: Some(job.canaries - counts.run_success) },
        (1.., _) => Action::Run { count: None },
        (0, 1..) => Action::End(Status::RunFailure),
        (0, 0) => Action::RunSchema,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Action, next};
    use crate::catalog::{Counts, Job, Status};

    fn job(status: Status, is_cancelled: bool, canaries: u64) -> Job {
        Job {
            id: 1,
            schema: Uuid::nil(),
            status,
            is_rolling: false,
            canaries,
            is_cancelled,
            error: None,
            created_at: 0,
            finished_at: None,
        }
    }

    /// Every combination of 0, 1 and 2 tasks in each status, of job and flags.
    fn every(mut check: impl FnMut(&Job, &Counts, u64, Action)) {
        for number in 0..3_u64.pow(6) {
            let digit = |place: u32| number / 3_u64.pow(place) % 3;
            let counts = Counts {
                waiting_dry_run: digit(0),
                dry_run_success: digit(1),
                dry_run_failure: digit(2),
                waiting_run: digit(3),
                run_success: digit(4),
                run_failure: digit(5),
            };
            for status in Status::ALL {
                for (is_cancelled, canaries) in [(false, 0), (true, 0), (false, 2), (true, 2)] {
                    for deferred in 0..=counts.waiting_run {
                        let job = job(status, is_cancelled, canaries);
                        check(&job, &counts, deferred, next(&job, &counts, deferred));
                    }
                }
            }
        }
    }

    #[test]
    fn the_change_is_never_made_before_all_dry_runs_are_good() {
        every(|job, counts, _, action| {
            let makes = matches!(action, Action::Run { .. } | Action::RunSchema);
            assert!(!makes || job.status == Status::WaitingRun, "{job:?} {counts:?} {action:?}");
            if action == Action::BeginRun {
                assert_eq!(
                    (counts.dry_run_failure, counts.waiting_dry_run),
                    match job.status {
                        // Stored by an older process at the very moment: the tasks are known to be good.
                        Status::DryRunSuccess => (counts.dry_run_failure, counts.waiting_dry_run),
                        _ => (0, 0),
                    }
                );
            }
        });
    }

    #[test]
    fn the_schema_comes_last_and_only_after_success_everywhere() {
        every(|job, counts, deferred, action| {
            if action == Action::RunSchema {
                assert_eq!(counts.run_failure, 0, "{job:?}");
                assert_eq!(counts.waiting_run, deferred, "{job:?}");
            }
        });
    }

    #[test]
    fn what_is_at_its_end_stays_there_and_everything_else_goes_on() {
        every(|job, counts, _, action| {
            assert_eq!(action == Action::Nothing, job.status.is_final(), "{job:?} {counts:?}");
        });
    }

    #[test]
    fn who_cancels_stops_it_and_nothing_is_said_to_have_changed_that_has() {
        every(|job, counts, _, action| {
            if job.is_cancelled && !job.status.is_final() {
                let has_begun = job.status == Status::WaitingRun;
                let end = if has_begun { Status::RunFailure } else { Status::DryRunFailure };
                assert_eq!(action, Action::End(end), "{job:?} {counts:?}");
            }
        });
    }

    #[test]
    fn canaries_go_first() {
        every(|job, counts, _, action| {
            if let Action::Run { count } = action {
                let left = job.canaries.saturating_sub(counts.run_success);
                assert_eq!(count, (left > 0).then_some(left), "{job:?} {counts:?}");
                assert!(left == 0 || counts.run_failure == 0, "{job:?} {counts:?}");
            }
        });
    }

    #[test]
    fn a_failed_dry_run_ends_the_job_with_nothing_changed() {
        every(|job, counts, _, action| {
            if job.status == Status::WaitingDryRun && counts.dry_run_failure > 0 {
                assert_eq!(action, Action::End(Status::DryRunFailure));
            }
        });
    }
}
