//! What is executed on a schema database is rehearsed: it happens in a transaction that is rolled back, and what
//! has changed something in it is recorded. At the client's COMMIT, or at the end of a request outside a
//! transaction, the record becomes a migration of the database and its children (`crate::migration`).
//!
//! So results come from the rehearsal, and reads in the same transaction see the change that is to come.

use hrana_protocol::{SqlRef, Stmt};
use rusqlite::TransactionState;
use rusqlite::config::DbConfig;
use rusqlite::ffi;
use serde::{Deserialize, Serialize};

use super::arguments::Arguments;
use super::connection::Connection;
use super::regulator::Kind;
use super::turn_queue::Turn;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// The statements of a migration, in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What the client had set of its connection before.
    pub pragmas: Vec<String>,
    pub steps: Vec<Stmt>,
}

/// What there is to do before the statement at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rehearsed {
    /// Nothing.
    GoOn,
    /// What was recorded has to become a migration first.
    Migrate,
}

/// A rehearsal that is over.
pub struct Ended {
    /// What is to be migrated, with the turn to write that it was rehearsed under; or why it cannot be.
    pub change: Result<(Change, Turn)>,
}

/// The record of a connection to a schema database.
#[derive(Default)]
pub(super) struct Rehearsal {
    recorded: Change,
    bytes: usize,
    /// The transaction is ours: the client has begun none.
    is_implicit: bool,
    /// Why what was recorded cannot become a migration.
    flaw: Option<String>,
    /// The migration of the COMMIT at hand is done.
    is_migrated: bool,
    /// The transaction was rolled back because its migration failed; the client may do so, too.
    may_roll_back: bool,
}

impl Rehearsal {
    pub(super) fn is_implicit(&self) -> bool {
        self.is_implicit
    }

    fn forget(&mut self) {
        self.recorded.steps.clear();
        (self.bytes, self.is_implicit, self.flaw) = (0, false, None);
    }

    fn record(&mut self, stmt: Stmt) {
        let size = |sql: &SqlRef| match sql {
            SqlRef::Text { sql } => sql.len(),
            SqlRef::Stored { .. } => 0,
        };
        let named = stmt.named_args.iter().map(|argument| argument.name.len());
        let arguments = stmt.args.iter().chain(stmt.named_args.iter().map(|named| &named.value));
        self.bytes +=
            size(&stmt.sql) + named.sum::<usize>() + arguments.map(value_size).sum::<usize>();
        if self.bytes > limits::MIGRATION_SCRIPT_BYTES_MAX {
            let mebibytes = limits::MIGRATION_SCRIPT_BYTES_MAX / limits::MIB;
            self.flaw = Some(format!("one migration may have {mebibytes} MiB of statements"));
        } else {
            self.recorded.steps.push(stmt);
        }
    }
}

fn value_size(value: &hrana_protocol::Value) -> usize {
    match value {
        hrana_protocol::Value::Text(text) => text.len(),
        hrana_protocol::Value::Blob(bytes) => bytes.len(),
        _ => size_of::<hrana_protocol::Value>(),
    }
}

/// A statement with what was bound, for the record.
pub(super) fn stmt_of(sql: &str, arguments: &Arguments) -> Stmt {
    Stmt {
        sql: sql.into(),
        args: arguments.positional.clone(),
        named_args: arguments.named.clone(),
        want_rows: None,
    }
}

impl Connection {
    /// Has everything on this connection rehearsed from now on.
    pub(super) fn begin_rehearsals(&mut self) -> Result<()> {
        self.rehearsal = Some(Box::default());
        self.regulator.forbid_temporary();
        self.suspend_foreign_keys()
    }

    /// Forgets what another stream has done.
    pub(super) fn forget_rehearsal(&mut self) {
        if let Some(rehearsal) = &mut self.rehearsal {
            **rehearsal = Rehearsal::default();
        }
    }

