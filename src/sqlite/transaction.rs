//! The transaction of a connection, and the turn to write that goes with it.

use rusqlite::{MAIN_DB, TransactionState};

use super::connection::Connection;
use super::turn_queue::Turn;
use crate::error::Error;

impl Connection {
    /// Whether the client is outside a transaction, as far as it can know.
    pub fn is_autocommit(&self) -> bool {
        (self.db.is_autocommit() || self.is_in_implicit_rehearsal()) && !self.has_lost_transaction
    }

    /// Whether there is anything to roll back.
    pub(super) fn is_at_rest(&self) -> bool {
        self.db.is_autocommit() && !self.has_lost_transaction
    }

    /// Whether the connection has the right to write, now or from an earlier statement.
    pub(super) fn try_take_turn(&mut self) -> bool {
        if self.turn.is_none() && !self.has_turn_elsewhere {
            self.turn = self.write_turn.try_take();
        }
        self.turn.is_some() || self.has_turn_elsewhere
    }

    /// Has the right to write, which the caller has taken for the statement that comes next.
    pub fn hold_turn(&mut self, turn: Turn) {
        self.turn = Some(turn);
    }

    pub(super) fn settle(&mut self) {
        self.settle_rehearsal();
        if self.db.is_autocommit() {
            self.is_read_transaction = false;
        }
        if let Some(commits) = &mut self.commits {
            commits.note();
        }
        if self.turn.is_some() && self.transaction_state() != TransactionState::Write {
            self.turn = None;
        }
    }

    pub(super) fn transaction_state(&self) -> TransactionState {
        self.db.transaction_state(Some(MAIN_DB)).unwrap_or(TransactionState::Write)
    }

    /// Takes back everything of an open transaction.
    pub fn roll_back(&mut self) {
        self.abandon();
        self.has_lost_transaction = false;
        if !self.db.is_autocommit() {
            // A failure leaves the connection unclean, and it is closed, which rolls back as well.
            let _ = self.regulator.run(|| {
                self.db.execute_batch("ROLLBACK").map_err(|e| Error::internal("roll back", e))
            });
        }
        self.forget_rehearsal();
        self.settle();
    }
}
