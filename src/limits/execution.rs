//! The execution of statements, and what SQLite may take for it.

use std::time::Duration;

use super::{KIB, MIB};

/// Operations of SQLite's virtual machine between two looks at deadline and cancellation: some tens of
/// microseconds, so that stopping is prompt and looking costs nothing.
pub const PROGRESS_OPERATIONS: i32 = 1000;

/// Such looks after which a long statement leaves its processor to others that wait for one: about fifty microseconds,
/// where the system would let it go on for some milliseconds. Costs about a percent.
pub const LOOKS_PER_YIELD: u32 = 4;

/// How long a statement may run on a thread of the runtime before it has to go where blocking is allowed. To go there
/// costs some hundred microseconds, so that it takes a quarter more at most.
pub const QUICK: Duration = Duration::from_millis(1);

/// How long a statement that is longer waits for another thread to take the place of its own: many times what waking one
/// up takes. As it cannot know whether one has come, it spends a fiftieth of its time so.
pub const REPLACEMENT_WAIT: Duration = Duration::from_micros(200);

/// How long a disk may take on such a thread to make a commit durable. Good ones need less than the half.
pub const QUICK_SYNC: Duration = Duration::from_millis(1);

/// How long writers let those go first who are on a processor already. Some hundred short writes; to wake up a task each
/// time would cost more than these do.
pub const TURN_PATIENCE: Duration = Duration::from_millis(10);

/// Arguments of such a statement, which SQLite copies a few times without looking at the clock.
pub const QUICK_ARGUMENT_BYTES: usize = 32 * KIB;

/// The pages of a write-ahead log from which on it is moved into its file, as many as SQLite itself takes: readers look
/// for every page in the log first.
pub const LOG_PAGES: i32 = 1000;

/// How old the mark of a reader may be, behind which nothing is moved into the file while it reads. Some hundred commits
/// at most, of which the log keeps a thousand anyway.
pub const READ_MARK_AGE: Duration = Duration::from_millis(10);

/// Prepared statements kept per connection; what an application executes over and over, at some KiB each.
pub const STATEMENTS_CACHED: usize = 64;

/// A text longer than this is not worth keeping prepared: bulk statements are seldom repeated.
pub const STATEMENT_CACHED_BYTES: usize = 8 * KIB;

/// Tables that one statement may name before it is known whether there are such.
pub const CONDITIONS_MAX: usize = 64;

/// Page cache per connection in KiB. The operating system caches the file too; see also the target of
/// 200 KiB for an idle database.
pub const PAGE_CACHE_KIB: usize = 1024;

/// Longest text, blob or row (`SQLITE_LIMIT_LENGTH`); several are in memory while one is sent.
pub const VALUE_BYTES_MAX: usize = 16 * MIB;

/// Most dimensions of a vector, as in libSQL.
pub const VECTOR_DIMENSIONS_MAX: usize = 65_536;

/// Longest message of SQLite that is passed on.
pub const ERROR_CHARS_MAX: usize = 1000;

/// Longest pattern of LIKE and GLOB (`SQLITE_LIMIT_LIKE_PATTERN_LENGTH`): matching takes its length times the
/// text's, and is not interrupted.
pub const LIKE_PATTERN_BYTES_MAX: usize = 5000;
