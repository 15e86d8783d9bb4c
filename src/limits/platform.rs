//! Databases that come, go and are copied, and what is counted of them.

use std::time::Duration;

use super::{GIB, KIB, MIB, VALUE_BYTES_MAX};

/// Largest dump or file of which a database is made, as the `turso` CLI has it for what it uploads.
pub const SEED_BYTES_MAX: u64 = 8 * GIB;

/// Longest statement of a dump: a row of `VALUE_BYTES_MAX`, of which each byte is two digits or a doubled quote.
pub const DUMP_STATEMENT_BYTES_MAX: usize = 2 * VALUE_BYTES_MAX + MIB;

/// How much of a dump is read at once.
pub const DUMP_READ_BYTES: usize = 256 * KIB;

/// How long one statement of a dump may run: it may make the index of a large table.
pub const DUMP_STATEMENT: Duration = Duration::from_secs(600);

/// Page cache in KiB while a dump is read, so that the pages of indexes are not written again and again.
pub const DUMP_CACHE_KIB: usize = 32 * 1024;

/// How long the check of a whole file may take.
pub const FILE_CHECK: Duration = Duration::from_secs(600);

/// Dumps and files that are kept for who uploads them, and how long after the last of one has come. The `turso` CLI uses
/// one at once.
pub const SEEDS_KEPT_MAX: usize = 64;
pub const SEED_KEPT: Duration = Duration::from_secs(3600);

/// How much of a file comes in one request: little enough to be sent again.
pub const UPLOAD_CHUNK_BYTES: u64 = 16 * MIB as u64;

/// What is in memory of a form besides the file in it: its other fields, and a piece of the file as it comes.
pub const FORM_KEPT_BYTES_MAX: usize = 4 * MIB;

/// How long the next piece of an upload may take to arrive.
pub const UPLOAD_STALL: Duration = Duration::from_secs(60);

/// How much of an exported file is in memory, twice.
pub const EXPORT_CHUNK_BYTES: usize = 256 * KIB;

/// Texts of SQL whose cost is noted per database that is in use, that are kept when it is not, and that are told.
pub const QUERIES_LISTED: usize = 200;
pub const QUERIES_KEPT: usize = 10;
pub const QUERIES_TOLD: usize = 50;

/// How much of such a text is kept.
pub const QUERY_BYTES_MAX: usize = KIB;

/// Databases of which such texts are remembered, used or not, at up to 10 KiB for each out of use.
pub const METERS_KEPT: usize = 4_000;

/// How often what was read and written is added to the catalog: about what is lost when the machine fails.
pub const USAGE_SAVE: Duration = Duration::from_secs(5);

/// How long fetching a dump may take, how long nothing of it may arrive, and how often it may be said to be elsewhere.
pub const FETCH: Duration = Duration::from_secs(1800);
pub const FETCH_STALL: Duration = Duration::from_secs(30);
pub const FETCH_REDIRECTS_MAX: u32 = 5;

/// Empty files that are made ahead while databases are created: enough for the disk to be busy with several at once.
pub const SPARE_FILES: usize = 16;

/// How old an empty file that no database has must be to be one that was forgotten by a crash.
pub const LOST_FILE: Duration = Duration::from_secs(3600);

/// Whole databases that are read and written at once, for seeds and exports: each keeps a disk busy.
pub const SEEDS_AT_ONCE: usize = 4;

/// Connections of the admin API's listener: a few tools.
pub const ADMIN_SOCKETS_MAX: usize = 256;

/// Longest label of a host name (RFC 1035).
pub const HOST_LABEL_BYTES_MAX: usize = 63;

/// Longest name of an organization: in a label it leaves room for the name of a database.
pub const ORGANIZATION_BYTES_MAX: usize = 32;

/// Longest name of a database, as on Turso; with a longer one than fits into a label it has no host name.
pub const DATABASE_NAME_BYTES_MAX: usize = 64;
