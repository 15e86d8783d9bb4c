//! Prepared statements kept for the next time the same text comes.

use std::collections::VecDeque;

use super::statement::Statement;

/// The most recently used statements of one connection. Small enough to be searched from the newest on.
pub(super) struct StatementCache {
    entries: VecDeque<(Box<str>, Statement)>,
    capacity: usize,
}

impl StatementCache {
    pub(super) fn new(capacity: usize) -> Self {
        StatementCache { entries: VecDeque::new(), capacity }
    }

    /// The statement of `sql`, where it stays.
    pub(super) fn get(&self, sql: &str) -> Option<&Statement> {
        self.entries.iter().find(|(text, _)| **text == *sql).map(|(_, statement)| statement)
    }

    /// Takes the statement of `sql` out of the cache; what is in use is not in here.
    pub(super) fn take(&mut self, sql: &str) -> Option<(Box<str>, Statement)> {
        let index = self.entries.iter().position(|(text, _)| **text == *sql)?;
        self.entries.remove(index)
    }

    /// Keeps a statement that has been reset; drops the one that was not used for longest.
    pub(super) fn put(&mut self, sql: Box<str>, statement: Statement) {
        if self.entries.len() >= self.capacity {
            self.entries.pop_back();
        }
        self.entries.push_front((sql, statement));
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}
