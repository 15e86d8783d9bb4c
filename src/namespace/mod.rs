//! The tenants' databases: which exist, and which of them are open.
//!
//! Invariant: there is at most one [`Namespace`] per database in this process, hence one turn to write it.

mod catalog;
mod files;
mod name;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use uuid::Uuid;

use self::catalog::Catalog;
use self::files::Files;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlite::{Database, Engine, Lease, Tenancy, block};

pub use self::catalog::Record;
pub use self::name::NamespaceName;

/// A database that somebody uses or has used lately.
pub struct Namespace {
    pub record: Record,
    database: Arc<Database>,
    is_deleted: AtomicBool,
}

impl Namespace {
    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }

    pub fn id(&self) -> Uuid {
        self.record.id
    }

    /// Fails once the database has been deleted.
    pub fn check(&self) -> Result<()> {
        if self.is_deleted.load(Relaxed) { Err(not_found(&self.record.name)) } else { Ok(()) }
    }
}

/// All databases.
pub struct Namespaces {
    catalog: Catalog,
    files: Files,
    engine: Arc<Engine>,
    open: DashMap<NamespaceName, Arc<Namespace>>,
    /// Held while the catalog and `open` have to agree: on opening, creating and deleting.
    changing: Mutex<()>,
}

impl Namespaces {
    /// Opens the catalog in the data directory, and creates the database `default` if it is not there.
    pub fn open(directory: &Path, engine: Arc<Engine>) -> Result<Self> {
        let catalog = Catalog::open(&directory.join("catalog.sqlite"))?;
        let files = Files::open(&directory.join("databases"))?;
        let open = DashMap::new();
        let namespaces = Namespaces { catalog, files, engine, open, changing: Mutex::new(()) };
        for id in namespaces.catalog.deleted()? {
            namespaces.purge(id)?;
        }
        let name = NamespaceName::default_name();
        if namespaces.catalog.find(&name)?.is_none() {
            namespaces.create_blocking(name, "default".to_owned())?;
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

    /// The first of these databases that exists.
    pub fn first(&self, names: &[NamespaceName]) -> Result<Arc<Namespace>> {
        let mut not_found = Error::bad_request("the request names no database");
        for name in names {
            match self.get(name) {
                Err(error) if error.kind() == ErrorKind::DatabaseNotFound => not_found = error,
                result => return result,
            }
        }
        Err(not_found)
    }

    fn open_namespace(&self, name: &NamespaceName) -> Result<Arc<Namespace>> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(namespace) = self.open.get(name) {
            return Ok(Arc::clone(&namespace));
        }
        let record = self.catalog.find(name)?.ok_or_else(|| not_found(name))?;
        let database = Arc::new(Database::new(self.files.path(record.id), &self.engine));
        let namespace =
            Arc::new(Namespace { record, database, is_deleted: AtomicBool::new(false) });
        self.open.insert(name.clone(), Arc::clone(&namespace));
        Ok(namespace)
    }

    /// What the catalog says of a database.
    pub fn find(&self, name: &NamespaceName) -> Result<Record> {
        block(|| self.catalog.find(name))?.ok_or_else(|| not_found(name))
    }

    /// Databases in the order of their names, after the name `after`.
    pub fn list(&self, group: Option<&str>, after: &str, limit: usize) -> Result<Vec<Record>> {
        block(|| self.catalog.list(group, after, limit))
    }

    /// Creates an empty database. A failure leaves nothing behind.
    pub fn create(&self, name: NamespaceName, group: String) -> Result<Record> {
        block(|| self.create_blocking(name, group))
    }

    fn create_blocking(&self, name: NamespaceName, group: String) -> Result<Record> {
        if self.catalog.find(&name)?.is_some() {
            return Err(catalog::exists(&name));
        }
        let record = Record { id: Uuid::new_v4(), name, group };
        self.files.create(record.id)?;
        match self.catalog.insert(&record) {
            Ok(()) => Ok(record),
            Err(error) => {
                self.files.remove(record.id)?;
                Err(error)
            }
        }
    }

    /// Deletes a database: at once for clients, and on disk before this returns.
    pub fn delete(&self, name: &NamespaceName) -> Result<()> {
        if *name == NamespaceName::default_name() {
            return Err(Error::bad_request(
                "the database `default` cannot be deleted: it serves requests that name none",
            ));
        }
        block(|| {
            let id = {
                let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
                let id = self.catalog.delete(name)?.ok_or_else(|| not_found(name))?;
                if let Some((_, namespace)) = self.open.remove(name) {
                    namespace.is_deleted.store(true, Relaxed);
                    drop(namespace.database.close());
                }
                id
            };
            self.purge(id)
        })
    }

    fn purge(&self, id: Uuid) -> Result<()> {
        self.files.remove(id)?;
        self.catalog.purge(id)
    }

    /// Lends a connection to a database; closes unused ones elsewhere if there is no room. Blocks.
    pub fn connect(&self, namespace: &Namespace, tenancy: &Tenancy) -> Result<Lease> {
        namespace.check()?;
        match namespace.database.connect(tenancy) {
            Err(error) if error.kind() == ErrorKind::Overloaded => {
                self.make_room();
                namespace.database.connect(tenancy)
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
            unused.extend(namespace.database.take_unused(before));
            // Under the lock of the map's shard nobody can take another reference.
            namespace.database.has_idle() || Arc::strong_count(namespace) > 1
        });
        // Closing takes its time: the last connection of a file checkpoints the WAL.
        block(|| drop(unused));
    }
}

fn not_found(name: &NamespaceName) -> Error {
    Error::new(
        ErrorKind::DatabaseNotFound,
        format!("could not find database with name {name}: record not found"),
    )
}
