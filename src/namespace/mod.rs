//! The tenants' databases: which of them are open, and how they come and go.
//!
//! Invariant: there is at most one [`Namespace`] per database in this process, hence one turn to write it.

mod admission;
mod files;
mod lifecycle;
mod opened;
mod scratch;
mod seeds;
mod spares;
mod uploads;
mod usage;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use tokio::sync::watch;
use uuid::Uuid;

use self::files::Files;
use self::usage::Meters;
use crate::catalog::{Catalog, Group, GroupName, NamespaceName, Record, Role, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::{Connection, Database, Engine, Lease, Sharing, Tenancy, block};

pub use self::admission::{Admission, Wanted};
pub use self::lifecycle::{NewDatabase, Seed, group_not_found};
pub use self::opened::Namespace;
pub use self::scratch::ScratchFile;
pub use self::seeds::{Seeds, UploadedSeed};

/// All databases.
pub struct Namespaces {
    catalog: Arc<Catalog>,
    files: Files,
    engine: Arc<Engine>,
    meters: Meters,
    /// How long a deleted database can be restored.
    retention: Duration,
    open: DashMap<NamespaceName, Arc<Namespace>>,
    /// The names of those in `open` that were asked for by id.
    ids: DashMap<Uuid, NamespaceName>,
    /// The versions of the schema databases of which something is open.
    schema_versions: DashMap<Uuid, Arc<AtomicI64>>,
    /// Told when something has changed of databases that are open.
    revised: watch::Sender<()>,
    /// Held while the catalog and `open` have to agree: on opening, changing and deleting.
    changing: Mutex<()>,
}

impl Namespaces {
    /// Prepares the files in the data directory, and creates the database `default` if it is not there.
    pub fn open(
        directory: &Path,
        catalog: Arc<Catalog>,
        engine: Arc<Engine>,
        retention: Duration,
    ) -> Result<Self> {
        let files = Files::open(&directory.join("databases"))?;
        let (open, ids, changing) = (DashMap::new(), DashMap::new(), Mutex::new(()));
        let namespaces = Namespaces {
            catalog,
            files,
            engine,
            meters: Meters::default(),
            retention,
            open,
            ids,
            changing,
            schema_versions: DashMap::new(),
            revised: watch::Sender::default(),
        };
        namespaces.purge()?;
        let name = NamespaceName::default_name();
        if namespaces.catalog.database(&name)?.is_none() {
            namespaces.create_blocking(NewDatabase::empty(name, GroupName::default_name()))?;
        }
        Ok(namespaces)
    }

    /// The database of this name.
    pub fn get(&self, name: &NamespaceName) -> Result<Arc<Namespace>> {
        match self.open.get(name) {
            Some(namespace) => Ok(Arc::clone(&namespace)),
            None => block(|| self.open_namespace(name)),
        }
    }

    /// What all databases share.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a database is in use by a client, or was lately.
    pub fn is_in_use(&self, name: &NamespaceName) -> bool {
        self.open.get(name).is_some_and(|namespace| namespace.database().is_in_use())
    }

    /// The database of this id.
    pub fn of_id(&self, id: Uuid) -> Result<Arc<Namespace>> {
        let known = self.ids.get(&id).map(|name| name.clone());
        let name = match known {
            Some(name) => name,
            None => block(|| self.catalog.database_name(id))?.ok_or_else(|| {
                Error::new(
                    ErrorKind::DatabaseNotFound,
                    "the database of this token is not there any more",
                )
            })?,
        };
        let namespace = self.get(&name)?;
        if namespace.id() != id {
            return Err(database_not_found(&name));
        }
        self.ids.insert(id, name);
        Ok(namespace)
    }

    /// The first of these databases that exists.
    pub fn first(&self, names: &[NamespaceName]) -> Result<Arc<Namespace>> {
        let mut not_found = None;
        for name in names {
            match self.get(name) {
                Err(error) if error.kind() == ErrorKind::DatabaseNotFound => {
                    not_found.get_or_insert(error);
                }
                result => return result,
            }
        }
        Err(not_found.unwrap_or_else(|| Error::bad_request("the request names no database")))
    }

    fn open_namespace(&self, name: &NamespaceName) -> Result<Arc<Namespace>> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(namespace) = self.open.get(name) {
            return Ok(Arc::clone(&namespace));
        }
        let record = self.catalog.database(name)?.ok_or_else(|| database_not_found(name))?;
        let meter = self.meters.of(record.id);
        let is_schema = record.role.is_schema();
        let path = self.files.path(record.id);
        let database = Database::new(path, &self.engine, meter, is_schema);
        let schema_version = self.schema_version(&record)?;
        let namespace = Arc::new(Namespace::new(record, database, schema_version));
        self.open.insert(name.clone(), Arc::clone(&namespace));
        Ok(namespace)
    }

    /// Where the version of a schema database is kept for all of its children.
    fn schema_version(&self, record: &Record) -> Result<Option<Arc<AtomicI64>>> {
        let id = match &record.role {
            Role::Plain => return Ok(None),
            Role::Schema => record.id,
            Role::Child(schema) => schema.id,
        };
        // Under the lock of the entry a version that comes meanwhile is not lost.
        let version = self.schema_versions.entry(id).or_try_insert_with(|| {
            self.catalog.schema_version(id).map(|version| Arc::new(AtomicI64::new(version)))
        })?;
        Ok(Some(Arc::clone(&version)))
    }

    /// Notes the version that a schema database has now: its children are behind if they have an older one.
    pub fn note_schema_version(&self, schema: Uuid, version: i64) {
        let known = self.schema_versions.entry(schema).or_default();
        known.store(version, Relaxed);
    }

    /// Tells when something has changed of databases that are open: who was admitted may not be so any more.
    pub fn revisions(&self) -> watch::Receiver<()> {
        self.revised.subscribe()
    }

    /// What the catalog says of a database.
    pub fn find(&self, name: &NamespaceName) -> Result<Record> {
        block(|| self.catalog.database(name))?.ok_or_else(|| database_not_found(name))
    }

    /// Replaces what can be set of a database; counts from the next request on.
    pub fn configure(&self, record: &Record, settings: &Settings) -> Result<()> {
        block(|| {
            self.catalog.configure_database(record.id, settings)?;
            self.refresh(|namespace| namespace.id() == record.id)
        })
    }

    /// Makes the tokens of one database invalid, from the next request on.
    pub fn rotate(&self, record: &Record) -> Result<()> {
        block(|| {
            self.catalog.rotate_database(record.id)?;
            self.refresh(|namespace| namespace.id() == record.id)
        })
    }

    /// Makes the tokens of a group and of its databases invalid, from the next request on.
    pub fn rotate_group(&self, group: Uuid) -> Result<()> {
        block(|| {
            self.catalog.rotate_group(group)?;
            self.refresh(|namespace| namespace.record().group.id == group)
        })
    }

    /// Sets whether a group and its databases can be deleted.
    pub fn protect_group(&self, group: &Group, delete_protection: bool) -> Result<()> {
        block(|| {
            self.catalog.protect_group(group.id, delete_protection)?;
            self.refresh(|namespace| namespace.record().group.id == group.id)
        })
    }

    /// Has all who are connected looked at again: tokens may not be worth any more what they were.
    pub fn note_revision(&self) {
        self.revised.send_replace(());
    }

    /// Takes over what the catalog says of the open databases, which another process has changed. Blocks.
    pub fn refresh_all(&self) -> Result<()> {
        self.refresh(|_| true)
    }

    /// Takes over what the catalog says of some of the open databases. Blocks.
    fn refresh(&self, of: impl Fn(&Namespace) -> bool) -> Result<()> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let open: Vec<_> = self.open.iter().map(|entry| Arc::clone(&entry)).collect();
        let mut outcome = Ok(());
        for namespace in open.iter().filter(|namespace| of(namespace)) {
            match self.catalog.database(namespace.name()) {
                Ok(Some(record)) if record.id == namespace.id() => namespace.update(record),
                Ok(_) => {
                    self.open.remove(namespace.name());
                    namespace.close();
                }
                // What concerns the others must not wait for this one.
                Err(error) => outcome = Err(error),
            }
        }
        self.note_revision();
        outcome
    }

    /// Lends a connection to a database; closes unused ones elsewhere if there is no room. Blocks.
    pub fn connect(&self, namespace: &Namespace, tenancy: &Tenancy) -> Result<Lease> {
        self.open_with_room(namespace, || namespace.database().connect(tenancy))
    }

    /// Opens a connection for a migration, with the same effort. Blocks.
    pub fn connect_for_migration(
        &self,
        namespace: &Namespace,
        sharing: Sharing,
    ) -> Result<Connection> {
        self.open_with_room(namespace, || namespace.database().open_for_migration(sharing))
    }

    fn open_with_room<T>(&self, namespace: &Namespace, open: impl Fn() -> Result<T>) -> Result<T> {
        namespace.check()?;
        match open() {
            Err(error) if error.kind() == ErrorKind::Overloaded => {
                self.make_room();
                open()
            }
            result => result,
        }
    }

    /// Closes idle connections, the ones that rested longest first, until some are free.
    fn make_room(&self) {
        for age in [Duration::from_secs(10), Duration::from_secs(1), Duration::ZERO] {
            if self.engine.is_crowded() {
                self.sweep(age);
            }
        }
    }

    /// Closes connections that nobody has used for `age`, and forgets databases without one. Blocks.
    pub fn sweep(&self, age: Duration) {
        let Some(before) = Instant::now().checked_sub(age) else { return };
        let mut unused = Vec::new();
        self.open.retain(|_, namespace| {
            unused.extend(namespace.database().take_unused(before));
            namespace.database().give_back_read_locks();
            // Under the lock of the map's shard nobody can take another reference.
            let is_used = namespace.database().is_in_use() || Arc::strong_count(namespace) > 1;
            if !is_used {
                self.meters.rest(namespace.id());
            }
            is_used
        });
        self.ids.retain(|_, name| self.open.contains_key(name));
        self.schema_versions.retain(|_, version| Arc::strong_count(version) > 1);
        // Closing takes its time: the last connection of a file checkpoints the WAL.
        block(|| drop(unused));
    }
}

/// There is no database of this name.
pub fn database_not_found(name: &NamespaceName) -> Error {
    Error::new(
        ErrorKind::DatabaseNotFound,
        format!("could not find database with name {name}: record not found"),
    )
}
