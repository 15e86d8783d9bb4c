//! Tokens of the platform API: random texts. Of those that the owner hands out only the hash is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::{Error, Result};

/// What a platform API token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// `None` is everything.
    pub scopes: Option<Scopes>,
    /// The one group that it is for.
    pub group: Option<Uuid>,
}

/// So that people and secret scanners know one when they see it, and that none begins with `-`: programs on a command
/// line would take it for a flag.
const PREFIX: &str = "hranad_";

/// With 256 random bits nobody finds another text of the same hash, so that a slow hash is not needed.
const RANDOM_BYTES: usize = 32;

impl ApiToken {
    /// The text of a new token. It is shown once; keep its [`hash`](ApiToken::hash).
    pub fn mint() -> Result<String> {
        let mut bytes = [0; RANDOM_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| Error::internal("get random bytes", error))?;
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// SHA-256 of the text. What is looked up by it cannot be guessed from the time that looking takes.
    pub fn hash(text: &str) -> [u8; 32] {
        Sha256::digest(text.as_bytes()).into()
    }

    /// Whether `text` claims to be a platform API token, and not one for databases.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Whether the token may do what `scope` says in `group`; `None` where no group is concerned.
    pub fn allows(&self, scope: Scope, group: Option<Uuid>) -> bool {
        self.scopes.is_none_or(|scopes| scopes.allows(scope))
            && self.group.is_none_or(|own| group == Some(own))
    }
}

/// One thing that a platform API token may be allowed, named as the CLI names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Read,
    DbCreate,
    DbDelete,
    DbConfigure,
    DbMintToken,
    DbRotateCreds,
    GroupConfigure,
    GroupMintToken,
    GroupRotateCreds,
}

impl Scope {
    pub const ALL: [Scope; 9] = [
        Scope::Read,
        Scope::DbCreate,
        Scope::DbDelete,
        Scope::DbConfigure,
        Scope::DbMintToken,
        Scope::DbRotateCreds,
        Scope::GroupConfigure,
        Scope::GroupMintToken,
        Scope::GroupRotateCreds,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::DbCreate => "db:create",
            Scope::DbDelete => "db:delete",
            Scope::DbConfigure => "db:configure",
            Scope::DbMintToken => "db:mint-token",
            Scope::DbRotateCreds => "db:rotate-creds",
            Scope::GroupConfigure => "group:configure",
            Scope::GroupMintToken => "group:mint-token",
            Scope::GroupRotateCreds => "group:rotate-creds",
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u16);

impl Scopes {
    /// Reads names of scopes, and of the presets `read-only` and `full-access`.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut set = 0;
        for name in names {
            set |= match name {
                "read-only" => 1 << Scope::Read as u16,
                "full-access" => Scope::ALL.iter().fold(0, |all, scope| all | 1 << *scope as u16),
                _ => match Scope::ALL.iter().find(|scope| scope.name() == name) {
                    Some(scope) => 1 << *scope as u16,
                    None => return Err(unknown(name)),
                },
            };
        }
        Ok(Scopes(set))
    }

    pub fn allows(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u16) != 0
    }

    /// The names of the scopes, without presets.
    pub fn names(self) -> Vec<&'static str> {
        let allowed = Scope::ALL.into_iter().filter(|scope| self.allows(*scope));
        allowed.map(Scope::name).collect()
    }
}

fn unknown(name: &str) -> Error {
    let known: Vec<_> = Scope::ALL.iter().map(|scope| scope.name()).collect();
    let known = known.join(", ");
    Error::bad_request(format!(
        "there is no scope '{name}'; there are: {known}, and the presets read-only and full-access"
    ))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{ApiToken, Scope, Scopes};

    #[test]
    fn each_token_is_another_and_is_known_by_its_hash() {
        let (one, other) = (ApiToken::mint().unwrap(), ApiToken::mint().unwrap());
        assert!(one != other && ApiToken::is_one(&one) && !ApiToken::is_one("eyJhbGciOi"));
        assert_eq!(ApiToken::hash(&one), ApiToken::hash(&one.clone()));
        assert_ne!(ApiToken::hash(&one), ApiToken::hash(&other));
    }

    #[test]
    fn scopes_are_what_their_names_say() {
        let all: Vec<_> = Scope::ALL.iter().map(|scope| scope.name()).collect();
        for (given, expected) in [
            (vec![], vec![]),
            (vec!["read-only"], vec!["read"]),
            (vec!["full-access"], all),
            (vec!["db:mint-token", "read", "read"], vec!["read", "db:mint-token"]),
        ] {
            assert_eq!(Scopes::parse(given).unwrap().names(), expected);
        }
        for name in ["", "write", "READ", "db:"] {
            assert!(Scopes::parse([name]).is_err(), "{name}");
        }
    }

    #[test]
    fn a_restricted_token_stays_within_its_scopes_and_its_group() {
        let (group, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let everything = ApiToken { scopes: None, group: None };
        let reader = ApiToken { scopes: Scopes::parse(["read"]).ok(), group: Some(group) };
        for (token, scope, of, allowed) in [
            (everything, Scope::DbDelete, Some(other), true),
            (everything, Scope::Read, None, true),
            (reader, Scope::Read, Some(group), true),
            (reader, Scope::Read, Some(other), false),
            (reader, Scope::Read, None, false),
            (reader, Scope::DbDelete, Some(group), false),
        ] {
            assert_eq!(token.allows(scope, of), allowed, "{token:?} {scope:?} {of:?}");
        }
    }
}
