//! Groups: databases that share tokens.

use rusqlite::{OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::name::GroupName;
use super::{Catalog, bad_text, failed, is_duplicate, read_id};
use crate::error::{Error, ErrorKind, Result};

/// What the catalog knows of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Stable, and never used again.
    pub id: Uuid,
    pub name: GroupName,
    /// How often its tokens were made invalid, plus one.
    pub generation: u64,
    pub delete_protection: bool,
}

const COLUMNS: &str = "id, name, generation, delete_protection";

impl Catalog {
    pub fn group(&self, name: &GroupName) -> Result<Option<Group>> {
        let sql = format!("SELECT {COLUMNS} FROM groups WHERE name = ?");
        let found = self.lock().query_row(&sql, [name.as_str()], |row| Group::read(row, 0));
        found.optional().map_err(failed("look a group up"))
    }

    /// All groups in the order of their names.
    pub fn groups(&self) -> Result<Vec<Group>> {
        let sql = format!("SELECT {COLUMNS} FROM groups ORDER BY name");
        let db = self.lock();
        let mut statement = db.prepare(&sql).map_err(failed("list the groups"))?;
        let groups = statement.query_map([], |row| Group::read(row, 0));
        groups.and_then(Iterator::collect).map_err(failed("list the groups"))
    }

    /// Adds an empty group.
    pub fn create_group(&self, name: &GroupName) -> Result<Group> {
        let group = Group {
            id: Uuid::new_v4(),
            name: name.clone(),
            generation: 1,
            delete_protection: false,
        };
        let sql = "INSERT INTO groups (id, name) VALUES (?, ?)";
        match self.lock().execute(sql, params![group.id.to_string(), name.as_str()]) {
            Ok(_) => Ok(group),
            Err(error) if is_duplicate(&error) => Err(Error::new(
                ErrorKind::GroupExists,
                format!("group with name {name} already exists"),
            )),
            Err(error) => Err(failed("add a group to the catalog")(error)),
        }
    }

    /// Makes all tokens of a group and of its databases invalid.
    pub fn rotate_group(&self, id: Uuid) -> Result<()> {
        let sql = "UPDATE groups SET generation = generation + 1 WHERE id = ?";
        let rotated = self.lock().execute(sql, [id.to_string()]);
        rotated.map(|_| ()).map_err(failed("rotate the tokens of a group"))
    }

    pub fn protect_group(&self, id: Uuid, delete_protection: bool) -> Result<()> {
        let sql = "UPDATE groups SET delete_protection = ? WHERE id = ?";
        let changed = self.lock().execute(sql, params![delete_protection, id.to_string()]);
        changed.map(|_| ()).map_err(failed("change the configuration of a group"))
    }

    /// Removes a group whose databases are gone; deleted ones that could still be restored go with it.
    pub fn delete_group(&self, id: Uuid) -> Result<()> {
        self.change("delete a group", |transaction| {
            let id = id.to_string();
            // What was deleted needs a group until its files are gone; it is restored into the first one.
            let move_deleted =
                "UPDATE databases SET group_id = (SELECT id FROM groups WHERE name = 'default')
                                WHERE group_id = ? AND deleted_at IS NOT NULL";
            transaction.execute(move_deleted, [&id])?;
            transaction.execute("DELETE FROM groups WHERE id = ?", [&id]).map(|_| ())
        })
    }
}

impl Group {
    /// Reads `COLUMNS` from the column `first` on.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let name = row.get_ref(first + 1)?.as_str()?;
        let name = GroupName::parse(name).map_err(|error| bad_text(first + 1, error))?;
        let generation: i64 = row.get(first + 2)?;
        Ok(Group {
            id: read_id(row, first)?,
            name,
            generation: generation.unsigned_abs(),
            delete_protection: row.get(first + 3)?,
        })
    }
}
