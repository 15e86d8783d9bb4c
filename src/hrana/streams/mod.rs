//! The streams of Hrana over HTTP between two requests.
//!
//! A slot is found by the stream id in a baton. It is in one of four states:
//!
//! - *resting*: outside a transaction, without a connection; costs little and does not expire while there
//!   is room;
//! - *holding*: keeps its connection, because of a transaction, temporary objects or changed pragmas;
//!   expires when idle;
//! - *lent*: a request is being executed on it;
//! - *ended*: closed, expired or lost; remembered for a while, so that a late request is told the truth.
//!
//! Invariants: a baton works once, on the database and with no less than the rights it was issued for. A
//! stream that was inside a transaction when it ended never executes anything again. The reply to the last
//! baton is kept (if it is small), so that a client which did not get it can ask again.

mod borrowed;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use dashmap::DashMap;
use uuid::Uuid;

use super::baton::Baton;
use super::stream::Stream;
use crate::auth::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

pub use self::borrowed::Borrowed;

/// All streams of Hrana over HTTP.
pub struct Streams {
    slots: DashMap<u64, Slot>,
    /// Memory of stored texts and kept replies.
    bytes: AtomicUsize,
    holding: AtomicUsize,
    /// How long a stream may be idle inside a transaction.
    transaction_idle: Duration,
}

struct Slot {
    database: Uuid,
    access: Access,
    /// The nonce of the baton that is good next.
    nonce: u128,
    last: Option<Served>,
    state: State,
    since: Instant,
    bytes: usize,
}

/// The request served last.
struct Served {
    nonce: u128,
    /// Of the request's body, to know it again.
    digest: u64,
    reply: Option<Bytes>,
}

enum State {
    Resting(Held),
    Holding(Held),
    Lent,
    Ended(Ending),
}

/// A stream that nobody works with. The mutex is never locked: whoever has the slot has the stream; it says
/// so to the compiler, as a connection may be moved between threads but not shared.
struct Held(Mutex<Stream>);

impl Held {
    fn new(stream: Stream) -> Self {
        Held(Mutex::new(stream))
    }

