//! SQL texts that a client stores to send them only once (`store_sql` in the Hrana specification).

use std::collections::HashMap;
use std::sync::Arc;

use hrana_protocol::SqlRef;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// The texts of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct SqlStore {
    texts: HashMap<i32, Arc<str>>,
    bytes: usize,
}

impl SqlStore {
    pub(super) fn store(&mut self, id: i32, sql: String) -> Result<()> {
        if self.texts.contains_key(&id) {
            return Err(Error::new(
                ErrorKind::SqlStoreExists,
                format!("SQL text {id} already exists; close it before storing another"),
            ));
        }
        let (count, bytes) = (self.texts.len() + 1, self.bytes + sql.len());
        if count > limits::SQL_STORE_COUNT_MAX || bytes > limits::SQL_STORE_BYTES_MAX {
            return Err(Error::new(
                ErrorKind::SqlStoreFull,
                format!(
                    "a stream can store {} SQL texts of together {} bytes; close some first",
                    limits::SQL_STORE_COUNT_MAX,
                    limits::SQL_STORE_BYTES_MAX
                ),
            ));
        }
        self.bytes = bytes;
        self.texts.insert(id, sql.into());
        Ok(())
    }

    /// Forgets a text; it is no error if there is none.
    pub(super) fn close(&mut self, id: i32) {
        if let Some(sql) = self.texts.remove(&id) {
            self.bytes -= sql.len();
        }
    }

    /// The text that a statement means.
    pub(super) fn resolve(&self, sql: SqlRef) -> Result<Arc<str>> {
        match sql {
            SqlRef::Text { sql } => Ok(sql.into()),
            SqlRef::Stored { sql_id } => self.stored(sql_id),
        }
    }

    fn stored(&self, id: i32) -> Result<Arc<str>> {
        self.texts.get(&id).cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::SqlStoreUnknown,
                format!("SQL text {id} not found; store it on this stream first"),
            )
        })
    }

    /// The stored ones of these texts. They are shared: a batch may name the same large one in every step.
    pub(super) fn pick<'a>(&self, sqls: impl IntoIterator<Item = &'a SqlRef>) -> Result<Self> {
        let mut picked = SqlStore::default();
        for sql in sqls {
            if let SqlRef::Stored { sql_id } = sql {
                picked.texts.insert(*sql_id, self.stored(*sql_id)?);
            }
        }
        Ok(picked)
    }

    /// Memory that the texts occupy.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
