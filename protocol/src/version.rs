//! Versions and encodings, and the names under which they are negotiated.

/// A version of the Hrana protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    Hrana1,
    Hrana2,
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
    Json,
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
