//! Names of databases: what may be one, so that a name can stand in a URL, a host name and a message.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// The name of a database: 1 to 64 lowercase letters, digits and dashes, and not one of the words that
/// stand in the place of a name when a client's URL lacks its last slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceName(Box<str>);

/// First segments of the data plane's own URLs: `/db/v2/pipeline` is `/db/NAME` + `v2/pipeline` without
/// the slash between them.
const RESERVED: [&str; 8] = ["console", "dev", "dump", "health", "v1", "v2", "v3", "v3-protobuf"];

impl NamespaceName {
    /// The database that serves requests which name none.
    pub fn default_name() -> Self {
        NamespaceName("default".into())
    }

    pub fn parse(name: &str) -> Result<Self> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > limits::DATABASE_NAME_BYTES_MAX {
            return Err(invalid(name, "it must have 1 to 64 characters"));
        }
        if let Some(wrong) = name.chars().find(|c| !is_allowed(*c)) {
            let what = format!(
                "it contains {wrong:?}; only lowercase letters a-z, digits 0-9 and dashes are allowed"
            );
            return Err(invalid(name, &what));
        }
        if RESERVED.contains(&name) {
            return Err(invalid(name, "it is the beginning of one of the server's own URLs"));
        }
        Ok(NamespaceName(name.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a path segment in the place of a name comes from a URL without its last slash.
    pub fn is_reserved(segment: &str) -> bool {
        RESERVED.contains(&segment)
    }
}

impl fmt::Display for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn invalid(name: &str, why: &str) -> Error {
    // What is shown is bounded: the name comes from a stranger.
    let shown: String = name.chars().take(80).collect();
    Error::new(ErrorKind::NameInvalid, format!("{shown:?} cannot be a database name: {why}"))
}

#[cfg(test)]
mod tests {
    use super::NamespaceName;

    #[test]
    fn names() {
        let longest = "a".repeat(64);
        for name in ["a", "0", "workspace1-slack", "v4", "default", "-", &longest] {
            assert!(NamespaceName::parse(name).is_ok(), "{name}");
        }
        let too_long = "a".repeat(65);
        for name in
            ["", "A", "a.b", "..", "a/b", "a%2fb", "a_b", "ä", "a b", "v2", "dump", &too_long]
        {
            assert!(NamespaceName::parse(name).is_err(), "{name}");
        }
    }
}
