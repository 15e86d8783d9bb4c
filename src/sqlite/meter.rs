//! What the statements of a database read and write, and which of them cost most.
//!
//! Counting is on the way of every point read. So a prepared statement knows its own counters, and to count is to
//! add to a few atomic numbers; the list is locked only when a text is prepared.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits;

/// Of one database, as long as this process remembers it.
#[derive(Default)]
pub struct Meter {
    unsaved: Rows,
    /// By their text.
    queries: Mutex<HashMap<Arc<str>, Arc<Query>>>,
}

#[derive(Default)]
struct Rows {
    read: AtomicU64,
    written: AtomicU64,
}

/// A text of SQL and what it has cost.
pub(super) struct Query {
    text: Arc<str>,
    rows: Rows,
    /// Cleared when others have cost more and there was no room.
    is_listed: AtomicBool,
}

/// What a text of SQL has cost since it is on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopQuery {
    pub text: Arc<str>,
    pub rows_read: u64,
    pub rows_written: u64,
}

impl Meter {
    /// The counters of a text. Longer ones are cut, so that some may have the same.
    pub(super) fn query(&self, sql: &str) -> Arc<Query> {
        let text = sql.trim_matches(|c: char| c.is_whitespace() || c == ';');
        let mut end = text.len().min(limits::QUERY_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = &text[..end];
        let mut queries = self.lock();
        if let Some(query) = queries.get(text) {
            return Arc::clone(query);
        }
        let query = Arc::new(Query {
            text: text.into(),
            rows: Rows::default(),
            is_listed: AtomicBool::new(true),
        });
        list(&mut queries, &query);
        query
    }

    /// Counts what a statement has done. `query` is there if it was the client's.
    pub(super) fn count(&self, query: Option<&Arc<Query>>, read: u64, written: u64) {
        self.unsaved.add(read, written);
        let Some(query) = query else { return };
        query.rows.add(read, written);
        if !query.is_listed.load(Relaxed) {
            list(&mut self.lock(), query);
        }
    }

    /// Rows read and written since this was asked last.
    pub fn take_unsaved(&self) -> (u64, u64) {
        (self.unsaved.read.swap(0, Relaxed), self.unsaved.written.swap(0, Relaxed))
    }

    /// Gives back what could not be saved.
    pub fn put_back(&self, (read, written): (u64, u64)) {
        self.unsaved.add(read, written);
    }

    pub fn has_unsaved(&self) -> bool {
        self.unsaved.cost() > 0
    }

    /// The texts that have cost most rows, read or written, from the most on.
    pub fn top_queries(&self) -> Vec<TopQuery> {
        let mut top: Vec<_> = self.lock().values().map(|query| query.told()).collect();
        top.retain(|query| query.cost() > 0);
        top.sort_by_key(|query| std::cmp::Reverse(query.cost()));
        top.truncate(limits::QUERIES_TOLD);
        top
    }

    /// Keeps few queries: the database is not in use.
    pub fn shrink(&self) {
        keep(&mut self.lock(), limits::QUERIES_KEPT);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Query>>> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a query on the list. When that is full, the half goes that has cost least: so what costs much is never
/// lost among many texts that come once.
fn list(queries: &mut HashMap<Arc<str>, Arc<Query>>, query: &Arc<Query>) {
    if queries.len() >= limits::QUERIES_LISTED {
        keep(queries, limits::QUERIES_LISTED / 2);
    }
    // Another connection may have listed the same text meanwhile.
    let listed = queries.entry(Arc::clone(&query.text)).or_insert_with(|| Arc::clone(query));
    if !Arc::ptr_eq(listed, query) {
        let (read, written) = query.rows.take();
        listed.rows.add(read, written);
    } else {
        query.is_listed.store(true, Relaxed);
    }
}

/// Keeps the `count` queries that have cost most.
fn keep(queries: &mut HashMap<Arc<str>, Arc<Query>>, count: usize) {
    let mut by_cost: Vec<_> = queries.values().map(Arc::clone).collect();
    by_cost.sort_by_cached_key(|query| std::cmp::Reverse(query.rows.cost()));
    for query in by_cost.iter().skip(count) {
        query.is_listed.store(false, Relaxed);
        queries.remove(&query.text);
    }
}

impl Rows {
    fn add(&self, read: u64, written: u64) {
        for (to, count) in [(&self.read, read), (&self.written, written)] {
            if count > 0 {
                to.fetch_add(count, Relaxed);
            }
        }
    }

    fn take(&self) -> (u64, u64) {
        (self.read.swap(0, Relaxed), self.written.swap(0, Relaxed))
    }

    fn cost(&self) -> u64 {
        self.read.load(Relaxed).saturating_add(self.written.load(Relaxed))
    }
}

impl Query {
    fn told(&self) -> TopQuery {
        TopQuery {
            text: Arc::clone(&self.text),
            rows_read: self.rows.read.load(Relaxed),
            rows_written: self.rows.written.load(Relaxed),
        }
    }
}

impl TopQuery {
    fn cost(&self) -> u64 {
        self.rows_read.saturating_add(self.rows_written)
    }
}

#[cfg(test)]
mod tests {
    use super::Meter;
    use crate::limits;

    fn told(meter: &Meter) -> Vec<(String, u64, u64)> {
        let top = meter.top_queries().into_iter();
        top.map(|query| (query.text.to_string(), query.rows_read, query.rows_written)).collect()
    }

    #[test]
    fn what_costs_most_comes_first() {
        let meter = Meter::default();
        for (sql, read, written) in
            [("SELECT 1;", 1, 0), (" INSERT \n", 0, 3), ("SELECT 1", 1, 0), ("DELETE", 0, 0)]
        {
            meter.count(Some(&meter.query(sql)), read, written);
        }
        meter.count(None, 10, 0);
        assert_eq!(told(&meter), [("INSERT".to_owned(), 0, 3), ("SELECT 1".to_owned(), 2, 0)]);
        assert_eq!(meter.take_unsaved(), (12, 3));
        assert!(!meter.has_unsaved());
        meter.put_back((1, 0));
        assert_eq!(meter.take_unsaved(), (1, 0));
    }

    #[test]
    fn what_costs_much_is_not_lost_among_many() {
        let meter = Meter::default();
        let dear = meter.query("dear");
        let cheap = meter.query("cheap");
        meter.count(Some(&dear), 100, 0);
        meter.count(Some(&cheap), 1, 0);
        for number in 0..limits::QUERIES_LISTED * 3 {
            meter.count(Some(&meter.query(&format!("SELECT {number}"))), 2, 0);
        }
        assert!(meter.lock().len() <= limits::QUERIES_LISTED);
        assert_eq!(told(&meter)[0], ("dear".to_owned(), 100, 0));
        assert!(told(&meter).len() <= limits::QUERIES_TOLD);
        // A statement that was prepared before comes back to the list with what it has cost.
        meter.count(Some(&cheap), 1000, 0);
        assert_eq!(told(&meter)[0], ("cheap".to_owned(), 1001, 0));
        meter.shrink();
        assert_eq!(meter.lock().len(), limits::QUERIES_KEPT);
        assert_eq!(told(&meter)[1], ("dear".to_owned(), 100, 0));
    }

    #[test]
    fn two_who_count_the_same_text_are_one() {
        let meter = Meter::default();
        let before = meter.query("a");
        for number in 0..limits::QUERIES_LISTED {
            meter.count(Some(&meter.query(&format!("SELECT {number}"))), 2, 0);
        }
        meter.count(Some(&meter.query("a")), 500, 0);
        meter.count(Some(&before), 500, 0);
        meter.count(Some(&before), 1, 1);
        assert_eq!(told(&meter)[0], ("a".to_owned(), 1001, 1));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let meter = Meter::default();
        let sql = format!("{}é", "a".repeat(limits::QUERY_BYTES_MAX - 1));
        meter.count(Some(&meter.query(&sql)), 1, 0);
        assert_eq!(told(&meter)[0].0.len(), limits::QUERY_BYTES_MAX - 1);
    }
}
