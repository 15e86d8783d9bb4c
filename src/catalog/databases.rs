//! Databases: which there are, and which were there lately.

use rusqlite::{OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::foreign_keys::JWT_KEY;
use super::groups::Group;
use super::name::NamespaceName;
use super::record::{Filter, Parent, Record, Role, SchemaRef, Settings};
use super::{Catalog, bad_text, failed, is_duplicate, read_id};
use crate::error::{Error, ErrorKind, Result};

const SELECT: &str = "
SELECT d.id, d.name, d.generation, d.block_reads, d.block_writes, d.block_reason, d.size_limit, d.allow_attach,
    d.delete_protection, d.created_at, p.id, p.name, g.id, g.name, g.generation, g.delete_protection,
    EXISTS (SELECT 1 FROM foreign_keys f WHERE f.database_id = d.id), d.awaits_upload, d.is_schema, d.schema_id,
    s.name, d.schema_version, d.is_rolling, d.canaries
FROM databases d
JOIN groups g ON g.id = d.group_id
LEFT JOIN databases p ON p.id = d.parent_id AND p.deleted_at IS NULL
LEFT JOIN databases s ON s.id = d.schema_id";

impl Catalog {
    pub fn database(&self, name: &NamespaceName) -> Result<Option<Record>> {
        let sql = format!("{SELECT} WHERE d.name = ? AND d.deleted_at IS NULL");
        let db = self.lock();
        let mut statement = db.prepare_cached(&sql).map_err(failed("look a database up"))?;
        let found = statement.query_row([name.as_str()], read_record).optional();
        found.map_err(failed("look a database up"))
    }

    /// The name of the database with this id.
    pub fn database_name(&self, id: Uuid) -> Result<Option<NamespaceName>> {
        let sql = "SELECT name FROM databases WHERE id = ? AND deleted_at IS NULL";
        let db = self.lock();
        let mut statement = db.prepare_cached(sql).map_err(failed("look a database up"))?;
        let read = |row: &Row<'_>| {
            NamespaceName::parse(row.get_ref(0)?.as_str()?).map_err(|error| bad_text(0, error))
        };
        statement.query_row([id.to_string()], read).optional().map_err(failed("look a database up"))
    }

    /// Whether there is a database with this id, or was one whose files may still be there.
    pub fn has_id(&self, id: Uuid) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM databases WHERE id = ?)";
        let found = self.lock().query_row(sql, [id.to_string()], |row| row.get(0));
        found.map_err(failed("look a database up"))
    }

    /// Databases in the order of their names.
    pub fn databases(&self, filter: &Filter) -> Result<Vec<Record>> {
        let sql = format!(
            "{SELECT} WHERE d.deleted_at IS NULL AND d.name > ?1 AND (?2 IS NULL OR g.name = ?2)
             AND (?3 IS NULL OR d.parent_id = ?3) AND (?5 IS NULL OR d.group_id = ?5)
             AND (?6 IS NULL OR s.name = ?6 AND s.deleted_at IS NULL) ORDER BY d.name LIMIT ?4"
        );
        let limit = filter.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
        let only = filter.only_group.map(|id| id.to_string());
        let db = self.lock();
        let mut statement = db.prepare_cached(&sql).map_err(failed("list the databases"))?;
        statement
            .query_map(
                params![filter.after, filter.group, filter.parent, limit, only, filter.schema],
                read_record,
            )
            .and_then(Iterator::collect)
            .map_err(failed("list the databases"))
    }

    /// Adds a database. Once this returns it exists, whatever happens to the machine. With a key that is for it in place
    /// of all others', it is never there without.
    pub fn create_database(&self, record: &Record, jwt_key: Option<&str>) -> Result<()> {
        let sql = "INSERT INTO databases (id, name, group_id, parent_id, block_reads, block_writes, block_reason,
                   size_limit, allow_attach, delete_protection, created_at, awaits_upload, is_schema, schema_id,
                   schema_version, is_rolling, canaries)
                   VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
        let settings = &record.settings;
        let values = params![
            record.id.to_string(),
            record.name.as_str(),
            record.group.id.to_string(),
            record.parent.as_ref().map(|parent| parent.id.to_string()),
            settings.block_reads,
            settings.block_writes,
            settings.block_reason,
            settings.size_limit.and_then(|bytes| i64::try_from(bytes).ok()),
            settings.allow_attach,
            settings.delete_protection,
            record.created_at,
            record.awaits_upload,
            record.role.is_schema(),
            record.role.schema().map(|schema| schema.id.to_string()),
            record.schema_version,
            settings.is_rolling,
            i64::try_from(settings.canaries).unwrap_or(i64::MAX),
        ];
        let mut db = self.lock();
        let mut create = || -> rusqlite::Result<()> {
            let transaction = db.transaction()?;
            transaction.execute(sql, values)?;
            if let Some(text) = jwt_key {
                let sql =
                    "INSERT INTO foreign_keys (id, name, database_id, text) VALUES (?, ?, ?, ?)";
                let key = params![Uuid::new_v4().to_string(), JWT_KEY, record.id.to_string(), text];
                transaction.execute(sql, key)?;
            }
            transaction.commit()
        };
        match create() {
            Ok(()) => Ok(()),
            Err(error) if is_duplicate(&error) => Err(exists(&record.name)),
            // The group was deleted meanwhile.
            Err(error) if error.sqlite_error_code() == Some(CONSTRAINT) => {
                Err(Error::bad_request(format!("group not found: {}", record.group.name)))
            }
            Err(error) => Err(failed("add a database to the catalog")(error)),
        }
    }

    /// The version that a schema database has now; 0 if it is gone.
    pub fn schema_version(&self, id: Uuid) -> Result<i64> {
        let sql = "SELECT schema_version FROM databases WHERE id = ?";
        let db = self.lock();
        let mut statement = db.prepare_cached(sql).map_err(failed("look a schema up"))?;
        let version = statement.query_row([id.to_string()], |row| row.get(0)).optional();
        version.map(Option::unwrap_or_default).map_err(failed("look a schema up"))
    }

    /// Whether a schema database has children, or a migration that is not at its end.
    pub fn schema_is_needed(&self, id: Uuid) -> Result<bool> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM databases WHERE schema_id = ?1 AND deleted_at IS NULL)
                   OR EXISTS (SELECT 1 FROM jobs WHERE schema_id = ?1 AND finished_at IS NULL)";
        let found = self.lock().query_row(sql, [id.to_string()], |row| row.get(0));
        found.map_err(failed("look for the children of a schema"))
    }

    /// Replaces what can be set of a database.
    pub fn configure_database(&self, id: Uuid, settings: &Settings) -> Result<()> {
        let sql = "UPDATE databases SET block_reads = ?, block_writes = ?, block_reason = ?, size_limit = ?,
                   allow_attach = ?, delete_protection = ?, is_rolling = ?, canaries = ? WHERE id = ?";
        let values = params![
            settings.block_reads,
            settings.block_writes,
            settings.block_reason,
            settings.size_limit.and_then(|bytes| i64::try_from(bytes).ok()),
            settings.allow_attach,
            settings.delete_protection,
            settings.is_rolling,
            i64::try_from(settings.canaries).unwrap_or(i64::MAX),
            id.to_string(),
        ];
        let changed = self.lock().execute(sql, values);
        changed.map(|_| ()).map_err(failed("change the configuration of a database"))
    }

    /// Notes that the file of a database has come. Whether it is there and has awaited one.
    pub fn note_upload(&self, id: Uuid) -> Result<bool> {
        let sql = "UPDATE databases SET awaits_upload = 0
                   WHERE id = ? AND awaits_upload AND deleted_at IS NULL";
        let noted = self.lock().execute(sql, [id.to_string()]);
        noted.map(|count| count > 0).map_err(failed("note the upload of a database"))
    }

    /// Makes the tokens of one database invalid; its group's stay valid.
    pub fn rotate_database(&self, id: Uuid) -> Result<()> {
        let sql = "UPDATE databases SET generation = generation + 1 WHERE id = ?";
        let rotated = self.lock().execute(sql, [id.to_string()]);
        rotated.map(|_| ()).map_err(failed("rotate the tokens of a database"))
    }

    /// Takes a database away from its clients. Whether there was one with this id.
    pub fn delete_database(&self, id: Uuid) -> Result<bool> {
        let sql =
            "UPDATE databases SET deleted_at = unixepoch() WHERE id = ? AND deleted_at IS NULL";
        let deleted = self.lock().execute(sql, [id.to_string()]);
        deleted.map(|count| count > 0).map_err(failed("delete a database"))
    }

    /// Gives back the database of this name that was deleted last, unless it was given up. Whether there was one.
    pub fn restore_database(&self, name: &NamespaceName) -> Result<bool> {
        let sql = "UPDATE databases SET deleted_at = NULL WHERE id = (SELECT id FROM databases
                   WHERE name = ? AND deleted_at > 0 ORDER BY deleted_at DESC, rowid DESC LIMIT 1)";
        match self.lock().execute(sql, [name.as_str()]) {
            Ok(count) => Ok(count > 0),
            Err(error) if is_duplicate(&error) => Err(exists(name)),
            Err(error) => Err(failed("restore a database")(error)),
        }
    }

    /// Gives up the databases that were deleted at least `age` seconds ago: from now on they cannot be restored, so that
    /// their files can go. Those that were given up before come again until they are forgotten.
    pub fn give_up_deleted(&self, age: u64) -> Result<Vec<Uuid>> {
        let sql =
            "UPDATE databases SET deleted_at = 0 WHERE deleted_at <= unixepoch() - ? RETURNING id";
        let db = self.lock();
        let mut statement = db.prepare_cached(sql).map_err(failed("give deleted databases up"))?;
        let age = i64::try_from(age).unwrap_or(i64::MAX);
        let ids = statement.query_map([age], |row| read_id(row, 0));
        ids.and_then(Iterator::collect).map_err(failed("give deleted databases up"))
    }

    /// Forgets a deleted database, whose files are gone.
    pub fn forget_database(&self, id: Uuid) -> Result<()> {
        self.change("forget a deleted database", |transaction| {
            let id = id.to_string();
            transaction.execute("DELETE FROM usage WHERE database_id = ?", [&id])?;
            transaction.execute("DELETE FROM foreign_keys WHERE database_id = ?", [&id])?;
            transaction.execute("DELETE FROM tasks WHERE database_id = ?", [&id])?;
            transaction.execute("DELETE FROM jobs WHERE schema_id = ?", [&id])?;
            let sql = "DELETE FROM databases WHERE id = ? AND deleted_at IS NOT NULL";
            transaction.execute(sql, [&id]).map(|_| ())
        })
    }
}

