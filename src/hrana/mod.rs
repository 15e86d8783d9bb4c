//! Hrana: streams and what they can be asked, for all transports.

pub mod baton;
pub mod collect;
pub mod cursor;
pub mod disconnect;
pub mod session;
mod sql_store;
pub mod stream;
pub mod streams;

pub use collect::Collect;
pub use disconnect::{Disconnect, StopOnDrop};
pub use stream::Stream;
pub use streams::Streams;

use crate::error::{Error, Result};
use crate::limits;

/// Refuses a batch whose conditions look forward, or which is too long.
///
/// `is_autocommit` is understood in version 2 as well, although the specification has it from 3 on:
/// `@tursodatabase/sync` sends it to `v2/pipeline`.
pub fn check_batch(batch: &hrana_protocol::Batch) -> Result<()> {
    if batch.steps.len() > limits::BATCH_STEPS_MAX {
        return Err(Error::bad_request(format!(
            "a batch may have {} steps; this one has {}",
            limits::BATCH_STEPS_MAX,
            batch.steps.len()
        )));
    }
    batch.check().map_err(|step| {
        Error::bad_request(format!(
            "Invalid reference to step in a batch condition: steps[{step}] may only name steps before it"
        ))
    })
}
