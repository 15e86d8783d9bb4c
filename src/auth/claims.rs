//! What a verified token says, and what that is worth on a database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::access::Access;
use super::foreign_claims::ForeignClaims;
use super::own_claims::OwnClaims;

/// Whose key signed a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Issuer {
    /// This server.
    Own,
    /// A foreign key that the whole server accepts.
    Server,
    /// A foreign key of one group.
    Group(Uuid),
    /// A foreign key of one database.
    Database(Uuid),
}

/// What a verified token says. Claims are closed: a token with one that is not known has none of these.
#[derive(Clone, Debug)]
pub struct Claims {
    pub(super) said: Said,
}

#[derive(Clone, Debug)]
pub(super) enum Said {
    Own(OwnClaims),
    /// And who has the key that verified them.
    Foreign(Box<ForeignClaims>, Vec<Signer>),
}

/// Somebody whose key it is. One key may be several databases'.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    pub(super) issuer: Issuer,
    /// Whether the key is still believed.
    pub(super) is_current: Arc<AtomicBool>,
}

impl Signer {
    fn is_meant_for(&self, target: &Target<'_>) -> bool {
        let is_meant = match self.issuer {
            Issuer::Own => false,
            Issuer::Server => !target.has_own_keys,
            Issuer::Group(id) => id == target.group && !target.has_own_keys,
            Issuer::Database(id) => id == target.id,
        };
        is_meant && self.is_current.load(Relaxed)
    }
}

/// A database that somebody wants to use.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub name: &'a str,
    pub id: Uuid,
    /// Counts the rotations of the database's tokens.
    pub generation: u64,
    pub group: Uuid,
    pub group_name: &'a str,
    /// Counts the rotations of the group's tokens.
    pub group_generation: u64,
    /// Whether its schema is that of a parent.
    pub is_child: bool,
    /// Whether it has foreign keys of its own, which are believed for it in place of all others'.
    pub has_own_keys: bool,
}

impl Claims {
    /// The rights on a database; `None` is none, as if the database did not exist. Says nothing of the time.
    pub fn access_to(&self, target: &Target<'_>) -> Option<Access> {
        match &self.said {
            Said::Own(claims) => claims.access_to(target),
            Said::Foreign(claims, signers) => {
                let is_meant = signers.iter().any(|signer| signer.is_meant_for(target));
                is_meant.then(|| claims.access_to(target)).flatten()
            }
        }
    }

    /// Whether this server has made the token for the database and then taken it back.
    pub fn was_revoked_for(&self, target: &Target<'_>) -> bool {
        match &self.said {
            Said::Own(claims) => claims.is_for(target) && self.access_to(target).is_none(),
            Said::Foreign(..) => false,
        }
    }

    /// When the token stops being valid, in seconds since 1970.
    pub fn expires_at(&self) -> Option<u64> {
        match &self.said {
            Said::Own(claims) => claims.exp,
            Said::Foreign(claims, _) => claims.expires_at(),
        }
    }

    /// The one database that a token of this server is for.
    pub fn database(&self) -> Option<Uuid> {
        match &self.said {
            Said::Own(claims) => claims.id,
            Said::Foreign(..) => None,
        }
    }
}

/// Reads a claim that may be absent but not null: a null `id` must not become "all databases".
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    claim: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(claim).map(Some)
}