const CONSTRAINT: rusqlite::ErrorCode = rusqlite::ErrorCode::ConstraintViolation;

fn read_record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let name = NamespaceName::parse(row.get_ref(1)?.as_str()?).map_err(|e| bad_text(1, e))?;
    let parent = match row.get_ref(10)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(Parent { id: read_id(row, 10)?, name: row.get(11)? }),
    };
    let settings = Settings {
        block_reads: row.get(3)?,
        block_writes: row.get(4)?,
        block_reason: row.get(5)?,
        size_limit: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
        allow_attach: row.get(7)?,
        delete_protection: row.get(8)?,
        is_rolling: row.get(22)?,
        canaries: row.get::<_, i64>(23)?.unsigned_abs(),
    };
    let role = match (row.get(18)?, row.get_ref(19)?) {
        (true, _) => Role::Schema,
        (false, rusqlite::types::ValueRef::Null) => Role::Plain,
        // A schema whose files are gone has no name any more.
        _ => Role::Child(SchemaRef {
            id: read_id(row, 19)?,
            name: row.get::<_, Option<String>>(20)?.unwrap_or_default(),
        }),
    };
    Ok(Record {
        id: read_id(row, 0)?,
        name,
        group: Group::read(row, 12)?,
        parent,
        generation: row.get::<_, i64>(2)?.unsigned_abs(),
        settings,
        role,
        schema_version: row.get(21)?,
        has_own_keys: row.get(16)?,
        awaits_upload: row.get(17)?,
        created_at: row.get(9)?,
    })
}

