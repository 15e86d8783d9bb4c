//! An open loop: requests arrive by a fixed schedule, however slow the answers are, and a latency counts from the
//! moment that the schedule names. So what has to wait because others are slow is seen to wait, which a closed loop
//! leaves out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Result;
use crate::driver::{Ask, Failures, Measured, Seen};

struct Schedule {
    started: Instant,
    interval: Duration,
    arrivals: u32,
    /// A permit for every request that has arrived and that no client has taken.
    waiting: Semaphore,
    /// The request that is taken next.
    next: AtomicU32,
}

impl Schedule {
    fn arrival(&self, index: u32) -> Instant {
        self.started + self.interval * index
    }
}

/// Sends `per_second` requests in every second of `length`; a request that finds all clients busy waits for one.
pub(crate) async fn drive(
    clients: Vec<impl Ask>,
    per_second: u32,
    length: Duration,
    failures: Failures,
) -> Result<Measured> {
    let arrivals = (f64::from(per_second) * length.as_secs_f64()).ceil() as u32;
    let schedule = Arc::new(Schedule {
        started: Instant::now(),
        interval: Duration::from_secs(1) / per_second,
        arrivals,
        waiting: Semaphore::new(0),
        next: AtomicU32::new(0),
    });
    let mut tasks = JoinSet::new();
    let count = clients.len();
    for client in clients {
        tasks.spawn(follow(client, Arc::clone(&schedule), failures));
    }
    let ticking = std::thread::spawn(move || tick(&schedule, count));
    let measured = Measured::collect(tasks, length).await?;
    ticking.join().map_err(|_| "the thread of the schedule has panicked")?;
    Ok(measured)
}

/// Lets requests arrive, from a thread of its own: the runtime's timer is too coarse, it counts milliseconds.
fn tick(schedule: &Schedule, clients: usize) {
    let mut arrived = 0;
    while arrived < schedule.arrivals {
        let next = schedule.arrival(arrived);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        schedule.waiting.add_permits(1);
        arrived += 1;
    }
    // Everybody learns that it is over.
    schedule.waiting.add_permits(clients);
}

/// Takes requests as they arrive.
async fn follow(mut client: impl Ask, schedule: Arc<Schedule>, failures: Failures) -> Result<Seen> {
    let mut seen = Seen::default();
    loop {
        schedule.waiting.acquire().await?.forget();
        let index = schedule.next.fetch_add(1, Ordering::Relaxed);
        if index >= schedule.arrivals {
            return Ok(seen);
        }
        match client.ask().await.map(|_| ()) {
            Ok(()) => {
                seen.answered += 1;
                seen.latencies.push(schedule.arrival(index).elapsed());
            }
            Err(_) if failures == Failures::Counted => seen.failed += 1,
            Err(error) => return Err(error),
        }
    }
}
