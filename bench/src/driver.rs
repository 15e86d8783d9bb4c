//! Clients in a closed loop: each sends its next request when it has the answer to the last one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Result;
use crate::client::Client;

/// Requests to be sent, one after the other, from the beginning again at their end.
pub(crate) type Requests = Arc<[Box<[u8]>]>;

/// What one measurement found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Loads a server from `clients` connections; only what is asked and answered in `length`, after the
/// warm-up, counts. The first failure ends it.
pub(crate) async fn drive(
    address: SocketAddr,
    requests: &Requests,
    clients: usize,
    warm_up: Duration,
    length: Duration,
) -> Result<Measured> {
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(Client::connect(address).await?);
    }
    let from = Instant::now() + warm_up;
    let to = from + length;
    let mut tasks = JoinSet::new();
    for (index, client) in connections.into_iter().enumerate() {
        let first = index * requests.len() / clients;
        tasks.spawn(repeat(client, Arc::clone(requests), first, from, to));
    }
    Measured::collect(tasks, length).await
}

impl Measured {
    /// Of the latencies that the clients have seen in a time of this length.
    pub(crate) async fn collect(
        mut clients: JoinSet<Result<Vec<Duration>>>,
        length: Duration,
    ) -> Result<Self> {
        let mut latencies = Vec::new();
        while let Some(client) = clients.join_next().await {
            latencies.append(&mut client??);
        }
        if latencies.is_empty() {
            return Err("no request was answered in the time of the measurement".into());
        }
        let per_second = latencies.len() as f64 / length.as_secs_f64();
        latencies.sort_unstable();
        let (p50, p99) = (quantile(&latencies, 0.50), quantile(&latencies, 0.99));
        Ok(Measured { per_second, p50, p99 })
    }
}

async fn repeat(
    mut client: Client,
    requests: Requests,
    first: usize,
    from: Instant,
    to: Instant,
) -> Result<Vec<Duration>> {
    let mut latencies = Vec::with_capacity(64 * 1024);
    let mut asked = Instant::now();
    for request in requests.iter().cycle().skip(first) {
        client.ask(request).await?;
        let answered = Instant::now();
        if answered >= to {
            break;
        }
        if asked >= from {
            latencies.push(answered - asked);
        }
        asked = answered;
    }
    Ok(latencies)
}

/// The value below which this part of sorted values lies.
pub(crate) fn quantile<T: Copy + Default>(sorted: &[T], part: f64) -> T {
    let index = (sorted.len() as f64 * part) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}
