//! One database that somebody uses or has used lately.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

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
    /// The last migration job that it has taken over.
    version: AtomicI64,
    /// That of its schema database, which all children share.
    schema_version: Option<Arc<AtomicI64>>,
    /// When it could not catch up with it.
    failed_at: Mutex<Option<Instant>>,
}

impl Namespace {
    /// `schema_version` is that of a child's schema database.
    pub(super) fn new(
        record: Record,
        database: Database,
        schema_version: Option<Arc<AtomicI64>>,
    ) -> Self {
        let namespace = Namespace {
            id: record.id,
            name: record.name.clone(),
            version: AtomicI64::new(record.schema_version),
            schema_version,
            failed_at: Mutex::default(),
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

    /// The last migration job that it has taken over; 0 for none.
    pub fn version(&self) -> i64 {
        self.version.load(Relaxed)
    }

    /// Notes that it has taken a job over.
    pub fn set_version(&self, version: i64) {
        self.version.store(version, Relaxed);
    }

    /// Whether it is a child that has not taken over everything of its schema database.
    pub fn is_behind(&self) -> bool {
        let Some(schema) = &self.schema_version else { return false };
        self.version() < schema.load(Relaxed)
    }

    /// When it could not catch up, if that was so the last time.
    pub fn failed_at(&self) -> Option<Instant> {
        *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether it could not catch up.
    pub fn set_failed_at(&self, failed_at: Option<Instant>) {
        *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner) = failed_at;
    }

    /// Takes over what the catalog says now.
    pub(super) fn update(&self, record: Record) {
        self.version.fetch_max(record.schema_version, Relaxed);
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
