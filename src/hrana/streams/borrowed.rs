//! A stream that a request works with, and the duty to give it back.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use bytes::Bytes;
use uuid::Uuid;

use super::{Ending, Held, Slot, State, Streams};
use crate::auth::Access;
use crate::error::Result;
use crate::hrana::Stream;
use crate::hrana::baton::Baton;
use crate::limits;

/// The duty to give a stream back. Dropped without that, the stream is lost.
pub struct Borrowed {
    streams: Arc<Streams>,
    /// Names the stream in its next request. Most streams are closed by their first one and need none.
    next: Option<Baton>,
    /// Whether there is a slot for the stream.
    is_known: bool,
    is_done: bool,
}

impl Borrowed {
    /// `next` is the next baton of a stream that is known, none for a new stream.
    pub(super) fn new(streams: Arc<Streams>, next: Option<Baton>) -> Self {
        Borrowed { streams, next, is_known: next.is_some(), is_done: false }
    }

    /// The baton for the reply to this request.
    pub fn baton(&mut self) -> Result<String> {
        Ok(self.next()?.to_text())
    }

    fn next(&mut self) -> Result<Baton> {
        match self.next {
            Some(next) => Ok(next),
            None => Ok(*self.next.insert(Baton::new()?)),
        }
    }

    /// Makes the stream known before its request has ended, because its baton is sent first.
    pub fn announce(&mut self, stream: &Stream) -> Result<String> {
        let next = self.next()?;
        if !self.is_known {
            self.insert(next, stream.namespace().id(), stream.access().clone());
        }
        Ok(next.to_text())
    }

    /// Gives the stream back, with the reply to the request.
    pub fn give_back(mut self, mut stream: Stream, reply: Option<&Bytes>) -> Result<()> {
        let next = self.next()?;
        if !self.is_known {
            self.insert(next, stream.namespace().id(), stream.access().clone());
        }
        let stored = stream.stored_bytes();
        let is_free = stream.park(next.stream);
        let state = if stream.is_abandoned() {
            // The client went in this moment; its connection is interrupted for good.
            State::Ended(Ending::Lost)
        } else if stored > 0 && self.streams.has_too_many_bytes() {
            State::Ended(Ending::Crowded)
        } else if is_free {
            State::Resting(Held::new(stream))
        } else if self.streams.holding.load(Relaxed) < limits::STREAMS_HOLDING_MAX {
            self.streams.holding.fetch_add(1, Relaxed);
            State::Holding(Held::new(stream))
        } else {
            State::Ended(Ending::Crowded)
        };
        self.settle(state, reply, stored);
        Ok(())
    }

    /// Ends the stream at its client's wish; the reply is kept for a client that did not get it.
    pub fn close(mut self, reply: &Bytes) {
        self.settle(State::Ended(Ending::Closed), Some(reply), 0);
    }

    fn insert(&mut self, next: Baton, database: Uuid, access: Access) {
        self.is_known = true;
        self.streams.make_room();
        let slot = Slot {
            database,
            access,
            nonce: next.nonce,
            last: None,
            state: State::Lent,
            since: Instant::now(),
            bytes: 0,
        };
        self.streams.slots.insert(next.stream, slot);
    }

    /// Ends the duty. A stream without a slot was new and is closed: nobody can ask for it.
    fn settle(&mut self, state: State, reply: Option<&Bytes>, stored: usize) {
        self.is_done = true;
        let Some(next) = self.next.filter(|_| self.is_known) else { return };
        let Some(mut slot) = self.streams.slots.get_mut(&next.stream) else { return };
        let reply = reply.filter(|reply| reply.len() <= limits::REPLY_KEPT_BYTES_MAX);
        // Without a baton that led here nobody can ask for the reply again.
        if let Some(last) = &mut slot.last {
            last.reply = reply.cloned();
        }
        let kept = slot.last.as_ref().and_then(|last| last.reply.as_ref()).map_or(0, Bytes::len);
        slot.state = state;
        slot.since = Instant::now();
        slot.set_bytes(stored + kept, &self.streams);
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if !self.is_done {
            self.settle(State::Ended(Ending::Lost), None, 0);
        }
    }
}
