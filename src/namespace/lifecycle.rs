//! How databases and groups come and go. Everything here blocks for about as long as a durable write takes.
//!
//! A database exists once its row in the catalog is committed; its file is whole before that. It is deleted for its
//! clients once the row says so; its files go when the retention is over, also after a crash.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use uuid::Uuid;

use super::{Namespace, Namespaces, ScratchFile, database_not_found, files};
use crate::catalog::{
    self, Filter, Group, GroupName, NamespaceName, Parent, Record, Role, SchemaRef, Settings,
};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::{self, Look, block};

/// What a new database contains.
pub enum Seed {
    Empty,
    /// What another database contains now.
    Copy(Box<Record>),
    /// A file that is uploaded later; until then the database is there for nothing else.
    Upload,
    /// A file in WAL mode that is durable and nobody has open; the database takes it over.
    File(ScratchFile),
    /// What somebody else's file contains, which nobody writes to meanwhile.
    Foreign(PathBuf),
    /// The same of a child of this schema database.
    ForeignChild(PathBuf, Box<Record>),
}

/// A database to be created.
pub struct NewDatabase {
    pub name: NamespaceName,
    pub group: GroupName,
    pub seed: Seed,
    /// Whether it is to be a schema database. A copy of one becomes its child otherwise.
    pub is_schema: bool,
    pub settings: Settings,
    /// A key whose tokens open it, in place of all others' keys. It has been checked.
    pub jwt_key: Option<String>,
}

impl NewDatabase {
    /// An empty one with nothing special.
    pub fn empty(name: NamespaceName, group: GroupName) -> Self {
        let (seed, settings) = (Seed::Empty, Settings::default());
        NewDatabase { name, group, seed, is_schema: false, settings, jwt_key: None }
    }
}

impl Namespaces {
    /// Creates a database. A failure leaves nothing behind.
    pub fn create(&self, new: NewDatabase) -> Result<Record> {
        block(|| self.create_blocking(new))
    }

    /// Fails if there is a database of this name.
    pub fn check_is_free(&self, name: &NamespaceName) -> Result<()> {
        block(|| self.check_is_free_blocking(name))
    }

    fn check_is_free_blocking(&self, name: &NamespaceName) -> Result<()> {
        if self.catalog.database(name)?.is_some() {
            let message = format!("database with name {name} already exists");
            return Err(Error::new(ErrorKind::DatabaseExists, message));
        }
        Ok(())
    }

    pub(super) fn create_blocking(&self, new: NewDatabase) -> Result<Record> {
        self.check_is_free_blocking(&new.name)?;
        let group = self.catalog.group(&new.group)?;
        let group = group.ok_or_else(|| {
            Error::bad_request(format!("group not found: there is no group {}", new.group))
        })?;
        let role = role(&new)?;
        let parent = match &new.seed {
            // A child is not a branch of its schema database.
            Seed::Copy(source) if !source.role.is_schema() => {
                Some(Parent { id: source.id, name: source.name.as_str().to_owned() })
            }
            _ => None,
        };
        let id = match &new.seed {
            Seed::Empty => self.files.create()?,
            _ => files::new_id(),
        };
        let mut record = Record {
            id,
            name: new.name,
            group,
            parent,
            generation: 1,
            settings: new.settings,
            role,
            schema_version: 0,
            has_own_keys: new.jwt_key.is_some(),
            awaits_upload: matches!(new.seed, Seed::Upload),
            created_at: i64::try_from(catalog::now()).unwrap_or(i64::MAX),
        };
        match &new.seed {
            Seed::Empty | Seed::Upload => {}
            Seed::Copy(source) => self.copy(source, &mut record)?,
            Seed::File(file) => self.files.adopt(file.path(), record.id)?,
            Seed::Foreign(path) => self.files.take_over(path, record.id)?,
            Seed::ForeignChild(path, _) => {
                self.files.take_over(path, record.id)?;
                sqlite::forget_sqld_tasks(&self.files.path(record.id))?;
            }
        }
        let is_as_new = match new.seed {
            Seed::Empty | Seed::Upload => true,
            Seed::ForeignChild(..) => false,
            _ => !record.role.is_schema(),
        };
        if !is_as_new {
            // Whatever it was before.
            sqlite::clear_mark(&self.files.path(record.id))?;
        }
        match self.catalog.create_database(&record, new.jwt_key.as_deref()) {
            Ok(()) => Ok(record),
            Err(error) => {
                self.files.remove(record.id)?;
                Err(error)
            }
        }
    }

