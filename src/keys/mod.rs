//! The keys of others that are believed: those of the command line, and those in the catalog.

mod remote;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::{Authority, ForeignKey, Issuer, VerifyingKey};
use crate::catalog::{Catalog, ForeignKeyRecord};
use crate::error::{Error, Result};

pub use self::remote::add_from_url;

/// Keeps the authority's foreign keys as the catalog has them.
pub struct Keys {
    authority: Arc<Authority>,
    catalog: Arc<Catalog>,
    /// From the command line, for all databases.
    fixed: Vec<ForeignKey>,
    /// What was taken over from the catalog last.
    known: Mutex<Vec<ForeignKeyRecord>>,
}

impl Keys {
    /// Reads the files, which must be good, and the catalog.
    pub fn open(
        files: &[PathBuf],
        authority: Arc<Authority>,
        catalog: Arc<Catalog>,
    ) -> Result<Self> {
        let mut fixed = Vec::new();
        for file in files {
            let text = fs::read_to_string(file).map_err(|error| {
                Error::internal(format!("read the key file {}", file.display()), error)
            })?;
            let keys = VerifyingKey::parse(&text).map_err(|error| {
                Error::bad_request(format!("the key file {}: {error}", file.display()))
            })?;
            fixed.extend(keys.into_iter().map(|key| ForeignKey { issuer: Issuer::Server, key }));
        }
        let keys = Keys { authority, catalog, fixed, known: Mutex::default() };
        keys.authority.set_foreign_keys(keys.fixed.clone());
        keys.refresh()?;
        Ok(keys)
    }

    /// Fetches anew what came from URLs, and takes over what has changed. Documents that cannot be had stay as they
    /// were. Ends early when `is_stopped`. Whether anything has changed. Blocks.
    pub fn renew(&self, is_stopped: impl Fn() -> bool) -> Result<bool> {
        for record in self.catalog.foreign_keys()? {
            let Some(url) = record.url.as_deref().filter(|_| !is_stopped()) else { continue };
            match remote::document(url) {
                Ok(text) => self.catalog.renew_foreign_key(&record, &text)?,
                Err(error) => {
                    let name = &record.name;
                    tracing::warn!("the keys {name} of {url} stay as they were: {error}");
                }
            }
        }
        self.refresh()
    }

    /// Whether there are keys that came from URLs.
    pub fn has_urls(&self) -> bool {
        self.lock().iter().any(|record| record.url.is_some())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ForeignKeyRecord>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what has changed in the catalog. Whether anything has. Blocks.
    pub fn refresh(&self) -> Result<bool> {
        // Locked before the catalog is read: who is late must not bring back what was removed meanwhile.
        let mut known = self.lock();
        let records = self.catalog.foreign_keys()?;
        if *known == records {
            return Ok(false);
        }
        let mut keys = self.fixed.clone();
        for record in &records {
            let issuer = match (record.database, record.group) {
                (Some(id), _) => Issuer::Database(id),
                (None, Some(id)) => Issuer::Group(id),
                (None, None) => Issuer::Server,
            };
            match VerifyingKey::parse(&record.text) {
                Ok(found) => keys.extend(found.into_iter().map(|key| ForeignKey { issuer, key })),
                // Checked before it was saved; without it the others are still good.
                Err(error) => tracing::error!("the key {}: {error}", record.name),
            }
        }
        self.authority.set_foreign_keys(keys);
        *known = records;
        Ok(true)
    }
}
