//! One connection to one tenant's file: its prepared statements, its transaction, its turn to write.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hrana_protocol::{Col, ValueRef};
use tokio::sync::OwnedSemaphorePermit;

use super::active::Active;
use super::arguments::Arguments;
use super::cache::StatementCache;
use super::commits::Commits;
use super::dialect::{self, Begin};
use super::file::{self, Sharing};
use super::interruption::Interruption;
use super::libsql;
use super::meter::Meter;
use super::policy::Condition;
use super::preparation;
use super::refusals::{is_asked_rollback, read_transaction_refusal, transaction_lost};
use super::regulator::{Judged, Kind, Regulator};
use super::rehearsal::Rehearsal;
use super::session::{SavedSession, Session};
use super::statement::{Statement, Step};
use super::turn_queue::Turn;
use super::vector;
use super::write_turn::WriteTurn;
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::limits;

/// A connection, with its prepared statements and at most one statement in execution.
pub struct Connection {
    // Fields are dropped in this order: statements before the connection that made them.
    pub(super) active: Option<Active>,
    cache: StatementCache,
    pub(super) regulator: Arc<Regulator>,
    interruption: Interruption,
    session: Session,
    /// The right to write this database, held from the first write to the end of the transaction.
    pub(super) turn: Option<Turn>,
    /// Whoever uses the connection has that right, and keeps it.
    pub(super) has_turn_elsewhere: bool,
    /// How long a migration may keep all others from the file, where it does that.
    pub(super) alone_until: Option<Instant>,
    /// Of a schema database.
    pub(super) rehearsal: Option<Box<Rehearsal>>,
    /// Inside `BEGIN READONLY`, as long as no autocommit.
    pub(super) is_read_transaction: bool,
    /// SQLite has rolled back a transaction that the client still believes in.
    pub(super) has_lost_transaction: bool,
    pub(super) write_turn: WriteTurn,
    meter: Arc<Meter>,
    /// How many pages SQLite lets the file have, as it was told last.
    pages_max: u32,
    pub(super) db: rusqlite::Connection,
    /// Where the wait for the disk is shared. SQLite refers to it.
    pub(super) commits: Option<Commits>,
    _open: OwnedSemaphorePermit,
}

impl Connection {
    /// Opens the file at `path`, which must exist. `open` is the place of this connection among all.
    pub fn open(
        path: &Path,
        sharing: Sharing,
        access: Access,
        write_turn: WriteTurn,
        meter: Arc<Meter>,
        open: OwnedSemaphorePermit,
    ) -> Result<Self> {
        let mut db = file::open_file_as(path, sharing)?;
        let interruption = Interruption::install(&mut db)?;
        let session = Session::install(&db)?;
        vector::install(&db)?;
        let regulator = Regulator::install(&mut db, access)?;
        Ok(Connection {
            active: None,
            cache: StatementCache::new(limits::STATEMENTS_CACHED),
            regulator,
            interruption,
            session,
            turn: None,
            has_turn_elsewhere: false,
            alone_until: None,
            rehearsal: None,
            is_read_transaction: false,
            has_lost_transaction: false,
            write_turn,
            meter,
            pages_max: file::PAGES_MAX,
            db,
            commits: None,
            _open: open,
        })
    }

    /// Hands the connection to a stream with this history and these rights.
    pub(super) fn begin_session(&mut self, saved: SavedSession, access: &Access) {
        if self.regulator.set_access(access) {
            self.cache.clear();
        }
        self.forget_rehearsal();
        self.session.begin(&self.db, saved);
    }

    /// Limits the size of the file, which may be larger already.
    pub(super) fn set_pages_max(&mut self, pages: u32) -> Result<()> {
        if self.pages_max != pages {
            self.regulator
                .trust(|| self.db.pragma_update(None, "max_page_count", pages))
                .map_err(|error| Error::internal("limit the size of the database", error))?;
            self.pages_max = pages;
        }
        Ok(())
    }

    /// What the stream must find again on its next connection.
    pub fn save_session(&self) -> SavedSession {
        self.session.save(&self.db)
    }

    /// Whether another stream may have this connection next.
    pub fn is_clean(&self) -> bool {
        self.active.is_none()
            && self.turn.is_none()
            && self.is_at_rest()
            && !self.is_in_implicit_rehearsal()
            && !self.regulator.is_tainted()
            && !self.interruption.is_cancelled()
    }

    /// Whether the rights are those of single tables.
    pub(super) fn has_table_rights(&self) -> bool {
        self.regulator.has_table_rights()
    }

    pub fn interruption(&self) -> &Interruption {
        &self.interruption
    }