    /// Makes the file of a copy. A child is copied with the version that it has.
    fn copy(&self, source: &Record, record: &mut Record) -> Result<()> {
        self.files.copy(source.id, record.id)?;
        if record.role.schema().is_some() {
            record.schema_version = sqlite::mark_of(&self.files.path(record.id))?;
        }
        Ok(())
    }

    /// Makes a file that of a database which has awaited it. It is sound and durable, and nobody has it open.
    pub fn fill(&self, namespace: &Namespace, file: &ScratchFile) -> Result<()> {
        let changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let record = self.catalog.database(namespace.name())?;
        if !record.is_some_and(|record| record.id == namespace.id() && record.awaits_upload) {
            return Err(not_awaited(namespace.name()));
        }
        if namespace.record().role.is_schema() {
            sqlite::clear_mark(file.path())?;
        }
        self.files.adopt(file.path(), namespace.id())?;
        if !self.catalog.note_upload(namespace.id())? {
            self.files.remove(namespace.id())?;
            return Err(not_awaited(namespace.name()));
        }
        drop(changing);
        self.refresh(|other| other.id() == namespace.id())
    }

    /// Creates a database, also if there is one of this name in which nothing is: `default` is there from the start.
    pub fn create_instead_of_empty(&self, new: NewDatabase) -> Result<Record> {
        block(|| {
            if let Some(record) = self.catalog.database(&new.name)? {
                if !self.files.is_empty(record.id)? {
                    return self.create_blocking(new);
                }
                self.delete_blocking(&record)?;
            }
            self.create_blocking(new)
        })
    }

    /// What is wrong with the file of a database; nothing if it is sound. Takes as long as reading all of it.
    pub fn check_file(&self, id: Uuid) -> Result<Vec<String>> {
        block(|| self.files.check(id))
    }

    /// What a database looks like. Others may use it meanwhile.
    pub fn look_at(&self, record: &Record) -> Result<Look> {
        block(|| sqlite::look_at(&self.files.path(record.id)))
    }

    /// Makes a file with what a database contains now.
    pub fn copy_to(&self, namespace: &Namespace, path: &Path) -> Result<()> {
        namespace.check()?;
        self.files.copy_to(namespace.id(), path)?;
        match namespace.record().role {
            Role::Plain => Ok(()),
            // To others it would say how much of the file to keep in memory.
            Role::Schema | Role::Child(_) => sqlite::clear_mark(path),
        }
    }

    /// Deletes a database: at once for its clients, and on disk when the retention is over.
    pub fn delete(&self, name: &NamespaceName) -> Result<()> {
        if *name == NamespaceName::default_name() {
            return Err(Error::bad_request(
                "the database `default` cannot be deleted: it serves requests that name none",
            ));
        }
        block(|| {
            let record = self.catalog.database(name)?.ok_or_else(|| database_not_found(name))?;
            self.delete_blocking(&record)?;
            self.purge()
        })
    }

