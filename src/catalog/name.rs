//! Names of databases and groups: what may be one, so that a name can stand in a URL, a host name and a message.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// The name of a database: 1 to 64 lowercase letters, digits and dashes, and not one of the words that
/// stand in the place of a name when a client's URL lacks its last slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceName(Box<str>);

/// The name of a group: 1 to 64 lowercase letters, digits and dashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(Box<str>);

/// First segments of the data plane's own URLs: `/db/v2/pipeline` is `/db/NAME` + `v2/pipeline` without
/// the slash between them.
const RESERVED: [&str; 8] = ["console", "dev", "dump", "health", "v1", "v2", "v3", "v3-protobuf"];

impl NamespaceName {
    /// The database that serves requests which name none.
    pub fn default_name() -> Self {
        NamespaceName("default".into())
    }

    pub fn parse(name: &str) -> Result<Self> {
        check(name, "a database name")?;
        if RESERVED.contains(&name) {
            let why = "it is the beginning of one of the server's own URLs";
            return Err(invalid(name, "a database name", why));
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

impl GroupName {
    /// The group that is there from the start.
    pub fn default_name() -> Self {
        GroupName("default".into())
    }

    pub fn parse(name: &str) -> Result<Self> {
        check(name, "a group name")?;
        Ok(GroupName(name.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(name: &str, what: &str) -> Result<()> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > limits::DATABASE_NAME_BYTES_MAX {
        return Err(invalid(name, what, "it must have 1 to 64 characters"));
    }
    if let Some(wrong) = name.chars().find(|c| !is_allowed(*c)) {
        let why = format!(
            "it contains {wrong:?}; only lowercase letters a-z, digits 0-9 and dashes are allowed"
        );
        return Err(invalid(name, what, &why));
    }
    Ok(())
}

fn invalid(name: &str, what: &str, why: &str) -> Error {
    // What is shown is bounded: the name comes from a stranger.
    let shown: String = name.chars().take(80).collect();
    Error::new(ErrorKind::NameInvalid, format!("{shown:?} cannot be {what}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::{GroupName, NamespaceName};

    #[test]
    fn names() {
        let longest = "a".repeat(64);
        for name in ["a", "0", "workspace1-slack", "v4", "default", "-", &longest] {
            assert!(NamespaceName::parse(name).is_ok(), "{name}");
            assert!(GroupName::parse(name).is_ok(), "{name}");
        }
        let too_long = "a".repeat(65);
        for name in ["", "A", "a.b", "..", "a/b", "a%2fb", "a_b", "ä", "a b", &too_long] {
            assert!(NamespaceName::parse(name).is_err(), "{name}");
            assert!(GroupName::parse(name).is_err(), "{name}");
        }
        for name in ["v2", "dump"] {
            assert!(NamespaceName::parse(name).is_err(), "{name}");
        }
    }
}
