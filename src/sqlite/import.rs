//! Makes a database file of a dump: the SQL of a stranger, executed statement by statement on a file that nobody
//! else sees yet.
//!
//! The policy is that of tenants' SQL, and what dumps of the tool `sqlite3` do besides: they write the schema to
//! put virtual tables into it. What has done so is checked as a whole afterwards; see [`super::settle`].

use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;

use super::check;
use super::execution::{refuse_nul, skip_blank};
use super::file::{self, open_file};
use super::interruption::Interruption;
use super::preparation;
use super::regulator::{Kind, Regulator};
use super::statement::Step;
use super::statement_reader::{StatementReader, at_line};
use crate::auth::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A database that is being made. All of its functions block.
pub struct Import {
    path: PathBuf,
    interruption: Interruption,
    regulator: std::sync::Arc<Regulator>,
    db: rusqlite::Connection,
    has_written_schema: bool,
}

impl Import {
    /// Makes an empty file at `path`, which may grow to about `size_limit` bytes.
    pub fn create(path: &Path, size_limit: Option<u64>) -> Result<Self> {
        // Opened as others open it, which need it to be there.
        std::fs::File::create_new(path).map_err(|error| cannot("create", error))?;
        let mut db = open_file(path)?;
        set_up(&db, size_limit).map_err(|error| cannot("prepare", error))?;
        let interruption = Interruption::install(&mut db)?;
        let regulator = Regulator::install(&mut db, Access::FULL)?;
        regulator.allow_dump();
        let path = path.to_owned();
        Ok(Import { path, interruption, regulator, db, has_written_schema: false })
    }

    /// Stops the import when it is told so.
    pub fn interruption(&self) -> &Interruption {
        &self.interruption
    }

    /// Executes all of a dump. Fails at the first statement that does, with its line.
    pub fn execute(&mut self, dump: impl Read) -> Result<()> {
        let mut statements = StatementReader::new(dump);
        let mut is_empty = true;
        while let Some(found) = statements.next()? {
            is_empty = false;
            self.execute_one(found.sql).map_err(|error| {
                let error = self.interruption.explain(error, limits::DUMP_STATEMENT);
                match error.kind().http_status() {
                    // Something is wrong with the machine and not with the dump.
                    500.. => error,
                    _ => at_line(found.line, error.message()),
                }
            })?;
        }
        if is_empty {
            return Err(Error::bad_request("the dump is empty: it has no statement"));
        }
        if !self.db.is_autocommit() {
            return Err(Error::bad_request(
                "the dump ends within a transaction: COMMIT is missing, so its end may be missing too",
            ));
        }
        Ok(())
    }

    /// Executes one statement, or several where SQLite sees more than one.
    fn execute_one(&mut self, sql: &str) -> Result<()> {
        refuse_nul(sql)?;
        let (db, regulator) = (&self.db, &self.regulator);
        let mut rest = sql;
        while !skip_blank(rest).is_empty() {
            self.interruption.allow(limits::DUMP_STATEMENT);
            let judged = preparation::prepare(db, regulator, rest)?;
            if judged.seen.kind == Kind::Rollback {
                return Err(taken_back());
            }
            if let Some(mut statement) = judged.prepared.statement {
                while let Step::Row = regulator.run(|| statement.step(db, &regulator.watch))? {}
            }
            if judged.seen.has_pragma {
                let may_write = db.db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA);
                self.has_written_schema |=
                    may_write.map_err(|error| cannot("look after", error))?;
            }
            match judged.prepared.consumed {
                0 => return Ok(()),
                consumed => rest = &rest[consumed..],
            }
        }
        Ok(())
    }

    /// Closes the file, which is durable and as all others then.
    pub fn finish(self) -> Result<()> {
        let Import { path, db, regulator, has_written_schema, .. } = self;
        let closed = regulator.trust(|| file::close_as_wal(db));
        closed?;
        if has_written_schema { check::settle(&path) } else { file::sync(&path) }
    }
}

/// What makes an import fast: a file that is thrown away when anything goes wrong needs no care before its end.
fn set_up(db: &rusqlite::Connection, size_limit: Option<u64>) -> rusqlite::Result<()> {
    // The schema and the tables of virtual tables are written by SQL, as in no other file.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    db.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, limits::DUMP_STATEMENT_BYTES_MAX as i32)?;
    db.execute_batch(&format!(
        "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF; PRAGMA cache_size = -{}; \
         PRAGMA max_page_count = {};",
        limits::DUMP_CACHE_KIB,
        file::pages(size_limit),
    ))
}

fn taken_back() -> Error {
    Error::new(
        ErrorKind::BadRequest,
        "ROLLBACK takes everything back; a program that writes a dump ends it so when it has failed",
    )
}

fn cannot(doing: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::internal(format!("{doing} the file of a new database"), error)
}
