//! What databases have used: counted in memory while statements run, and added to the catalog every few seconds.

use std::collections::HashMap;
use std::sync::Arc;

use dashmap::DashMap;
use uuid::Uuid;

use super::Namespaces;
use crate::catalog::{self, Usage};
use crate::error::Result;
use crate::limits;
use crate::sqlite::{Meter, TopQuery, block};

/// The meters of all databases that were used lately. They outlive what is open of a database.
#[derive(Default)]
pub(super) struct Meters(DashMap<Uuid, Arc<Meter>>);

impl Meters {
    pub(super) fn of(&self, id: Uuid) -> Arc<Meter> {
        Arc::clone(&self.0.entry(id).or_default())
    }

    /// Keeps less of a database that is not in use any more.
    pub(super) fn rest(&self, id: Uuid) {
        if let Some(meter) = self.0.get(&id) {
            meter.shrink();
        }
    }

    /// Forgets a database that is gone.
    pub(super) fn remove(&self, id: Uuid) {
        self.0.remove(&id);
    }
}

impl Namespaces {
    /// Adds to the catalog what was read and written since the last time. Blocks.
    pub fn save_usage(&self) -> Result<()> {
        let mut taken = Vec::new();
        for entry in &self.meters.0 {
            if entry.has_unsaved() {
                taken.push((Arc::clone(entry.value()), *entry.key(), entry.take_unsaved()));
            }
        }
        if !taken.is_empty() {
            let used = taken.iter().map(|(_, id, (rows_read, rows_written))| {
                (*id, Usage { rows_read: *rows_read, rows_written: *rows_written })
            });
            let today = i64::try_from(catalog::now() / SECONDS_PER_DAY).unwrap_or(i64::MAX);
            if let Err(error) = self.catalog.add_usage(today, &used.collect::<Vec<_>>()) {
                for (meter, _, rows) in taken {
                    meter.put_back(rows);
                }
                return Err(error);
            }
        }
        if self.meters.0.len() > limits::METERS_KEPT {
            // Whoever uses a database holds its meter too.
            self.meters.0.retain(|_, meter| Arc::strong_count(meter) > 1 || meter.has_unsaved());
        }
        Ok(())
    }

    /// What each database, or one, has used on the days `from` to `to`, both included, counted from 1970-01-01.
    pub fn usage(&self, id: Option<Uuid>, from: i64, to: i64) -> Result<HashMap<Uuid, Usage>> {
        block(|| {
            self.save_usage()?;
            Ok(self.catalog.usage(id, from, to)?.into_iter().collect())
        })
    }

    /// The texts of SQL that have cost most rows. What each has cost counts from when the server was started, or
    /// from when the text came back to a list that it had dropped off.
    pub fn top_queries(&self, id: Uuid) -> Vec<TopQuery> {
        let meter = self.meters.0.get(&id).map(|meter| Arc::clone(&meter));
        meter.map_or_else(Vec::new, |meter| meter.top_queries())
    }

    /// What the files of a database take, in bytes. Blocks.
    pub fn storage_bytes(&self, id: Uuid) -> u64 {
        self.files.size(id)
    }
}

const SECONDS_PER_DAY: u64 = 86_400;
