//! A queue for something that one at a time may have.
//!
//! Whoever is on a processor may take what is free although others wait, as long as these have not waited for long: a
//! task that is woken up runs some time later only, and until then nobody would use what is short in itself. Who has
//! waited for long is handed it, in the order of arrival.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::limits;

#[derive(Default)]
pub(super) struct TurnQueue(Mutex<State>);

#[derive(Default)]
struct State {
    is_taken: bool,
    /// Each is a request, of which there is a bounded number.
    waiting: VecDeque<Waiting>,
    next: u64,
}

struct Waiting {
    number: u64,
    since: Instant,
    /// None if it was woken up.
    waker: Option<Waker>,
    /// It has the turn, and does not know yet.
    has_turn: bool,
}

/// What one at a time has, until it is dropped.
pub struct Turn(Arc<TurnQueue>);

/// Waits for a turn.
pub(super) struct Taking {
    queue: Arc<TurnQueue>,
    /// Its place, once it waits.
    number: Option<u64>,
}

impl TurnQueue {
    /// Takes the turn if it is free, and nobody has waited for long.
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Turn> {
        let mut state = self.lock();
        let is_free =
            !state.is_taken && state.waiting.front().is_none_or(|first| !first.is_impatient());
        is_free.then(|| {
            state.is_taken = true;
            Turn(Arc::clone(self))
        })
    }

    pub(super) fn take(self: &Arc<Self>) -> Taking {
        Taking { queue: Arc::clone(self), number: None }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn is_impatient(&self) -> bool {
        self.since.elapsed() >= limits::TURN_PATIENCE
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Woken up without the lock, which it needs.
        let waker = self.0.lock().pass_on();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Future for Taking {
    type Output = Turn;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Turn> {
        let queue = Arc::clone(&self.queue);
        let mut state = queue.lock();
        let place = self.number.and_then(|number| state.place_of(number));
        let is_next = place.map_or(state.waiting.is_empty(), |place| place == 0);
        let has_turn = place.is_some_and(|place| state.waiting[place].has_turn);
        if has_turn || (is_next && !state.is_taken) {
            state.is_taken = true;
            if let Some(place) = place {
                state.waiting.remove(place);
            }
            self.number = None;
            return Poll::Ready(Turn(Arc::clone(&queue)));
        }
        let waker = Some(context.waker().clone());
        match place {
            Some(place) => state.waiting[place].waker = waker,
            None => {
                let number = state.next;
                state.next += 1;
                let since = Instant::now();
                state.waiting.push_back(Waiting { number, since, waker, has_turn: false });
                self.number = Some(number);
            }
        }
        Poll::Pending
    }
}

impl State {
    /// Leaves the turn to whoever is next.
    fn pass_on(&mut self) -> Option<Waker> {
        self.is_taken = false;
        let first = self.waiting.front_mut()?;
        first.has_turn = first.is_impatient();
        self.is_taken = first.has_turn;
        first.waker.take()
    }

    fn place_of(&self, number: u64) -> Option<usize> {
        self.waiting.iter().position(|waiting| waiting.number == number)
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.queue.lock();
            let place = self.number.and_then(|number| state.place_of(number));
            let Some(left) = place.and_then(|place| state.waiting.remove(place)) else { return };
            // It may be the one that was to go on.
            if left.has_turn || !state.is_taken { state.pass_on() } else { None }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};
    use std::thread::sleep;

    use super::{Taking, TurnQueue};
    use crate::limits;

    fn look(taking: &mut std::pin::Pin<&mut Taking>) -> Option<super::Turn> {
        match taking.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn who_is_there_goes_first_for_a_moment() {
        let queue = Arc::new(TurnQueue::default());
        let turn = queue.try_take().unwrap();
        assert!(queue.try_take().is_none());
        let mut waiting = pin!(queue.take());
        assert!(look(&mut waiting).is_none());
        drop(turn);
        let turn = queue.try_take().unwrap();
        assert!(look(&mut waiting).is_none());
        sleep(limits::TURN_PATIENCE);
        drop(turn);
        assert!(queue.try_take().is_none());
        assert!(look(&mut waiting).is_some());
        assert!(queue.try_take().is_some());
    }

    #[test]
    fn who_has_waited_long_is_served_in_the_order_of_arrival() {
        let queue = Arc::new(TurnQueue::default());
        let turn = queue.try_take().unwrap();
        let (mut first, mut second) = (pin!(queue.take()), pin!(queue.take()));
        assert!(look(&mut first).is_none() && look(&mut second).is_none());
        sleep(limits::TURN_PATIENCE);
        drop(turn);
        assert!(look(&mut second).is_none());
        let turn = look(&mut first).unwrap();
        assert!(look(&mut second).is_none());
        drop(turn);
        assert!(look(&mut second).is_some());
    }

    #[test]
    fn who_leaves_takes_nothing_along() {
        let queue = Arc::new(TurnQueue::default());
        for patience in [std::time::Duration::ZERO, limits::TURN_PATIENCE] {
            let turn = queue.try_take().unwrap();
            let mut second = {
                let mut first = Box::pin(queue.take());
                assert!(look(&mut first.as_mut()).is_none());
                let mut second = Box::pin(queue.take());
                assert!(look(&mut second.as_mut()).is_none());
                sleep(patience);
                drop(turn);
                second
            };
            assert!(look(&mut second.as_mut()).is_some());
        }
        assert!(queue.try_take().is_some());
    }
}
