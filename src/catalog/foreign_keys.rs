//! Keys of others, whose tokens are accepted.

use rusqlite::{OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{Catalog, failed, read_id};
use crate::error::Result;

/// A key or a document of keys; for all databases, those of a group, or one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKeyRecord {
    pub name: String,
    pub group: Option<Uuid>,
    pub database: Option<Uuid>,
    /// A key, several, or a JWKS document.
    pub text: String,
    /// Where a JWKS document is read anew from, if anywhere.
    pub url: Option<String>,
}

/// The name of the key that sqld has in the configuration of a database, where it is called so.
pub const JWT_KEY: &str = "jwt_key";

impl Catalog {
    pub fn foreign_keys(&self) -> Result<Vec<ForeignKeyRecord>> {
        let sql = "SELECT name, group_id, database_id, text, url FROM foreign_keys ORDER BY name";
        let db = self.lock();
        let mut statement = db.prepare(sql).map_err(failed("list the keys of others"))?;
        let keys = statement.query_map([], read_key);
        keys.and_then(Iterator::collect).map_err(failed("list the keys of others"))
    }

    /// The key of this name that is for a database alone.
    pub fn key_of_database(&self, name: &str, database: Uuid) -> Result<Option<ForeignKeyRecord>> {
        let sql = "SELECT name, group_id, database_id, text, url FROM foreign_keys
                   WHERE name = ? AND database_id = ?";
        let db = self.lock();
        let found = db.query_row(sql, [name, &database.to_string()], read_key).optional();
        found.map_err(failed("look a key up"))
    }

    /// Adds a key, or replaces the one of this name for the same databases.
    pub fn save_foreign_key(&self, key: &ForeignKeyRecord) -> Result<()> {
        let sql = "INSERT INTO foreign_keys (id, name, group_id, database_id, text, url)
                   VALUES (?, ?, ?, ?, ?, ?)
                   ON CONFLICT (name, ifnull(group_id, ''), ifnull(database_id, ''))
                   DO UPDATE SET text = excluded.text, url = excluded.url";
        let values = params![
            Uuid::new_v4().to_string(),
            key.name,
            key.group.map(|id| id.to_string()),
            key.database.map(|id| id.to_string()),
            key.text,
            key.url
        ];
        let saved = self.lock().execute(sql, values);
        saved.map(|_| ()).map_err(failed("add a key to the catalog"))
    }

    /// Replaces the text of a key that is still as `known`.
    pub fn renew_foreign_key(&self, known: &ForeignKeyRecord, text: &str) -> Result<()> {
        let sql =
            "UPDATE foreign_keys SET text = ? WHERE name = ? AND group_id IS ? AND database_id IS ?
                   AND url IS ? AND text = ? AND text <> ?1";
        let ForeignKeyRecord { name, group, database, text: before, url } = known;
        let (group, database) = (group.map(|id| id.to_string()), database.map(|id| id.to_string()));
        let renewed = self.lock().execute(sql, params![text, name, group, database, url, before]);
        renewed.map(|_| ()).map_err(failed("renew a key in the catalog"))
    }

    /// Removes a key. Whether there was one.
    pub fn remove_foreign_key(
        &self,
        name: &str,
        group: Option<Uuid>,
        database: Option<Uuid>,
    ) -> Result<bool> {
        let sql = "DELETE FROM foreign_keys WHERE name = ? AND group_id IS ? AND database_id IS ?";
        let values =
            params![name, group.map(|id| id.to_string()), database.map(|id| id.to_string())];
        let removed = self.lock().execute(sql, values);
        removed.map(|count| count > 0).map_err(failed("remove a key from the catalog"))
    }
}

fn read_key(row: &Row<'_>) -> rusqlite::Result<ForeignKeyRecord> {
    let id = |column: usize| match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => read_id(row, column).map(Some),
    };
    Ok(ForeignKeyRecord {
        name: row.get(0)?,
        group: id(1)?,
        database: id(2)?,
        text: row.get(3)?,
        url: row.get(4)?,
    })
}
