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
