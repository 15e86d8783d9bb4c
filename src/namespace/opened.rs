//! One database that somebody uses or has used lately.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

use super::database_not_found;
use crate::catalog::{NamespaceName, Record};
use crate::error::Result;
use crate::sqlite::Database;

pub struct Namespace {
    id: Uuid,
    name: NamespaceName,
    /// What the catalog says of it now.
    record: RwLock<Arc<Record>>,
    database: Arc<Database>,
    is_deleted: AtomicBool,
}

impl Namespace {
    pub(super) fn new(record: Record, database: Database) -> Self {
        let namespace = Namespace {
            id: record.id,
            name: record.name.clone(),
            record: RwLock::new(Arc::new(record)),
            database: Arc::new(database),
            is_deleted: AtomicBool::new(false),
        };
        namespace.apply();
        namespace
    }

    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }

    pub fn id(&self) -> Uuid {
        self.id
    }

    pub fn name(&self) -> &NamespaceName {
        &self.name
    }

    /// What the catalog says of it.
    pub fn record(&self) -> Arc<Record> {
        Arc::clone(&self.record.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Fails once the database has been deleted.
    pub fn check(&self) -> Result<()> {
        if self.is_deleted.load(Relaxed) { Err(database_not_found(&self.name)) } else { Ok(()) }
    }

    /// Takes over what the catalog says now.
    pub(super) fn update(&self, record: Record) {
        *self.record.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(record);
        self.apply();
    }

    fn apply(&self) {
        self.database.set_size_limit(self.record().settings.size_limit);
    }

    /// Ends it for its users. Blocks.
    pub(super) fn close(&self) {
        self.is_deleted.store(true, Relaxed);
        drop(self.database.close());
    }
}
