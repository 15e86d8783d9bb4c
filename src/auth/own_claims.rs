//! The claims of the tokens that this server mints.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::Access;
use super::claims::{Target, present};
use super::permissions::TablePermissions;

/// A token for all databases of a group, or with `id` for one of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnClaims {
    pub(super) iat: u64,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) exp: Option<u64>,
    pub(super) a: Authorization,
    pub(super) gid: Uuid,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Uuid>,
    pub(super) rid: Rotation,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) perm: Option<Arc<TablePermissions>>,
    /// Databases that may be attached for reading. Kept for the time when that can be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) attach: Vec<Uuid>,
    /// May change the own schema of a child.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ddl: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Authorization {
    Rw,
    Ro,
}

/// The generations that a token belongs to: `3` of a group, `3.1` of a group and a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Rotation {
    pub(super) group: u64,
    pub(super) database: Option<u64>,
}

impl OwnClaims {
    /// Whether the token was made for this database, be it valid or not.
    pub(super) fn is_for(&self, target: &Target<'_>) -> bool {
        self.gid == target.group && self.id.is_none_or(|id| id == target.id)
    }

    pub(super) fn access_to(&self, target: &Target<'_>) -> Option<Access> {
        let is_current = match self.id {
            None => self.rid.database.is_none(),
            Some(id) => id == target.id && self.rid.database == Some(target.generation),
        };
        if self.gid != target.group || self.rid.group != target.group_generation || !is_current {
            return None;
        }
        let write = self.a == Authorization::Rw;
        let ddl = write && (!target.is_child || self.ddl);
        let tables = self.perm.clone().filter(|tables| !tables.is_everything());
        Some(Access { write, ddl, tables, ..Access::FULL })
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.database {
            Some(database) => write!(f, "{}.{database}", self.group),
            None => write!(f, "{}", self.group),
        }
    }
}

impl From<Rotation> for String {
    fn from(rotation: Rotation) -> Self {
        rotation.to_string()
    }
}

impl TryFrom<String> for Rotation {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let number = |text| u64::from_str(text).map_err(|_| "not a rotation");
        let rotation = match text.split_once('.') {
            Some((group, database)) => {
                Rotation { group: number(group)?, database: Some(number(database)?) }
            }
            None => Rotation { group: number(&text)?, database: None },
        };
        // One way of writing it only.
        if rotation.to_string() == text { Ok(rotation) } else { Err("not a rotation") }
    }
}
