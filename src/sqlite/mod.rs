//! SQLite for strangers: connections, the policy on their SQL, and the execution of batches.
//!
//! Everything that opens, reads, writes or checkpoints a tenant's file is in this module. A reader may
//! start with [`Database`] (who may use a connection), then [`run`](Run) (what happens to a batch), then
//! `policy` (what SQL may do). Unsafe code is in `statement`, `cell`, `session`, `commits` and `read_locks` only.

mod active;
mod arguments;
mod cache;
mod cell;
mod check;
mod checkpoint;
mod commits;
mod connection;
mod database;
mod describe;
mod dialect;
mod dump;
mod durability;
mod execution;
mod executor;
mod file;
mod group_commit;
mod import;
mod interruption;
mod libsql;
mod mark;
mod meter;
mod migration;
mod objects;
mod pace;
mod policy;
#[cfg(test)]
mod policy_tests;
mod pragma;
mod preparation;
mod read_locks;
#[cfg(test)]
mod read_locks_tests;
mod refusals;
mod regulator;
mod rehearsal;
mod run;
mod script;
mod session;
mod sink;
mod slowness;
mod statement;
mod statement_reader;
mod table_policy;
#[cfg(test)]
mod table_policy_tests;
mod threads;
mod transaction;
mod turn_queue;
mod vector;
mod write_turn;

pub use arguments::Arguments;
pub use check::{check_file, is_empty, read_copy, settle, take_over};
pub use connection::Connection;
pub use database::{Database, Engine, Lease, Tenancy};
pub use dump::Dump;
pub use durability::{Durability, sync_together};
pub use execution::{Progress, skip_blank};
pub use executor::{Executor, ResultPlaces, Work};
pub use file::{EMPTY_FILE_BYTES, Sharing, beside, copy_file, create_file};
pub use group_commit::GroupCommit;
pub use import::Import;
pub use interruption::Interruption;
pub use mark::{clear_mark, forget_sqld_tasks, mark_of};
pub use meter::{Meter, TopQuery};
pub use migration::{Migration, MigrationFailure};
pub use objects::{Look, look_at};
pub use pace::Pace;
pub use policy::check_whole;
pub use rehearsal::{Change, Ended};
pub use run::{Run, RunStep};
pub use script::Script;
pub use session::SavedSession;
pub use sink::{Flow, Sink, Summary};
pub use threads::{block, detach};
pub use turn_queue::Turn;
pub use write_turn::{MigrationTurn, WriteTurn};