    /// Whether the active statement may change the database.
    pub(super) fn writes(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.statement.writes())
    }

    /// Whether `sql` was executed on this connection before and did not take long.
    pub(super) fn knows(&self, sql: &str) -> bool {
        self.cache.get(sql).is_some_and(|statement| self.is_quick(statement))
    }

    /// Whether the active statement is such a one.
    pub(super) fn may_be_quick(&self) -> bool {
        self.active.as_ref().is_some_and(|active| self.is_quick(&active.statement))
    }

    /// Whether it may be executed on a thread that others need; of a write inside a transaction see `may_begin_again`.
    fn is_quick(&self, statement: &Statement) -> bool {
        if self.rehearsal.is_some() && statement.kind != Kind::Rows {
            // The beginning and the end of a transaction have to be rehearsed.
            return false;
        }
        let may_be_short = match statement.kind {
            Kind::Rows if statement.is_readonly => true,
            Kind::Rows => self.commits.is_some() && self.rehearsal.is_none(),
            // Neither waits for the disk (see `Commits`): few pages are left to write, or a lock is taken that nobody of
            // this server has who does not have the turn. They are too short to be interrupted.
            Kind::Begin | Kind::Commit => self.commits.is_some(),
            _ => statement.is_readonly && !statement.writes() && self.turn.is_none(),
        };
        may_be_short && !statement.slowness.is_expected()
    }

    /// Whether nothing is lost by interrupting the active statement: inside a transaction that would end the
    /// transaction, if it writes.
    pub(super) fn may_begin_again(&self) -> bool {
        !self.writes() || self.is_at_rest()
    }

    /// Remembers whether the active statement took long.
    pub(super) fn note_time(&mut self, is_slow: bool) {
        if let Some(active) = &mut self.active {
            active.statement.slowness.note(is_slow);
        }
    }

    /// Whether the active statement is about rows alone, so that what SQLite counts is all that it does.
    pub(super) fn is_about_rows(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.statement.kind == Kind::Rows)
    }

    /// Prepares the first statement of `sql` for execution; `None` if there is none. Also says where the
    /// rest of the text begins.
    pub(super) fn prepare(&mut self, sql: &str) -> Result<(Option<&Statement>, usize)> {
        self.abandon();
        // Before anything is prepared, as a pragma acts then.
        if self.has_lost_transaction && !dialect::is_rollback(sql) {
            return Err(transaction_lost());
        }
        if let Some((sql, statement)) = self.cache.take(sql) {
            let consumed = sql.len();
            let active = Active {
                sql,
                statement,
                is_cacheable: true,
                begins_read_transaction: false,
                may_reconnect: self.regulator.is_limited(),
            };
            return Ok((Some(&self.active.insert(active).statement), consumed));
        }
        self.prepare_anew(sql)
    }

    /// The same without looking for a statement that is prepared already.
    pub(super) fn prepare_anew(&mut self, sql: &str) -> Result<(Option<&Statement>, usize)> {
        let begin = dialect::find_begin(sql);
        let text = begin.map_or(sql, |(begin, _)| begin.sql());
        let Judged { prepared, seen, conditions } =
            preparation::prepare(&self.db, &self.regulator, text)
                .map_err(|error| libsql::explain(error, text))?;
        let consumed = begin.map_or(prepared.consumed, |(_, length)| length);
        let Some(mut statement) = prepared.statement else { return Ok((None, consumed)) };
        // EXPLAIN shows rows, whatever it explains.
        statement.kind = if statement.is_explain { Kind::Rows } else { seen.kind };
        statement.is_pragma = seen.has_pragma;
        statement.sets_connection = seen.sets_connection;
        // A pragma does its work while it is prepared: kept and executed again it would do nothing. And what
        // changes the schema may turn from nothing to do (IF EXISTS) into a write when SQLite prepares it again.
        let is_cacheable = statement.kind != Kind::Other
            && !seen.has_pragma
            && begin.is_none()
            && !conditions.iter().any(Condition::can_change)
            && consumed == sql.len()
            && sql.len() <= limits::STATEMENT_CACHED_BYTES;
        let may_reconnect = self.regulator.is_limited() && !seen.has_pragma;
        let keeps_text = is_cacheable || may_reconnect;
        let active = Active {
            sql: if keeps_text { sql[..consumed].into() } else { Box::default() },
            statement,
            is_cacheable,
            begins_read_transaction: matches!(begin, Some((Begin::ReadOnly, _))),
            may_reconnect,
        };
        Ok((Some(&self.active.insert(active).statement), consumed))
    }

    /// Makes SQLite notice that the schema is another. Executing does that; preparing does not.
    pub(super) fn refresh_schema(&self) -> Result<()> {
        preparation::refresh_schema(&self.db, &self.regulator)
    }

    /// Binds the arguments of the active statement.
    pub(super) fn bind(&mut self, arguments: &Arguments) -> Result<()> {
        match &mut self.active {
            Some(active) => arguments.bind(&self.db, &mut active.statement),
            None => Ok(()),
        }
    }

    /// Executes the active statement up to its next row or its end.
    pub(super) fn step(&mut self) -> Result<Step> {
        let Some(active) = &mut self.active else { return Ok(Step::Done) };
        if self.has_lost_transaction {
            // See `prepare`. ROLLBACK is what the client has to say now, and it is done already.
            let is_rollback = active.statement.kind == Kind::Rollback;
            self.has_lost_transaction = !is_rollback;
            return if is_rollback { Ok(Step::Done) } else { Err(transaction_lost()) };
        }
        if self.is_rehearsed() {
            return Ok(Step::Done);
        }
        let Some(active) = &mut self.active else { return Ok(Step::Done) };
        let was_in_transaction = !self.db.is_autocommit();
        if active.statement.writes() {
            if self.is_read_transaction && was_in_transaction {
                return Err(read_transaction_refusal());
            }
            if active.statement.kind == Kind::Rows {
                self.session.note_write();
            }
        }
        let step = active.step(&self.db, &self.regulator);
        match &step {
            Ok(Step::Done) if active.begins_read_transaction => self.is_read_transaction = true,
            Err(error) if was_in_transaction && self.db.is_autocommit() => {
                let is_ours = self.rehearsal.as_ref().is_some_and(|own| own.is_implicit());
                self.has_lost_transaction = !is_ours && !is_asked_rollback(error);
            }
            _ => {}
        }
        step
    }

    /// Makes the active statement fail and takes back what it has changed. `false` if it was at its end.
    pub(super) fn stop(&mut self) -> bool {
        self.db.get_interrupt_handle().interrupt();
        loop {
            match self.step() {
                Ok(Step::Row) => {}
                Ok(Step::Done) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Rows that the active statement has visited, if SQLite has counted them.
    pub(super) fn rows_read(&self) -> Option<u64> {
        self.active.as_ref().and_then(|active| active.statement.rows_read())
    }

    /// Names and declared types of the columns of the active statement.
    pub(super) fn cols(&mut self) -> Arc<[Col]> {
        match &mut self.active {
            Some(active) => Arc::clone(active.statement.cols()),
            None => Arc::default(),
        }
    }

    /// A value of the current row; `Err` holds the bytes of a text that is not valid UTF-8.
    pub(super) fn raw_value(&self, index: usize) -> Result<ValueRef<'_>, &[u8]> {
        let index = i32::try_from(index).unwrap_or(i32::MAX);
        self.active.as_ref().map_or(Ok(ValueRef::Null), |active| active.statement.raw_value(index))
    }

    /// Gives the values of the current row to `push`, if they have at most `room` bytes.
    #[inline]
    pub(super) fn read_row(&self, room: usize, push: impl FnMut(ValueRef<'_>)) -> Result<()> {
        match &self.active {
            Some(active) => active.statement.read_row(room, push),
            None => Ok(()),
        }
    }

    /// Changed rows, and the rowid that was inserted last.
    pub(super) fn counters(&self) -> super::statement::Counters {
        super::statement::counters(&self.db)
    }

    /// Ends the execution of the active statement, and gives the turn back where a transaction has ended.
    pub(super) fn finish(&mut self) {
        if let Some(mut active) = self.active.take() {
            active.statement.reset();
            self.regulator.end();
            if active.is_cacheable {
                self.cache.put(active.sql, active.statement);
            }
        }
        self.settle();
    }

    /// Resets a statement that could not get a lock; it can be stepped again from its beginning.
    pub(super) fn rewind(&mut self) {
        if let Some(active) = &mut self.active {
            active.rewind();
        }
    }

    /// Notes that the active statement is the client's, with this text.
    pub(super) fn name_query(&mut self, sql: &str) {
        if let Some(active) = &mut self.active
            && active.statement.kind == Kind::Rows
        {
            active.statement.query.get_or_insert_with(|| self.meter.query(sql));
        }
    }

    /// Counts what the active statement has done.
    pub(super) fn count(&self, rows_read: u64, rows_written: u64) {
        let query = self.active.as_ref().and_then(|active| active.statement.query.as_ref());
        self.meter.count(query, rows_read, rows_written);
    }

    /// Ends an execution that will not be continued. It may have read much.
    pub fn abandon(&mut self) {
        if self.active.is_some() {
            if self.is_about_rows() && !self.writes() {
                self.count(self.rows_read().unwrap_or(0), 0);
            }
            self.finish();
        }
    }
}