    fn delete_blocking(&self, record: &Record) -> Result<()> {
        if record.settings.delete_protection || record.group.delete_protection {
            return Err(Error::new(
                ErrorKind::DeleteProtected,
                format!(
                    "database {} has delete protection; disable it for the database and for its group {} first",
                    record.name, record.group.name
                ),
            ));
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if record.role.is_schema() && self.catalog.schema_is_needed(record.id)? {
            return Err(Error::bad_request(format!(
                "cannot delete `{}` because databases are still referring to it, or a migration of it is not at its \
                 end; delete its children first",
                record.name
            )));
        }
        if !self.catalog.delete_database(record.id)? {
            return Err(database_not_found(&record.name));
        }
        if let Some((_, namespace)) = self.open.remove(&record.name) {
            namespace.close();
        }
        self.revised.send_replace(());
        Ok(())
    }

    /// Gives back the database of this name that was deleted last, as long as its files are there.
    pub fn restore(&self, name: &NamespaceName) -> Result<Record> {
        block(|| {
            if !self.catalog.restore_database(name)? {
                return Err(database_not_found(name));
            }
            self.catalog.database(name)?.ok_or_else(|| database_not_found(name))
        })
    }

    /// Removes files that an earlier process did not finish. For the server alone: a command that makes one just now
    /// fails by that, and can be given again.
    pub fn remove_unfinished(&self) -> Result<()> {
        self.files.remove_unfinished()
    }

    /// Removes the files of databases whose retention is over.
    pub fn purge(&self) -> Result<()> {
        self.purge_until(|| false)
    }

    /// The same, but leaves the rest for later once it `is_stopped`.
    pub fn purge_until(&self, is_stopped: impl Fn() -> bool) -> Result<()> {
        for id in self.catalog.give_up_deleted(self.retention.as_secs())? {
            if is_stopped() {
                break;
            }
            self.files.remove(id)?;
            self.catalog.forget_database(id)?;
            self.meters.remove(id);
        }
        Ok(())
    }

    /// Adds an empty group.
    pub fn create_group(&self, name: &GroupName) -> Result<Group> {
        block(|| self.catalog.create_group(name))
    }

    /// Deletes a group with all of its databases, unless one of them is protected.
    pub fn delete_group(&self, name: &GroupName) -> Result<Group> {
        if *name == GroupName::default_name() {
            return Err(Error::bad_request(
                "the group `default` cannot be deleted: the database `default` is in it",
            ));
        }
        block(|| {
            let group = self.catalog.group(name)?.ok_or_else(|| group_not_found(name))?;
            let filter = Filter { group: Some(name.as_str().to_owned()), ..Filter::default() };
            let databases = self.catalog.databases(&filter)?;
            let is_protected = |record: &Record| record.settings.delete_protection;
            if group.delete_protection || databases.iter().any(is_protected) {
                return Err(Error::new(
                    ErrorKind::DeleteProtected,
                    format!(
                        "group {name} or one of its databases has delete protection; disable it first"
                    ),
                ));
            }
            let (schemas, others): (Vec<_>, Vec<_>) =
                databases.iter().partition(|record| record.role.is_schema());
            for record in others.into_iter().chain(schemas) {
                self.delete_blocking(record)?;
            }
            self.catalog.delete_group(group.id)?;
            self.purge()?;
            Ok(group)
        })
    }
}

/// What a new database is to others.
fn role(new: &NewDatabase) -> Result<Role> {
    let source = match &new.seed {
        Seed::Copy(source) | Seed::ForeignChild(_, source) => source,
        _ if new.is_schema => return Ok(Role::Schema),
        _ => return Ok(Role::Plain),
    };
    let schema = match &source.role {
        Role::Plain if new.is_schema => return Ok(Role::Schema),
        Role::Plain => return Ok(Role::Plain),
        Role::Schema => SchemaRef { id: source.id, name: source.name.to_string() },
        Role::Child(schema) => schema.clone(),
    };
    if new.is_schema {
        return Err(Error::bad_request(
            "a schema database cannot have a schema database itself; copy a plain one, or leave `is_schema` out",
        ));
    }
    if new.group != source.group.name {
        return Err(Error::bad_request(format!(
            "the schema database {} is in the group {}, and its children have to be as well",
            schema.name, source.group.name
        )));
    }
    Ok(Role::Child(schema))
}

/// A file has come for a database that has one.
pub(super) fn not_awaited(name: &NamespaceName) -> Error {
    Error::bad_request(format!(
        "database {name} awaits no upload; create one with the seed `database_upload`, and upload to that"
    ))
}

/// There is no group of this name.
pub fn group_not_found(name: &GroupName) -> Error {
    Error::new(
        ErrorKind::GroupNotFound,
        format!("could not find group with name {name}: record not found"),
    )
}
