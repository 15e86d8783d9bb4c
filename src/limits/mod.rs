//! Every bound of the server, with its reason. What an operator may change is in [`crate::config`].

mod execution;
mod migrations;
mod platform;
mod protocol;
mod server;
mod tokens;

pub use execution::*;
pub use migrations::*;
pub use platform::*;
pub use protocol::*;
pub use server::*;
pub use tokens::*;

pub const KIB: usize = 1024;
pub const MIB: usize = 1024 * KIB;
pub const GIB: u64 = 1024 * MIB as u64;

const _: () = assert!(REPLY_KEPT_BYTES_MAX < STREAMS_BYTES_MAX);
const _: () = assert!(SQL_STORE_BYTES_MAX < STREAMS_BYTES_MAX);
const _: () = assert!(CURSOR_CHUNK_BYTES < RESPONSE_BYTES_MAX);
const _: () = assert!(SQL_BYTES_MAX <= VALUE_BYTES_MAX);
const _: () = assert!(DUMP_STATEMENT_BYTES_MAX <= i32::MAX as usize);
const _: () = assert!(STREAMS_HOLDING_MAX < CONNECTIONS_MAX);
