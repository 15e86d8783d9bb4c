//! What was read and written, by database and day.

use rusqlite::params;
use uuid::Uuid;

use super::{Catalog, failed};
use crate::error::Result;

/// Rows, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub rows_read: u64,
    pub rows_written: u64,
}

impl Catalog {
    /// Adds what databases have used, on a day counted from 1970-01-01.
    pub fn add_usage(&self, day: i64, used: &[(Uuid, Usage)]) -> Result<()> {
        let sql =
            "INSERT INTO usage (database_id, day, rows_read, rows_written) VALUES (?, ?, ?, ?)
                   ON CONFLICT DO UPDATE SET rows_read = rows_read + excluded.rows_read,
                       rows_written = rows_written + excluded.rows_written";
        self.change("note the usage of databases", |transaction| {
            for (id, Usage { rows_read, rows_written }) in used {
                let read = i64::try_from(*rows_read).unwrap_or(i64::MAX);
                let written = i64::try_from(*rows_written).unwrap_or(i64::MAX);
                transaction.prepare_cached(sql)?.execute(params![
                    id.to_string(),
                    day,
                    read,
                    written
                ])?;
            }
            Ok(())
        })
    }

    /// What each database, or one, has used on the days `from` to `to`, both included.
    pub fn usage(&self, id: Option<Uuid>, from: i64, to: i64) -> Result<Vec<(Uuid, Usage)>> {
        let sql = "SELECT database_id, sum(rows_read), sum(rows_written) FROM usage
                   WHERE (?1 IS NULL OR database_id = ?1) AND day BETWEEN ?2 AND ?3 GROUP BY database_id";
        let db = self.lock();
        let mut statement = db.prepare_cached(sql).map_err(failed("sum the usage up"))?;
        let id = id.map(|id| id.to_string());
        let sums = statement.query_map(params![id, from, to], |row| {
            let rows_read = row.get::<_, i64>(1)?.unsigned_abs();
            let rows_written = row.get::<_, i64>(2)?.unsigned_abs();
            Ok((super::read_id(row, 0)?, Usage { rows_read, rows_written }))
        });
        sums.and_then(Iterator::collect).map_err(failed("sum the usage up"))
    }
}
