//! Migrations of schemas, and the jobs that tell of them.

use std::time::Duration;

use super::MIB;

/// Longest script of one migration: it is kept in the catalog, and in memory while it runs.
pub const MIGRATION_SCRIPT_BYTES_MAX: usize = 16 * MIB;

/// Pragmas of a stream that a migration repeats in each child.
pub const MIGRATION_PRAGMAS_MAX: usize = 100;

/// How long one statement of a migration may run in one child: it may make the index of a large table.
pub const MIGRATION_STATEMENT: Duration = Duration::from_secs(600);

/// How long a migration may keep all others from the file of a child that nobody has open. What takes longer is begun
/// again beside them.
pub const MIGRATION_ALONE: Duration = Duration::from_millis(20);

/// How long a migration waits for another process that holds the file of a child.
pub const MIGRATION_BUSY_WAIT: Duration = Duration::from_secs(1);

/// How long a migration waits for those before it on the same schema.
pub const MIGRATION_QUEUE_WAIT: Duration = Duration::from_secs(600);

/// How nice the threads of migrations are to others (setpriority(2)): they have a tenth of a core that both want. With
/// more, a server that is busy for long would not get its migrations done.
pub const MIGRATION_NICENESS: i32 = 10;

/// How often a task is tried, and how long after the first failure; then twice as long each time.
pub const TASK_ATTEMPTS_MAX: u64 = 5;
pub const TASK_RETRY: Duration = Duration::from_millis(100);

/// Children whose migration becomes durable by one sync of the file system. It may take some 10 ms, in which others who
/// write wait for the disk as well: with so many it meets fewer than one in a hundred of them. They stay locked until
/// then, which is some 100 ms more for the first.
pub const CHILDREN_SYNCED_TOGETHER: usize = 200;

/// Fewer than this are synced one by one: a sync of the file system also writes what other programs have left to be
/// written.
pub const CHILDREN_SYNCED_TOGETHER_MIN: usize = 4;

/// What has become of tasks is noted in the catalog this often.
pub const TASKS_NOTED: Duration = Duration::from_millis(100);

/// How long a child that is behind waits for the turn to write itself, before whoever wants it gets it as it is.
pub const CATCH_UP_WAIT: Duration = Duration::from_secs(1);

/// A child that could not catch up is tried again when it is used after this time.
pub const CATCH_UP_RETRY: Duration = Duration::from_secs(30);

/// Jobs of a schema whose tasks are kept, and that are kept themselves.
pub const JOBS_WITH_TASKS_KEPT: usize = 100;
pub const JOBS_KEPT: usize = 10_000;

/// Jobs and tasks in one answer, unless asked for fewer: a few hundred kibibytes.
pub const JOBS_LISTED: usize = 1_000;
pub const TASKS_LISTED: usize = 10_000;

/// How often `hranad jobs watch` looks how far a migration is.
pub const WATCH_INTERVAL: Duration = Duration::from_millis(200);

/// Rows of one table that violate foreign keys, as far as it is remembered which.
pub const VIOLATIONS_MAX: usize = 1_000;
