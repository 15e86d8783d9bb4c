//! The claims of tokens that others have signed, in the form of sqld: `id` and `a`, or `p`.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::access::Access;
use super::claims::{Target, present};
use super::permissions::TablePermissions;
use crate::limits;

/// With `p` that alone counts; without it `id` says which database (all if there is none) and `a` what.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForeignClaims {
    #[serde(default, deserialize_with = "present")]
    exp: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    pub(super) nbf: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    a: Option<Authorization>,
    #[serde(default, deserialize_with = "present")]
    p: Option<Permissions>,
    /// Rights on single tables, in the form of this server's own tokens.
    #[serde(default, deserialize_with = "present")]
    perm: Option<Arc<TablePermissions>>,
    // Who signs says these as well; they give no rights. An audience is not among them: a token with one is
    // meant for somebody, and who we are nobody has told us.
    #[serde(default, rename = "iss")]
    _iss: Option<IgnoredAny>,
    #[serde(default, rename = "sub")]
    _sub: Option<IgnoredAny>,
    #[serde(default, rename = "iat")]
    _iat: Option<IgnoredAny>,
    #[serde(default, rename = "jti")]
    _jti: Option<IgnoredAny>,
    #[serde(default, rename = "azp")]
    _azp: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Authorization {
    Rw,
    Ro,
    /// Reads, and may be attached, which nothing can be yet.
    Roa,
}

/// Which databases may be read (`ro`), written (`rw`), attached (`roa`, `rwa`), and have their own schema
/// changed though they are children (`ddl`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Permissions {
    ro: Scope,
    rw: Scope,
    roa: Scope,
    rwa: Scope,
    ddl: Scope,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Scope {
    /// Names or ids of databases.
    ns: Vec<String>,
    /// Names or ids of groups.
    tags: Vec<String>,
}

impl ForeignClaims {
    pub(super) fn access_to(&self, target: &Target<'_>) -> Option<Access> {
        let (write, ddl) = match &self.p {
            Some(permissions) => permissions.rights_on(target)?,
            None => {
                if self.id.as_deref().is_some_and(|id| !is(id, target.name, target.id)) {
                    return None;
                }
                let write = self.a.is_none_or(|a| a == Authorization::Rw);
                (write, write && !target.is_child)
            }
        };
        let tables = self.perm.clone().filter(|tables| !tables.is_everything());
        Some(Access { write, ddl, tables, ..Access::FULL })
    }

    /// Whether the token says anything of rights on databases. A login of an identity provider does not.
    pub(super) fn names_rights(&self) -> bool {
        self.a.is_some() || self.p.is_some()
    }

    /// The clocks of others need not agree with ours to the second.
    pub(super) fn expires_at(&self) -> Option<u64> {
        self.exp.map(|exp| exp.saturating_add(limits::TOKEN_LEEWAY.as_secs()))
    }
}

impl Permissions {
    /// Whether it may write, and whether change the schema; `None` if not even read.
    fn rights_on(&self, target: &Target<'_>) -> Option<(bool, bool)> {
        let ddl = self.ddl.covers(target);
        let write = ddl || self.rw.covers(target) || self.rwa.covers(target);
        let read = write || self.ro.covers(target) || self.roa.covers(target);
        read.then_some((write, write && (!target.is_child || ddl)))
    }
}

impl Scope {
    fn covers(&self, target: &Target<'_>) -> bool {
        self.ns.iter().any(|said| is(said, target.name, target.id))
            || self.tags.iter().any(|said| is(said, target.group_name, target.group))
    }
}

/// Whether `said` is the name or, as Turso has it, the id.
fn is(said: &str, name: &str, id: uuid::Uuid) -> bool {
    let mut buffer = uuid::Uuid::encode_buffer();
    said == name || said == &*id.hyphenated().encode_lower(&mut buffer)
}
