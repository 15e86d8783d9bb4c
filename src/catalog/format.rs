//! The form of the catalog's file, and how an older one becomes the newest.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::failed;
use crate::error::{Error, Result};

/// What each form adds to the one before. `PRAGMA user_version` is how many of them a file has; what is here is
/// never changed, only added to.
const FORMATS: [&str; 5] = [
    "
CREATE TABLE databases (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    group_name TEXT NOT NULL,
    created_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE TABLE deleted (id TEXT PRIMARY KEY) STRICT;
",
    "
-- A generation counts how often the tokens of a group or a database were made invalid.
CREATE TABLE groups (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    generation INTEGER NOT NULL DEFAULT 1,
    delete_protection INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
INSERT INTO groups (id, name) SELECT
    lower(printf('%s-%s-4%s-a%s-%s', hex(randomblob(4)), hex(randomblob(2)), substr(hex(randomblob(2)), 2),
        substr(hex(randomblob(2)), 2), hex(randomblob(6)))),
    name
FROM (SELECT 'default' AS name UNION SELECT group_name FROM databases);

ALTER TABLE databases RENAME TO databases_1;
-- A row with `deleted_at` is a database that no client sees; its files go when it has been there for long enough.
CREATE TABLE databases (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES groups (id),
    parent_id TEXT,
    generation INTEGER NOT NULL DEFAULT 1,
    block_reads INTEGER NOT NULL DEFAULT 0,
    block_writes INTEGER NOT NULL DEFAULT 0,
    block_reason TEXT,
    size_limit INTEGER,
    allow_attach INTEGER NOT NULL DEFAULT 0,
    delete_protection INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL DEFAULT (unixepoch()),
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX databases_by_name ON databases (name) WHERE deleted_at IS NULL;
CREATE INDEX databases_by_group ON databases (group_id, name) WHERE deleted_at IS NULL;
CREATE INDEX databases_deleted ON databases (deleted_at) WHERE deleted_at IS NOT NULL;
INSERT INTO databases (id, name, group_id, created_at)
    SELECT d.id, d.name, g.id, d.created_at FROM databases_1 d JOIN groups g ON g.name = d.group_name;
INSERT INTO databases (id, name, group_id, deleted_at)
    SELECT d.id, d.id, g.id, 0 FROM deleted d JOIN groups g ON g.name = 'default';
DROP TABLE databases_1;
DROP TABLE deleted;

-- Tokens of the platform API; only their hashes are known here.
CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL UNIQUE,
    scopes TEXT,
    group_id TEXT REFERENCES groups (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

-- Keys of others, whose tokens are accepted: for the whole server, one group, or one database.
CREATE TABLE foreign_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    group_id TEXT REFERENCES groups (id) ON DELETE CASCADE,
    database_id TEXT,
    -- A key, several, or a JWKS document.
    text TEXT NOT NULL,
    -- Where the document is read anew from, if anywhere.
    url TEXT,
    created_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;
CREATE UNIQUE INDEX foreign_keys_by_name ON foreign_keys (name, ifnull(group_id, ''), ifnull(database_id, ''));

-- What was read and written, by day (days since 1970-01-01).
CREATE TABLE usage (
    database_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    rows_read INTEGER NOT NULL,
    rows_written INTEGER NOT NULL,
    PRIMARY KEY (database_id, day)
) STRICT, WITHOUT ROWID;
",
    "
CREATE INDEX foreign_keys_by_database ON foreign_keys (database_id) WHERE database_id IS NOT NULL;
",
    "
-- A database whose file is still to be uploaded.
ALTER TABLE databases ADD COLUMN awaits_upload INTEGER NOT NULL DEFAULT 0;
",
    "
-- A schema database says what its children look like. The version is the last job that a database has taken over.
ALTER TABLE databases ADD COLUMN is_schema INTEGER NOT NULL DEFAULT 0;
ALTER TABLE databases ADD COLUMN schema_id TEXT;
ALTER TABLE databases ADD COLUMN schema_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE databases ADD COLUMN is_rolling INTEGER NOT NULL DEFAULT 0;
ALTER TABLE databases ADD COLUMN canaries INTEGER NOT NULL DEFAULT 0;
CREATE INDEX databases_by_schema ON databases (schema_id, name) WHERE schema_id IS NOT NULL;

-- Migrations, with their states as numbers (catalog::Status) and their times in milliseconds since 1970.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    schema_id TEXT NOT NULL,
    -- The statements, as Hrana writes them in JSON.
    script TEXT NOT NULL,
    status INTEGER NOT NULL,
    is_rolling INTEGER NOT NULL,
    canaries INTEGER NOT NULL,
    is_cancelled INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX jobs_by_schema ON jobs (schema_id, id);
CREATE INDEX jobs_unfinished ON jobs (id) WHERE finished_at IS NULL;
-- What a job does with one child.
CREATE TABLE tasks (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    database_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    finished_at INTEGER,
    PRIMARY KEY (job_id, database_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tasks_by_database ON tasks (database_id);
",
];

/// Sets the connection up, and brings the file to the newest form.
pub(super) fn prepare(db: &mut Connection, path: &Path) -> Result<()> {
    let read = failed("read the catalog");
    db.busy_timeout(crate::limits::BUSY_WAIT).map_err(&read)?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )
    .map_err(&read)?;
    // Who has begun with reading is not let wait for another process that writes, but refused at once
    // (`sqlite.org/lang_transaction.html`, SQLITE_BUSY).
    db.set_transaction_behavior(TransactionBehavior::Immediate);
    if newer(db, path)?.is_empty() {
        return Ok(());
    }
    // Two processes may be here at once: the server, and a command of its owner.
    let transaction = db.transaction().map_err(&read)?;
    let newer = newer(&transaction, path)?;
    for format in newer {
        transaction
            .execute_batch(format)
            .map_err(failed("bring the catalog to its newest form"))?;
    }
    transaction
        .pragma_update(None, "user_version", FORMATS.len() as i64)
        .and_then(|()| transaction.commit())
        .map_err(failed("bring the catalog to its newest form"))
}

/// The forms that a file has still to take.
fn newer(db: &Connection, path: &Path) -> Result<&'static [&'static str]> {
    let format: i64 = db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failed("read the catalog"))?;
    let newer = usize::try_from(format).ok().and_then(|format| FORMATS.get(format..));
    newer.ok_or_else(|| {
        Error::internal(
            format!("read the catalog {}", path.display()),
            format!("it has format {format}, this version knows formats up to {}", FORMATS.len()),
        )
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{FORMATS, prepare};

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a catalog is not a tenant's file")]
    fn a_catalog_of_the_first_form_keeps_its_databases() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("catalog.sqlite");
        let db = Connection::open(&path).unwrap();
        db.execute_batch(FORMATS[0]).unwrap();
        db.execute_batch(
            "PRAGMA user_version = 1;
             INSERT INTO databases (id, name, group_name) VALUES ('1', 'shop', 'default');
             INSERT INTO deleted VALUES ('2');",
        )
        .unwrap();
        drop(db);
        let mut db = Connection::open(&path).unwrap();
        prepare(&mut db, &path).unwrap();
        prepare(&mut db, &path).unwrap();
        let rows = "SELECT group_concat(concat_ws(' ', d.id, d.name, g.name, d.deleted_at), ', ')
                    FROM databases d JOIN groups g ON g.id = group_id";
        let rows: String = db.query_row(rows, [], |row| row.get(0)).unwrap();
        assert_eq!(rows, "1 shop default, 2 2 default 0");
        db.pragma_update(None, "user_version", 99).unwrap();
        let error = prepare(&mut db, &path).unwrap_err();
        assert!(error.message().contains("it has format 99, this version knows formats up to 5"));
    }
}
