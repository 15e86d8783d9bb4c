//! Taking over migrations: the statements of a job and the mark that says so, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;

use super::arguments::Arguments;
use super::connection::Connection;
use super::durability::Durability;
use super::execution::{Execution, Progress, Tail};
use super::file::Sharing;
use super::mark;
use super::pace::Pace;
use super::rehearsal::Change;
use super::sink::Discard;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// What a job does, ready to be executed.
pub struct Migration {
    pub job: i64,
    pragmas: Vec<String>,
    steps: Vec<(Arc<str>, Arguments)>,
}

/// Where and why a database could not take a migration over. Nothing of that migration is left in it.
#[derive(Debug)]
pub struct MigrationFailure {
    pub job: i64,
    /// Counted from 1; none if it was no statement.
    pub step: Option<usize>,
    pub error: Error,
}

/// Rows that refer to others that are not there, by the tables of both: how many, and the first of them.
type Violations = BTreeMap<(String, String), (usize, Vec<Option<i64>>)>;

impl Migration {
    pub fn new(job: i64, change: &Change) -> Self {
        let steps = change.steps.iter().map(|stmt| {
            let sql = match &stmt.sql {
                hrana_protocol::SqlRef::Text { sql } => Arc::from(sql.as_str()),
                hrana_protocol::SqlRef::Stored { .. } => Arc::from(""),
            };
            let arguments =
                Arguments { positional: stmt.args.clone(), named: stmt.named_args.clone() };
            (sql, arguments)
        });
        Migration { job, pragmas: change.pragmas.clone(), steps: steps.collect() }
    }

    fn failure(&self, step: Option<usize>, error: Error) -> MigrationFailure {
        MigrationFailure { job: self.job, step, error }
    }
}

/// Lets a thread that waits for this core have it: there may be a client behind it. The system would take the core away
/// from this one as well, but some milliseconds later.
fn give_way() {
    std::thread::yield_now();
}

impl Connection {
    /// Sets a connection up that takes migrations over, and nothing else. Its user has the turn to write.
    pub(super) fn begin_migrations(&mut self, sharing: Sharing) -> Result<()> {
        self.has_turn_elsewhere = true;
        let wait = match sharing {
            Sharing::Shared => limits::MIGRATION_BUSY_WAIT,
            Sharing::Alone => Duration::ZERO,
        };
        give_way();
        self.alone_until =
            (sharing == Sharing::Alone).then(|| Instant::now() + limits::MIGRATION_ALONE);
        self.db
            .busy_timeout(wait)
            .map_err(|error| Error::internal("prepare a migration", error))?;
        // What was committed is durable; moving it into the file can wait for those who use it.
        self.db
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(|error| Error::internal("prepare a migration", error))?;
        self.suspend_foreign_keys()
    }

    /// The last job that the database has taken over.
    pub fn mark(&self) -> Result<i64> {
        self.regulator
            .trust(|| mark::read(&self.db))
            .map_err(|error| Error::internal("read the version of a database", error))
    }

    /// Executes migrations that the database does not have yet, and takes everything back.
    pub fn try_migrations(
        &mut self,
        migrations: &[Arc<Migration>],
    ) -> Result<(), MigrationFailure> {
        let Some(last) = migrations.last() else { return Ok(()) };
        let outcome = self.execute_all(migrations, Durability::AtOnce);
        self.roll_back();
        give_way();
        let violations = outcome?;
        self.check(&violations).map_err(|error| last.failure(None, error))
    }

    /// Takes over migrations that the database does not have yet, each whole or not at all. The version that it has
    /// then.
    pub fn migrate(
        &mut self,
        migrations: &[Arc<Migration>],
        durability: Durability,
    ) -> Result<i64, MigrationFailure> {
        let mut version = 0;
        for migration in migrations {
            let outcome = self.migrate_one(migration, durability);
            if outcome.is_err() {
                self.roll_back();
            }
            version = outcome?;
        }
        Ok(version)
    }

    fn migrate_one(
        &mut self,
        migration: &Arc<Migration>,
        durability: Durability,
    ) -> Result<i64, MigrationFailure> {
        let fail = |error| migration.failure(None, error);
        let one = std::slice::from_ref(migration);
        let violations = self.execute_all(one, durability)?;
        if !violations.is_empty() {
            // Those that were there before are not this migration's.
            self.roll_back();
            self.check(&violations).map_err(fail)?;
            self.execute_all(one, durability)?;
        }
        let version = self.mark().map_err(fail)?;
        if version >= migration.job {
            self.roll_back();
            return Ok(version);
        }
        self.regulator
            .trust(|| mark::write(&self.db, migration.job))
            .map_err(|error| fail(Error::internal("set the version of a database", error)))?;
        give_way();
        self.transact("COMMIT").map_err(fail)?;
        give_way();
        Ok(migration.job)
    }