    fn get(&mut self) -> &Stream {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn into_stream(self) -> Stream {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Closed,
    Expired,
    /// Too many streams held a connection.
    Crowded,
    /// Its client disconnected during a request, or the request could not be finished.
    Lost,
}

/// What a baton opens.
pub enum Opened {
    Stream(Box<(Stream, Borrowed)>),
    /// The request was served before; this was the reply.
    Reply(Bytes),
    /// Another request is being executed on the stream: ask again soon.
    Wait,
}

impl Streams {
    pub fn new(transaction_idle: Duration) -> Self {
        Streams {
            slots: DashMap::new(),
            bytes: AtomicUsize::new(0),
            holding: AtomicUsize::new(0),
            transaction_idle,
        }
    }

    /// How long a stream may be idle inside a transaction.
    pub fn transaction_idle(&self) -> Duration {
        self.transaction_idle
    }

    /// How many streams do more than rest: a request works with them, or they hold a connection.
    pub fn in_use(&self) -> usize {
        let is_used = |slot: &Slot| matches!(slot.state, State::Lent | State::Holding(_));
        self.slots.iter().filter(|slot| is_used(slot)).count()
    }

    /// What each stream that is remembered does.
    pub fn states(&self) -> Vec<&'static str> {
        let state = |slot: &Slot| match slot.state {
            State::Resting(_) => "resting",
            State::Holding(_) => "holding",
            State::Lent => "acquired",
            State::Ended(Ending::Expired) => "expired",
            State::Ended(_) => "ended",
        };
        self.slots.iter().map(|slot| state(&slot)).collect()
    }

    /// The duty for a stream that has just been opened.
    pub fn borrow_new(self: &Arc<Self>) -> Borrowed {
        Borrowed::new(Arc::clone(self), None)
    }

    /// Takes the stream of a baton for the request with this digest.
    pub fn borrow(
        self: &Arc<Self>,
        baton: Baton,
        database: Uuid,
        access: &Access,
        digest: u64,
    ) -> Result<Opened> {
        let mut slot = self.slots.get_mut(&baton.stream).ok_or_else(invalid)?;
        // The same answer for a stranger's baton as for none: nothing is learnt by trying.
        if slot.database != database || !access.covers(&slot.access) {
            return Err(invalid());
        }
        if slot.nonce != baton.nonce {
            return slot.repeated(baton.nonce, digest);
        }
        let next = baton.next()?;
        let held = match std::mem::replace(&mut slot.state, State::Lent) {
            State::Lent => return Ok(Opened::Wait),
            State::Ended(ending) => {
                slot.state = State::Ended(ending);
                return Err(ended(ending));
            }
            State::Resting(held) => held,
            State::Holding(held) => {
                self.holding.fetch_sub(1, Relaxed);
                held
            }
        };
        slot.lend(digest, next.nonce, self);
        let borrowed = Borrowed::new(Arc::clone(self), Some(next));
        Ok(Opened::Stream(Box::new((held.into_stream(), borrowed))))
    }

    /// Rolls back and ends the streams that have been idle for too long, and forgets what ended long ago.
    pub fn sweep(&self, now: Instant) {
        self.slots.retain(|_, slot| {
            let idle = now.saturating_duration_since(slot.since);
            match &mut slot.state {
                State::Holding(held) => {
                    let limit = if held.get().is_in_transaction() {
                        self.transaction_idle
                    } else {
                        limits::STREAM_HOLDING_IDLE
                    };
                    if idle >= limit {
                        self.holding.fetch_sub(1, Relaxed);
                        slot.state = State::Ended(Ending::Expired);
                        slot.since = now;
                    }
                    true
                }
                State::Ended(_) if idle >= limits::STREAM_ENDED_MEMORY => {
                    self.bytes.fetch_sub(slot.bytes, Relaxed);
                    false
                }
                State::Ended(_) | State::Resting(_) | State::Lent => true,
            }
        });
    }

    fn has_too_many_bytes(&self) -> bool {
        self.bytes.load(Relaxed) >= limits::STREAMS_BYTES_MAX
    }

    /// Forgets resting and ended streams, the ones idle for longest: those that take memory where that is what
    /// is short, or else any, until a twentieth of the room is free.
    fn make_room(&self) {
        let is_full = self.slots.len() >= limits::STREAMS_MAX;
        if !is_full && !self.has_too_many_bytes() {
            return;
        }
        let may_go = |slot: &Slot| {
            matches!(slot.state, State::Resting(_) | State::Ended(_)) && (is_full || slot.bytes > 0)
        };
        let mut oldest: Vec<_> = self
            .slots
            .iter()
            .filter(|slot| may_go(slot))
            .map(|slot| (slot.since, *slot.key()))
            .collect();
        oldest.sort_unstable();
        let (slots, bytes) = (limits::STREAMS_MAX / 20 * 19, limits::STREAMS_BYTES_MAX / 20 * 19);
        for (_, id) in oldest {
            if self.slots.len() < slots.max(1) && self.bytes.load(Relaxed) < bytes {
                return;
            }
            if let Some((_, slot)) = self.slots.remove_if(&id, |_, slot| may_go(slot)) {
                self.bytes.fetch_sub(slot.bytes, Relaxed);
            }
        }
    }
}

impl Slot {
    fn lend(&mut self, digest: u64, next: u128, streams: &Streams) {
        self.set_bytes(0, streams);
        self.last = Some(Served { nonce: self.nonce, digest, reply: None });
        self.nonce = next;
    }

    /// The answer to a baton that is not the next one.
    fn repeated(&self, nonce: u128, digest: u64) -> Result<Opened> {
        let is_same = |served: &&Served| served.nonce == nonce;
        let Some(last) = self.last.as_ref().filter(is_same) else { return Err(invalid()) };
        match (&self.state, &last.reply) {
            _ if last.digest != digest => Err(Error::new(
                ErrorKind::BatonReused,
                "Received a baton that has already been used, with a different request; use the \
                 baton of the last reply",
            )),
            (State::Lent, _) => Ok(Opened::Wait),
            (_, Some(reply)) => Ok(Opened::Reply(reply.clone())),
            (State::Ended(ending), None) if *ending != Ending::Closed => Err(ended(*ending)),
            (_, None) => Err(Error::new(
                ErrorKind::BatonReused,
                "Received a baton that has already been used; its request was executed, but its \
                 reply is not kept: it was large, or a cursor's",
            )),
        }
    }

    fn set_bytes(&mut self, bytes: usize, streams: &Streams) {
        streams.bytes.fetch_add(bytes, Relaxed);
        streams.bytes.fetch_sub(self.bytes, Relaxed);
        self.bytes = bytes;
    }
}

fn invalid() -> Error {
    Error::new(
        ErrorKind::BatonInvalid,
        "Received an invalid baton: no such stream on this database; open a new stream",
    )
}

fn ended(ending: Ending) -> Error {
    match ending {
        Ending::Closed => Error::new(
            ErrorKind::BatonInvalid,
            "Received an invalid baton: the stream was closed; open a new stream",
        ),
        Ending::Expired => {
            Error::new(ErrorKind::StreamExpired, "The stream has expired due to inactivity")
        }
        Ending::Crowded => Error::new(
            ErrorKind::StreamExpired,
            "The stream has expired: too many streams had a transaction open; it was rolled back, \
             try again",
        ),
        Ending::Lost => Error::new(
            ErrorKind::StreamExpired,
            "The stream has expired: its client disconnected during a request, and an open \
             transaction was rolled back",
        ),
    }
}
