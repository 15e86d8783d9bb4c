//! The catalog: the durable truth about which databases there are. A SQLite file of its own.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::name::NamespaceName;
use crate::error::{Error, ErrorKind, Result};

/// What the catalog knows of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Stable, and never used again: a database created anew under the same name has another.
    pub id: Uuid,
    pub name: NamespaceName,
    pub group: String,
}

pub(super) struct Catalog(Mutex<Connection>);

/// The form of the catalog that this program writes (`PRAGMA user_version`).
const FORMAT: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE databases (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    group_name TEXT NOT NULL,
    created_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
-- Databases whose files are still to be removed.
CREATE TABLE deleted (id TEXT PRIMARY KEY) STRICT;
";

impl Catalog {
    /// Opens the catalog at `path`, or makes a new one.
    #[expect(clippy::disallowed_methods, reason = "the catalog is not a tenant's file")]
    pub(super) fn open(path: &Path) -> Result<Self> {
        let db = Connection::open(path).map_err(failed("open the catalog"))?;
        prepare(&db).map_err(failed("read the catalog"))?;
        let format: i64 = db
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed("read the catalog"))?;
        if format != FORMAT {
            return Err(Error::internal(
                format!("read the catalog {}", path.display()),
                format!("it has format {format}, this version knows format {FORMAT}"),
            ));
        }
        Ok(Catalog(Mutex::new(db)))
    }

    pub(super) fn find(&self, name: &NamespaceName) -> Result<Option<Record>> {
        let sql = "SELECT id, name, group_name FROM databases WHERE name = ?";
        let db = self.lock();
        let mut statement = db.prepare(sql).map_err(failed("look a database up"))?;
        let found = statement.query_row([name.as_str()], read_record).optional();
        found.map_err(failed("look a database up"))
    }

    /// Databases in the order of their names, from the first name after `after` on.
    pub(super) fn list(
        &self,
        group: Option<&str>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Record>> {
        let sql = "SELECT id, name, group_name FROM databases
                   WHERE name > ?1 AND (?2 IS NULL OR group_name = ?2) ORDER BY name LIMIT ?3";
        let db = self.lock();
        let mut statement = db.prepare(sql).map_err(failed("list the databases"))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        statement
            .query_map(params![after, group, limit], read_record)
            .and_then(Iterator::collect)
            .map_err(failed("list the databases"))
    }

    /// Adds a database. Once this returns it exists, whatever happens to the machine.
    pub(super) fn insert(&self, record: &Record) -> Result<()> {
        let sql = "INSERT INTO databases (id, name, group_name) VALUES (?, ?, ?)";
        let values = params![record.id.to_string(), record.name.as_str(), record.group];
        match self.lock().execute(sql, values) {
            Ok(_) => Ok(()),
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
            {
                Err(exists(&record.name))
            }
            Err(error) => Err(failed("add a database to the catalog")(error)),
        }
    }

    /// Removes a database and notes that its files are to be removed. `None` if there is none.
    pub(super) fn delete(&self, name: &NamespaceName) -> Result<Option<Uuid>> {
        let mut db = self.lock();
        let transaction = db.transaction().map_err(failed("delete a database"))?;
        let id: Option<String> = transaction
            .query_row(
                "DELETE FROM databases WHERE name = ? RETURNING id",
                [name.as_str()],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed("delete a database"))?;
        let Some(id) = id else { return Ok(None) };
        transaction
            .execute("INSERT INTO deleted (id) VALUES (?)", [&id])
            .and_then(|_| transaction.commit())
            .map_err(failed("delete a database"))?;
        Ok(Some(parse_id(&id).map_err(failed("delete a database"))?))
    }

    /// Databases that were deleted and whose files may still be there.
    pub(super) fn deleted(&self) -> Result<Vec<Uuid>> {
        let db = self.lock();
        let mut statement =
            db.prepare("SELECT id FROM deleted").map_err(failed("list deleted databases"))?;
        let ids = statement.query_map([], |row| parse_id(&row.get::<_, String>(0)?));
        ids.and_then(Iterator::collect).map_err(failed("list deleted databases"))
    }

    /// Forgets a deleted database, whose files are gone.
    pub(super) fn purge(&self, id: Uuid) -> Result<()> {
        let purged = self.lock().execute("DELETE FROM deleted WHERE id = ?", [id.to_string()]);
        purged.map(|_| ()).map_err(failed("forget a deleted database"))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets the connection up, and creates the tables in a new file.
fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    let is_new: bool = db.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |r| r.get(0))?;
    if is_new {
        db.execute_batch(&format!("BEGIN; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;"))?;
    }
    Ok(())
}

fn read_record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let name: String = row.get(1)?;
    let name = NamespaceName::parse(&name).map_err(|error| bad_text(1, error))?;
    Ok(Record { id: parse_id(&row.get::<_, String>(0)?)?, name, group: row.get(2)? })
}

fn parse_id(text: &str) -> rusqlite::Result<Uuid> {
    Uuid::parse_str(text).map_err(|error| bad_text(0, error))
}

fn bad_text(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |error| Error::internal(doing, error)
}

pub(super) fn exists(name: &NamespaceName) -> Error {
    Error::new(ErrorKind::DatabaseExists, format!("database with name {name} already exists"))
}