    pub(super) fn is_rehearsing(&self) -> bool {
        self.rehearsal.is_some()
    }

    /// Whether a transaction is open that the client has not begun.
    pub fn is_in_implicit_rehearsal(&self) -> bool {
        self.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.is_implicit)
    }

    /// To be called before the active statement is executed.
    pub(super) fn rehearse(&mut self) -> Result<Rehearsed> {
        let (Some(rehearsal), Some(active)) = (&mut self.rehearsal, &self.active) else {
            return Ok(Rehearsed::GoOn);
        };
        let kind = active.statement.kind;
        rehearsal.may_roll_back &= kind == Kind::Rollback;
        if rehearsal.is_migrated {
            return Ok(Rehearsed::GoOn);
        }
        let is_outside = self.db.is_autocommit();
        match kind {
            Kind::Begin if rehearsal.is_implicit => return Ok(Rehearsed::Migrate),
            Kind::Begin => self.suspend_foreign_keys()?,
            Kind::Savepoint if is_outside || rehearsal.is_implicit => {
                return Err(Error::new(
                    ErrorKind::Denied,
                    "not authorized: on a schema database a transaction begins with BEGIN, not with SAVEPOINT",
                ));
            }
            Kind::Commit | Kind::Rollback if rehearsal.is_implicit => return Err(not_begun(kind)),
            Kind::Commit if !is_outside && self.has_change() => return Ok(Rehearsed::Migrate),
            Kind::Commit | Kind::Rollback | Kind::Savepoint => {}
            Kind::Rows | Kind::Other => {
                if is_outside && active.statement.writes() && !active.statement.sets_connection {
                    self.suspend_foreign_keys()?;
                    self.transact("BEGIN")?;
                    if let Some(rehearsal) = &mut self.rehearsal {
                        rehearsal.is_implicit = true;
                    }
                }
            }
        }
        Ok(Rehearsed::GoOn)
    }

    /// Whether the active statement is done without SQLite.
    pub(super) fn is_rehearsed(&self) -> bool {
        let (Some(rehearsal), Some(active)) = (&self.rehearsal, &self.active) else { return false };
        match active.statement.kind {
            Kind::Commit => rehearsal.is_migrated,
            Kind::Rollback => rehearsal.may_roll_back && self.db.is_autocommit(),
            _ => false,
        }
    }

    /// Records the active statement, which is done.
    pub(super) fn record(&mut self, stmt: Stmt) {
        let has_changed = self.transaction_state() == TransactionState::Write;
        let (Some(rehearsal), Some(active)) = (&mut self.rehearsal, &self.active) else { return };
        let statement = &active.statement;
        let is_step = match statement.kind {
            // A transaction that begins as a writer looks like a change.
            Kind::Begin | Kind::Commit | Kind::Rollback => false,
            Kind::Savepoint => true,
            Kind::Rows | Kind::Other => statement.writes() && has_changed,
        };
        if statement.sets_connection {
            let pragmas = &mut rehearsal.recorded.pragmas;
            if let SqlRef::Text { sql } = stmt.sql {
                // The last of the same text counts.
                pragmas.retain(|known| *known != sql);
                if pragmas.len() < limits::MIGRATION_PRAGMAS_MAX {
                    pragmas.push(sql);
                }
            }
        } else if is_step {
            rehearsal.record(stmt);
        }
    }

    /// To be called where a statement has ended: a transaction of ours in which nothing happened is of no use, and
    /// what was recorded in one that is over is not either.
    pub(super) fn settle_rehearsal(&mut self) {
        let Some(rehearsal) = &self.rehearsal else { return };
        if rehearsal.is_implicit
            && rehearsal.flaw.is_none()
            && rehearsal.recorded.steps.is_empty()
            && !self.db.is_autocommit()
        {
            let _ = self.transact("ROLLBACK");
        }
        let is_over = self.db.is_autocommit();
        if let Some(rehearsal) = self.rehearsal.as_mut().filter(|_| is_over) {
            rehearsal.is_migrated = false;
            // In ours a rollback has a reason, which is told at the end of the request.
            if rehearsal.flaw.is_none() || !rehearsal.is_implicit {
                rehearsal.forget();
            }
        }
    }

    /// Notes that a statement has failed, after it had changed something or not. A request outside a transaction is
    /// migrated as a whole or not at all.
    pub(super) fn fail_rehearsal(&mut self, has_changed: bool) {
        let Some(rehearsal) = &mut self.rehearsal else { return };
        if rehearsal.is_implicit {
            rehearsal.flaw.get_or_insert_with(|| {
                "another statement of the same request has failed; nothing of it was migrated"
                    .to_owned()
            });
        } else if has_changed {
            rehearsal.flaw.get_or_insert_with(|| {
                "a statement of the transaction has failed half-way (OR FAIL), which cannot be done the same way in \
                 every child; nothing was migrated"
                    .to_owned()
            });
        }
    }

    /// Rolls the rehearsal back and hands out what was recorded.
    pub fn end_rehearsal(&mut self) -> Ended {
        let turn = self.turn.take();
        let rolled_back = if self.db.is_autocommit() { Ok(()) } else { self.transact("ROLLBACK") };
        let Some(rehearsal) = &mut self.rehearsal else {
            return Ended { change: Err(Error::internal("end a rehearsal", "there is none")) };
        };
        let flaw = rehearsal.flaw.take();
        let steps = std::mem::take(&mut rehearsal.recorded.steps);
        let change = Change { pragmas: rehearsal.recorded.pragmas.clone(), steps };
        rehearsal.forget();
        let change = match (rolled_back, flaw, turn) {
            (Err(error), ..) => Err(error),
            (Ok(()), Some(flaw), _) => Err(Error::new(ErrorKind::MigrationFailed, flaw)),
            (Ok(()), None, Some(turn)) => Ok((change, turn)),
            (Ok(()), None, None) => Err(Error::internal("migrate", "the turn to write was lost")),
        };
        Ended { change }
    }

    /// Says how the migration of the COMMIT at hand has ended.
    pub fn conclude_rehearsal(&mut self, is_migrated: bool) {
        let is_commit =
            self.active.as_ref().is_some_and(|active| active.statement.kind == Kind::Commit);
        if let Some(rehearsal) = &mut self.rehearsal {
            rehearsal.is_migrated = is_migrated && is_commit;
            rehearsal.may_roll_back = !is_migrated;
        }
    }

    fn has_change(&self) -> bool {
        let is_recorded = |rehearsal: &Rehearsal| {
            rehearsal.flaw.is_some() || !rehearsal.recorded.steps.is_empty()
        };
        self.rehearsal.as_deref().is_some_and(is_recorded)
            && self.transaction_state() == TransactionState::Write
    }

    /// Migrations rebuild tables that others refer to; what they leave is checked before it is committed.
    pub(super) fn suspend_foreign_keys(&self) -> Result<()> {
        self.db
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)
            .map(|_| ())
            .map_err(|error| Error::internal("suspend foreign keys", error))
    }

    /// Begins or ends a transaction of the server's own.
    pub(super) fn transact(&self, sql: &'static str) -> Result<()> {
        self.regulator.trust(|| self.db.execute_batch(sql)).map_err(|error| {
            let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
            Error::new(ErrorKind::Sqlite(code), format!("SQLite error: {error}"))
        })
    }
}

/// What SQLite says to a transaction's end where none has begun.
fn not_begun(kind: Kind) -> Error {
    let what = if kind == Kind::Commit { "commit" } else { "rollback" };
    Error::new(
        ErrorKind::Sqlite(ffi::SQLITE_ERROR),
        format!("SQLite error: cannot {what} - no transaction is active"),
    )
}
