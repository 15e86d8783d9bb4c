//! Versions and encodings, and the names under which they are negotiated.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::DecodeError;
use crate::{json, protobuf};

/// A version of the Hrana protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// WebSocket with `execute` and `batch`; the stateless HTTP of [`crate::http::v1`].
    Hrana1,
    /// Adds streams over HTTP, `sequence`, `describe` and stored SQL texts.
    Hrana2,
    /// Adds cursors, `get_autocommit`, the condition `is_autocommit` and Protobuf.
    Hrana3,
}

impl Version {
    /// The name used in messages to clients, which is also the JSON WebSocket subprotocol.
    pub fn name(self) -> &'static str {
        match self {
            Version::Hrana1 => "hrana1",
            Version::Hrana2 => "hrana2",
            Version::Hrana3 => "hrana3",
        }
    }
}

/// How structures become bytes. Protobuf exists from Hrana 3 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// RFC 8259; the same in all versions.
    Json,
    /// The proto3 schema in the appendix of `HRANA_3_SPEC.md`.
    Protobuf,
}

impl Encoding {
    /// The media type of one structure of this encoding in an HTTP body.
    pub fn media_type(self) -> &'static str {
        match self {
            Encoding::Json => "application/json",
            Encoding::Protobuf => "application/x-protobuf",
        }
    }
}

impl Encoding {
    /// Decodes one structure that `bytes` holds and nothing else.
    pub fn decode<T>(self, bytes: &[u8]) -> Result<T, DecodeError>
    where
        T: DeserializeOwned + protobuf::Message,
    {
        match self {
            Encoding::Json => json::decode(bytes),
            Encoding::Protobuf => protobuf::decode(bytes),
        }
    }

    /// Appends `message` to `out`.
    pub fn encode<T>(self, message: &T, out: &mut Vec<u8>)
    where
        T: Serialize + protobuf::Encode,
    {
        match self {
            Encoding::Json => json::encode(message, out),
            Encoding::Protobuf => protobuf::encode(message, out),
        }
    }
}

/// The WebSocket subprotocols (*Version and encoding negotiation*), the best for a server to select
/// first.
///
/// A client that names none speaks the first version.
pub const SUBPROTOCOLS: [(&str, Version, Encoding); 4] = [
    ("hrana3-protobuf", Version::Hrana3, Encoding::Protobuf),
    ("hrana3", Version::Hrana3, Encoding::Json),
    ("hrana2", Version::Hrana2, Encoding::Json),
    ("hrana1", Version::Hrana1, Encoding::Json),
];

/// What a WebSocket subprotocol of this name speaks; `None` if it is none of [`SUBPROTOCOLS`].
pub fn subprotocol(name: &str) -> Option<(Version, Encoding)> {
    let (_, version, encoding) = SUBPROTOCOLS.into_iter().find(|entry| entry.0 == name)?;
    Some((version, encoding))
}