    /// Executes what the database does not have yet, in a transaction that stays open, and returns the foreign keys
    /// that are violated then.
    fn execute_all(
        &mut self,
        migrations: &[Arc<Migration>],
        durability: Durability,
    ) -> Result<Violations, MigrationFailure> {
        for (index, migration) in migrations.iter().enumerate() {
            let fail = |step| move |error| migration.failure(step, error);
            for pragma in &migration.pragmas {
                self.execute_step(pragma, &Arguments::default()).map_err(fail(None))?;
            }
            if index == 0 {
                self.suspend_foreign_keys().map_err(fail(None))?;
                self.begin_migration(durability).map_err(fail(None))?;
                give_way();
            }
            if self.mark().map_err(fail(None))? >= migration.job {
                continue;
            }
            for (index, (sql, arguments)) in migration.steps.iter().enumerate() {
                self.execute_step(sql, arguments).map_err(fail(Some(index + 1)))?;
                give_way();
            }
        }
        let last = migrations.last();
        self.violations().map_err(|error| MigrationFailure {
            job: last.map_or(0, |migration| migration.job),
            step: None,
            error,
        })
    }

    /// How long the next statement may run.
    fn time_left(&self) -> Duration {
        let until = self.alone_until.map(|until| until.saturating_duration_since(Instant::now()));
        until.unwrap_or(limits::MIGRATION_STATEMENT)
    }

    fn execute_step(&mut self, sql: &str, arguments: &Arguments) -> Result<()> {
        let limit = self.time_left();
        if limit.is_zero() {
            let message = "others have waited for the file for long enough";
            return Err(Error::new(ErrorKind::StatementTimeout, message));
        }
        let (execution, _) = Execution::start(self, sql, Tail::Empty, arguments, limit)?;
        let Some(mut execution) = execution else { return Ok(()) };
        let mut sink = Discard::default();
        match execution.advance(self, 0, &mut sink, Pace::Full) {
            Ok(Progress::Done) => Ok(()),
            Ok(progress) => {
                self.abandon();
                Err(Error::internal("execute a step of a migration", format!("{progress:?}")))
            }
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    /// Fails if there are more of these than before. Outside a transaction.
    fn check(&self, violations: &Violations) -> Result<()> {
        if violations.is_empty() {
            return Ok(());
        }
        let before = self.violations()?;
        let none = (0, Vec::new());
        // A table that was rebuilt may have given its rows other numbers, so that only how many there are is sure.
        let Some((tables, (_, rows))) = violations
            .iter()
            .find(|(tables, (count, _))| *count > before.get(*tables).unwrap_or(&none).0)
        else {
            return Ok(());
        };
        let (table, parent) = tables;
        let (_, known) = before.get(tables).unwrap_or(&none);
        let new = rows.iter().find(|row| !known.contains(row)).or(rows.first());
        let rowid = new.copied().flatten();
        let row = rowid.map_or_else(String::new, |rowid| format!(" in row {rowid}"));
        Err(Error::new(
            ErrorKind::Sqlite(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY),
            format!(
                "SQLite error: FOREIGN KEY constraint failed: table {table}{row} would refer to a row of {parent} \
                 that is not there"
            ),
        ))
    }

    fn violations(&self) -> Result<Violations> {
        self.interruption().allow(self.time_left());
        let read = || -> rusqlite::Result<Violations> {
            let mut violations = Violations::new();
            let mut statement = self.db.prepare_cached("PRAGMA foreign_key_check")?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                let (count, rows) = violations.entry((row.get(0)?, row.get(2)?)).or_default();
                *count += 1;
                if rows.len() < limits::VIOLATIONS_MAX {
                    rows.push(row.get(1)?);
                }
            }
            Ok(violations)
        };
        self.regulator.trust(read).map_err(|error| {
            let code = error.sqlite_error().map_or(1, |error| error.extended_code);
            Error::new(ErrorKind::Sqlite(code), format!("SQLite error: {error}"))
        })
    }
}
