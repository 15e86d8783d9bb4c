//! Streams on WebSockets in a closed loop: each sends its next request when it has the answer to the last one.
//! The streams of a socket are multiplexed on it, as a client does that uses one socket for all.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Result;
use crate::driver::{Measured, Seen};
use crate::socket::{self, Socket};
use crate::statements::point_reads;

/// How many sockets, and how many streams on each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) sockets: usize,
    pub(crate) streams: usize,
}

impl Shape {
    /// Streams on all sockets.
    pub(crate) fn all(self) -> usize {
        self.sockets * self.streams
    }
}

/// The requests of one stream, and when the last one was sent.
struct Stream {
    requests: Vec<Box<[u8]>>,
    next: usize,
    asked: Instant,
}

/// Loads a server with point reads; only what is asked and answered in `length`, after the warm-up, counts. The
/// first failure ends it.
pub(crate) async fn drive(
    address: SocketAddr,
    shape: Shape,
    warm_up: Duration,
    length: Duration,
) -> Result<Measured> {
    let mut sockets = Vec::new();
    for index in 0..shape.sockets {
        sockets.push(open(address, index, shape).await?);
    }
    let from = Instant::now() + warm_up;
    let to = from + length;
    let mut tasks = JoinSet::new();
    for (socket, streams) in sockets {
        tasks.spawn(repeat(socket, streams, from, to));
    }
    Measured::collect(tasks, length).await
}

/// A socket with its streams open. Of all reads each stream has its own part.
async fn open(address: SocketAddr, index: usize, shape: Shape) -> Result<(Socket, Vec<Stream>)> {
    let mut socket = Socket::connect(address).await?;
    let reads = point_reads();
    let mut streams = Vec::new();
    for id in 0..shape.streams {
        socket.queue(&socket::open_stream(id));
        socket.send().await?;
        socket.next().await?;
        let own =
            reads.iter().skip(index * shape.streams + id).step_by(shape.sockets * shape.streams);
        let requests = own.map(|stmt| socket::execute(id, stmt)).collect();
        streams.push(Stream { requests, next: 0, asked: Instant::now() });
    }
    Ok((socket, streams))
}

async fn repeat(
    mut socket: Socket,
    mut streams: Vec<Stream>,
    from: Instant,
    to: Instant,
) -> Result<Seen> {
    let mut seen = Seen { latencies: Vec::with_capacity(64 * 1024), ..Seen::default() };
    for stream in &mut streams {
        stream.ask(&mut socket, Instant::now());
    }
    loop {
        socket.send().await?;
        socket.read_more().await?;
        let now = Instant::now();
        if now >= to {
            return Ok(seen);
        }
        while let Some(id) = socket.answer()? {
            let stream = streams.get_mut(id).ok_or("an answer is for nobody")?;
            seen.answered += 1;
            if stream.asked >= from {
                seen.latencies.push(now - stream.asked);
            }
            stream.ask(&mut socket, now);
        }
    }
}

impl Stream {
    fn ask(&mut self, socket: &mut Socket, now: Instant) {
        socket.queue(&self.requests[self.next]);
        self.next = (self.next + 1) % self.requests.len();
        self.asked = now;
    }
}