pub(super) fn exists(name: &NamespaceName) -> Error {
    Error::new(ErrorKind::DatabaseExists, format!("database with name {name} already exists"))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use uuid::Uuid;

    use crate::catalog::{Catalog, GroupName, NamespaceName, Record, Role, Settings};

    #[test]
    fn what_was_given_up_is_not_restored() {
        let directory = TempDir::new().unwrap();
        let (server, command) =
            (Catalog::open(directory.path()).unwrap(), Catalog::open(directory.path()).unwrap());
        let name = NamespaceName::parse("shop").unwrap();
        let group = server.group(&GroupName::default_name()).unwrap().unwrap();
        let record = Record {
            id: Uuid::new_v4(),
            name: name.clone(),
            group,
            parent: None,
            generation: 1,
            settings: Settings::default(),
            role: Role::Plain,
            schema_version: 0,
            has_own_keys: false,
            awaits_upload: false,
            created_at: 0,
        };
        server.create_database(&record, None).unwrap();
        assert!(server.delete_database(record.id).unwrap());
        assert!(server.give_up_deleted(3600).unwrap().is_empty());
        assert!(command.restore_database(&name).unwrap());
        assert!(server.delete_database(record.id).unwrap());
        // The server has begun to remove the files, and a command comes in between.
        assert_eq!(server.give_up_deleted(0).unwrap(), [record.id]);
        assert!(!command.restore_database(&name).unwrap());
        // After a crash it goes on where it was, however long it keeps what is deleted.
        assert_eq!(server.give_up_deleted(3600).unwrap(), [record.id]);
        server.forget_database(record.id).unwrap();
        assert!(server.give_up_deleted(0).unwrap().is_empty());
    }
}
