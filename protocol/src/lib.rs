//! Types and codecs of Hrana, libSQL's protocol for SQLite over a network.
//!
//! Every structure of Hrana 1, 2 and 3 exists once, as a plain Rust type, and is encoded and
//! decoded in both directions as JSON ([`json`]) and, for version 3, as Protobuf ([`protobuf`]).
//! The names are those of the specifications `HRANA_1_SPEC.md`, `HRANA_2_SPEC.md` and
//! `HRANA_3_SPEC.md`.
//!
//! The crate does no I/O and knows neither SQLite nor HTTP nor WebSocket: bytes become values here,
//! and values bytes. What cannot be represented does not decode, so that nobody validates twice.
//!
//! | transport | encodings | entry points |
//! |---|---|---|
//! | HTTP, versions 2 and 3 | JSON, Protobuf (3) | [`http`] |
//! | HTTP, version 1 | JSON | [`http::v1`] |
//! | WebSocket, versions 1 to 3 | JSON, Protobuf (3) | [`ws`] |
#![forbid(unsafe_code)]

pub mod batch;
pub mod cursor;
pub mod describe;
pub mod encoded_rows;
pub mod error;
pub mod http;
pub mod json;
pub mod protobuf;
pub mod result_rows;
pub mod rows;
pub mod stmt;
pub mod stream;
pub mod value;
pub mod version;
pub mod ws;

pub use batch::{Batch, BatchCond, BatchResult, BatchStep};
pub use cursor::CursorEntry;
pub use describe::{DescribeCol, DescribeParam, DescribeResult};
pub use encoded_rows::EncodedRows;
pub use error::{DecodeError, Error};
pub use result_rows::ResultRows;
pub use rows::{RowRef, Rows};
pub use stmt::{Col, NamedArg, SqlRef, Stmt, StmtResult};
pub use stream::{StreamRequest, StreamResponse, StreamResult};
pub use value::{Value, ValueRef};
pub use version::{Encoding, Version};
