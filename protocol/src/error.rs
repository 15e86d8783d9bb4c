//! The error structure of the wire, and the error of decoding.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `Error` of the specification: a failure that the server reports to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// Says in English what happened and what to do.
    pub message: String,
    /// Machine-readable; the primary SQLite code (`SQLITE_CONSTRAINT`) or a code of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The extended SQLite code (`SQLITE_CONSTRAINT_UNIQUE`); not in the Hrana specification, but
    /// read by current clients, in JSON under this name, in Protobuf as field 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_code: Option<String>,
}

/// A message that is not what the protocol allows; the text names the place and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(String);

impl DecodeError {
    /// An error that displays as `message`.
    pub fn new(message: impl Into<String>) -> Self {
        DecodeError(message.into())
    }
}

/// The field of a message that must be there.
pub(crate) fn present<T>(field: Option<T>, message: &str, name: &str) -> Result<T, DecodeError> {
    field.ok_or_else(|| DecodeError::new(format!("`{message}` is missing its field `{name}`")))
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        DecodeError(error.to_string())
    }
}

impl From<prost::DecodeError> for DecodeError {
    fn from(error: prost::DecodeError) -> Self {
        DecodeError(error.to_string())
    }
}
