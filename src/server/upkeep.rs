//! What the server does again and again of its own accord.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::interval;

use crate::error::Result;
use crate::http::App;
use crate::limits;
use crate::sqlite::block;

type Stopped = watch::Receiver<bool>;

/// Starts it. The tasks end when the server stops.
pub(super) fn start(app: &Arc<App>, stopped: &Stopped) -> [JoinHandle<()>; 4] {
    [
        tokio::spawn(sweep(Arc::clone(app), stopped.clone())),
        tokio::spawn(purge(Arc::clone(app), stopped.clone())),
        tokio::spawn(save_usage(Arc::clone(app), stopped.clone())),
        tokio::spawn(renew_keys(Arc::clone(app), stopped.clone())),
    ]
}

/// Looks for what has to end, and for what others have changed.
async fn sweep(app: Arc<App>, mut stopped: Stopped) {
    let mut tick = interval(limits::SWEEP_INTERVAL);
    // Whether others have changed something that was not taken over yet.
    let mut is_behind = false;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        app.streams.sweep(Instant::now());
        app.seeds.sweep(Instant::now());
        app.namespaces.sweep(limits::IDLE_CONNECTION);
        report(block(|| take_over(&app, &mut is_behind)));
        report(app.migrator.tend());
    }
}

/// Where a part fails, it is tried again: tokens may have been rotated, keys removed.
fn take_over(app: &App, is_behind: &mut bool) -> Result<()> {
    *is_behind |= app.catalog.has_changed_elsewhere()?;
    if *is_behind {
        // Keys first: those who are connected are looked at again when the databases are.
        app.keys.refresh()?;
        app.namespaces.refresh_all()?;
        *is_behind = false;
    }
    Ok(())
}

/// Removes the files of databases whose retention is over. They may be many, and nobody waits for it.
async fn purge(app: Arc<App>, mut stopped: Stopped) {
    let mut tick = interval(limits::PURGE_INTERVAL);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        report(block(|| app.namespaces.purge_until(|| *stopped.borrow())));
    }
}

async fn save_usage(app: Arc<App>, mut stopped: Stopped) {
    let mut tick = interval(limits::USAGE_SAVE);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        report(block(|| app.namespaces.save_usage()));
    }
}

/// Fetches the keys of others anew where they came from URLs: now, again and again, and when a token names one that is
/// not known.
async fn renew_keys(app: Arc<App>, mut stopped: Stopped) {
    let mut tick = interval(limits::SWEEP_INTERVAL);
    let (mut last, mut last_unknown): (Option<Instant>, Option<Instant>) = (None, None);
    let is_due = |last: Option<Instant>, after| last.is_none_or(|last| last.elapsed() >= after);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        let is_unknown = is_due(last_unknown, limits::JWKS_RENEWAL_UNKNOWN)
            && app.authority.has_met_unknown_key();
        if !app.keys.has_urls() || !is_unknown && !is_due(last, limits::JWKS_RENEWAL) {
            continue;
        }
        if is_unknown {
            last_unknown = Some(Instant::now());
        }
        report(block(|| renew(&app, &stopped)));
        last = Some(Instant::now());
    }
}

fn renew(app: &App, stopped: &Stopped) -> Result<()> {
    if app.keys.renew(|| *stopped.borrow())? {
        app.namespaces.note_revision();
    }
    Ok(())
}

fn report(outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::error!("{error}");
    }
}
