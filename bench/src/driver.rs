//! Clients in a closed loop: each sends its next request when it has the answer to the last one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Result;
use crate::clients::KeptAlive;
use crate::server::Kind;

/// How long a measurement may take beyond its length: for the warm-up, and for answers that are late. libsql-server was
/// seen to hang for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests to be sent, one after the other, from the beginning again at their end.
pub(crate) type Requests = Arc<[Box<[u8]>]>;

/// A client that asks the same kind of question over and over.
pub(crate) trait Ask: Send + 'static {
    /// Asks once, and returns the answer; a failed one is an error.
    fn ask(&mut self) -> impl Future<Output = Result<&[u8]>> + Send;
}

/// What one measurement found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Answers, those during the warm-up included.
    pub(crate) answered: usize,
    /// Requests that failed, which are in none of the other numbers.
    pub(crate) failed: usize,
}

/// What becomes of a measurement in which a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failures {
    /// They end it.
    Fatal,
    /// They are counted: some servers refuse what they cannot do at once.
    Counted,
}

impl Failures {
    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            // Where many write at once it says that the database is locked, and it does not always find a database
            // that it had before.
            Kind::LibsqlServer => Failures::Counted,
            Kind::Hranad | Kind::Floor | Kind::Rqlite => Failures::Fatal,
        }
    }
}

/// What one client has seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) latencies: Vec<Duration>,
    pub(crate) answered: usize,
    pub(crate) failed: usize,
    /// The one that came when the time was over.
    pub(crate) late: Option<Duration>,
}

/// Loads a server from `clients` connections that are kept alive.
pub(crate) async fn drive(
    address: SocketAddr,
    requests: &Requests,
    clients: usize,
    warm_up: Duration,
    length: Duration,
) -> Result<Measured> {
    let clients = KeptAlive::many(address, requests, clients).await?;
    drive_all(clients, warm_up, length, Failures::Fatal).await
}

/// Loads a server by these clients; only what is asked and answered in `length`, after the warm-up, counts.
pub(crate) async fn drive_all(
    clients: Vec<impl Ask>,
    warm_up: Duration,
    length: Duration,
    failures: Failures,
) -> Result<Measured> {
    let from = Instant::now() + warm_up;
    let to = from + length;
    let mut tasks = JoinSet::new();
    for client in clients {
        tasks.spawn(repeat(client, from, to, failures));
    }
    Measured::collect(tasks, length).await
}

impl Measured {
    /// Of what the clients have seen in a time of this length.
    pub(crate) async fn collect(clients: JoinSet<Result<Seen>>, length: Duration) -> Result<Self> {
        let hung = |_| format!("there was no answer for {} s", PATIENCE.as_secs());
        timeout(length + PATIENCE, Self::collect_all(clients, length)).await.map_err(hung)?
    }

    async fn collect_all(mut clients: JoinSet<Result<Seen>>, length: Duration) -> Result<Self> {
        let (mut all, mut late) = (Seen::default(), Vec::new());
        while let Some(client) = clients.join_next().await {
            let mut seen = client??;
            all.latencies.append(&mut seen.latencies);
            all.answered += seen.answered;
            all.failed += seen.failed;
            late.extend(seen.late);
        }
        let mut length = length;
        if let (true, Some(longest)) = (all.latencies.is_empty(), late.iter().max()) {
            // Everything takes longer than the measurement: then what was asked at once is all there is.
            length = *longest;
            all.latencies = late;
        }
        if all.latencies.is_empty() {
            return Err("no request was answered in the time of the measurement".into());
        }
        let per_second = all.latencies.len() as f64 / length.as_secs_f64();
        all.latencies.sort_unstable();
        let (p50, p99) = (quantile(&all.latencies, 0.50), quantile(&all.latencies, 0.99));
        Ok(Measured { per_second, p50, p99, answered: all.answered, failed: all.failed })
    }
}

async fn repeat(
    mut client: impl Ask,
    from: Instant,
    to: Instant,
    failures: Failures,
) -> Result<Seen> {
    let mut seen = Seen { latencies: Vec::with_capacity(16 * 1024), ..Seen::default() };
    let mut asked = Instant::now();
    loop {
        let outcome = client.ask().await.map(|_| ());
        let answered = Instant::now();
        match outcome {
            Ok(()) => seen.answered += 1,
            Err(error) if failures == Failures::Fatal => return Err(error),
            Err(_) => {
                seen.failed += 1;
                if answered >= to {
                    return Ok(seen);
                }
                // A client would wait as well.
                tokio::time::sleep(Duration::from_millis(1)).await;
                asked = Instant::now();
                continue;
            }
        }
        if answered >= to {
            seen.late = Some(answered - asked);
            return Ok(seen);
        }
        if asked >= from {
            seen.latencies.push(answered - asked);
        }
        asked = answered;
    }
}

/// The value below which this part of sorted values lies.
pub(crate) fn quantile<T: Copy + Default>(sorted: &[T], part: f64) -> T {
    let index = (sorted.len() as f64 * part) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}
