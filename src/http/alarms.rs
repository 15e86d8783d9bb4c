//! What makes a socket do something of its own accord.
//!
//! Alarms ring rarely, and a socket goes on with every message: so they are looked at only when one has rung, and not
//! set anew each time.

use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream, SelectAll};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::catalog;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    /// Ask whether the client is there.
    Ping,
    /// See whether the client may still go on.
    Check,
    /// The server stops.
    Stop,
}

/// The alarms of one socket.
pub(super) struct Alarms {
    period: Duration,
    revisions: watch::Receiver<()>,
    stopped: watch::Receiver<bool>,
    expires_at: Option<u64>,
    all: SelectAll<BoxStream<'static, Alarm>>,
}

impl Alarms {
    /// `Ping` rings with this period, `Check` with each change of `revisions`, `Stop` once `stopped` changes.
    pub(super) fn new(
        period: Duration,
        revisions: watch::Receiver<()>,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        let all = SelectAll::new();
        let mut alarms = Alarms { period, revisions, stopped, expires_at: None, all };
        alarms.set();
        alarms
    }

    /// `Check` rings also when the token expires, in seconds since 1970.
    pub(super) fn set_expiry(&mut self, expires_at: Option<u64>) {
        if self.expires_at != expires_at {
            self.expires_at = expires_at;
            self.set();
        }
    }

    /// Sets all anew: single ones cannot be taken out.
    fn set(&mut self) {
        self.all.clear();
        self.all.push(pings(self.period));
        self.all.push(changes(self.revisions.clone()));
        self.all.extend(self.expires_at.map(expiries));
        self.all.push(stop(self.stopped.clone()));
    }

    /// The next alarm that rings.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Alarm> {
        match self.all.poll_next_unpin(context) {
            Poll::Ready(Some(alarm)) => Poll::Ready(alarm),
            // Pings do not end.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

fn pings(period: Duration) -> BoxStream<'static, Alarm> {
    let mut interval = interval_at(Instant::now() + period, period);
    // While the socket was full nothing could be heard; then all is as after a ping that was on time.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let next = |mut interval: tokio::time::Interval| async move {
        interval.tick().await;
        Some((Alarm::Ping, interval))
    };
    stream::unfold(interval, next).boxed()
}

fn changes(revisions: watch::Receiver<()>) -> BoxStream<'static, Alarm> {
    let next = |mut revisions: watch::Receiver<()>| async move {
        revisions.changed().await.ok()?;
        Some((Alarm::Check, revisions))
    };
    stream::unfold(revisions, next).boxed()
}

/// Rings when the token has expired, and again while the clock is set back.
fn expiries(expires_at: u64) -> BoxStream<'static, Alarm> {
    let next = move |()| async move {
        let seconds = expires_at.saturating_sub(catalog::now());
        sleep(Duration::from_secs(seconds.max(1))).await;
        Some((Alarm::Check, ()))
    };
    stream::unfold((), next).boxed()
}

fn stop(mut stopped: watch::Receiver<bool>) -> BoxStream<'static, Alarm> {
    let change = async move {
        // Nobody is left to say so otherwise.
        let _ = stopped.changed().await;
        Alarm::Stop
    };
    stream::once(change).boxed()
}
