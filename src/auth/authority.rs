//! Verifies tokens, and mints those of this server.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind as JwtErrorKind;
use jsonwebtoken::{Algorithm, EncodingKey, Header, Validation};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use uuid::Uuid;

use super::cache::TokenCache;
use super::claims::{Claims, Issuer, Said, Signer};
use super::foreign_claims::ForeignClaims;
use super::keys::{ForeignKey, SigningKey, VerifyingKey};
use super::own_claims::{Authorization, OwnClaims, Rotation};
use super::permissions::TablePermissions;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// The keys that are believed, and the tokens that they have signed of late.
pub struct Authority {
    signing: EncodingKey,
    own: Believed,
    foreign: RwLock<Vec<Believed>>,
    cache: Mutex<TokenCache>,
    has_met_unknown_key: AtomicBool,
}

/// A key, and whether it is believed still, for those who hold what it has signed.
struct Believed {
    key: ForeignKey,
    is_current: Arc<AtomicBool>,
}

impl Believed {
    fn signer(&self) -> Signer {
        Signer { issuer: self.key.issuer, is_current: Arc::clone(&self.is_current) }
    }
}

impl From<ForeignKey> for Believed {
    fn from(key: ForeignKey) -> Self {
        Believed { key, is_current: Arc::new(AtomicBool::new(true)) }
    }
}

/// What a new token of this server gives.
#[derive(Clone, Debug)]
pub struct Grant {
    pub group: Uuid,
    pub group_generation: u64,
    /// The one database that it is for, and that one's generation; `None` is all of the group, later ones too.
    pub database: Option<(Uuid, u64)>,
    pub write: bool,
    /// May change the own schema of a child.
    pub child_ddl: bool,
    pub tables: Option<TablePermissions>,
    pub attach: Vec<Uuid>,
    /// Seconds since 1970, as all times here.
    pub issued_at: u64,
    pub expires_at: Option<u64>,
}

/// What has to be known of a token's header before its signature is checked. Keys in it (`jwk`, `jku`, `x5c`) are
/// not looked at.
#[derive(Deserialize)]
struct Head {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Says that something has to be understood which is not here.
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

impl Authority {
    pub fn new(own: &SigningKey) -> Result<Self> {
        Ok(Authority {
            signing: own.encoding_key()?,
            own: ForeignKey { issuer: Issuer::Own, key: own.verifying_key() }.into(),
            foreign: RwLock::default(),
            cache: Mutex::default(),
            has_met_unknown_key: AtomicBool::new(false),
        })
    }

    /// Replaces all foreign keys. Tokens that only the former ones have signed are worth nothing from now on; those of
    /// a key that stays go on, also where they were verified before.
    pub fn set_foreign_keys(&self, keys: Vec<ForeignKey>) {
        let mut foreign = self.foreign.write().unwrap_or_else(PoisonError::into_inner);
        let mut former = std::mem::take(&mut *foreign);
        for key in keys.into_iter().filter(|key| key.issuer != Issuer::Own) {
            let same = former.iter().position(|former| former.key.is_same(&key));
            foreign.push(same.map_or_else(|| key.into(), |same| former.swap_remove(same)));
        }
        for former in former {
            former.is_current.store(false, Relaxed);
        }
        self.lock_cache().clear();
    }

    /// Whether a token has named a key that is not known here since this was asked last.
    pub fn has_met_unknown_key(&self) -> bool {
        self.has_met_unknown_key.swap(false, Relaxed)
    }

    /// What `token` says, if one of the keys has signed it and `now`, in seconds since 1970, is within its time.
    /// Of the keys for single databases those of `database` count; it is asked for if there are any.
    pub fn verify(
        &self,
        token: &str,
        database: impl FnOnce() -> Option<Uuid>,
        now: u64,
    ) -> Result<Arc<Claims>> {
        if token.len() > limits::TOKEN_BYTES_MAX {
            return Err(not_valid("it is too long"));
        }
        if let Some(claims) = self.lock_cache().get(token, now) {
            return Ok(claims);
        }
        // Held until the token is in the cache, so that none gets there by a key that was taken away meanwhile.
        let foreign = self.foreign.read().unwrap_or_else(PoisonError::into_inner);
        let claims = Arc::new(self.verify_anew(token, &foreign, database)?);
        check_time(&claims, now)?;
        self.lock_cache().put(token, Arc::clone(&claims));
        Ok(claims)
    }

    fn verify_anew(
        &self,
        token: &str,
        foreign: &[Believed],
        database: impl FnOnce() -> Option<Uuid>,
    ) -> Result<Claims> {
        let head = head(token)?;
        let algorithm = match head.alg.as_str() {
            "EdDSA" => Algorithm::EdDSA,
            "RS256" => Algorithm::RS256,
            "ES256" => Algorithm::ES256,
            other => return Err(algorithm_not_accepted(other)),
        };
        let is_of_database = |key: &Believed| matches!(key.key.issuer, Issuer::Database(_));
        let database = if foreign.iter().any(is_of_database) { database() } else { None };
        let is_candidate = |candidate: &&Believed| {
            let ForeignKey { issuer, key } = &candidate.key;
            // Many databases may have a key each, and only the database knows which one is meant.
            if let Issuer::Database(id) = issuer
                && Some(*id) != database
            {
                return false;
            }
            // Our own tokens always name their key.
            let is_named = match (&head.kid, &key.kid) {
                (Some(kid), Some(own)) => kid == own,
                (Some(_), None) => true,
                (None, _) => *issuer != Issuer::Own,
            };
            key.algorithm == algorithm && is_named
        };
        let mut candidates =
            std::iter::once(&self.own).chain(foreign).filter(is_candidate).peekable();
        if head.kid.is_some() && candidates.peek().is_none() {
            self.has_met_unknown_key.store(true, Relaxed);
        }
        for candidate in candidates.take(limits::TOKEN_KEYS_TRIED_MAX) {
            if let Some(said) = try_key(token, candidate, foreign)? {
                return Ok(Claims { said });
            }
        }
        Err(not_valid("no key of this server has signed it"))
    }

    /// Makes a token of this server.
    pub fn mint(&self, grant: &Grant) -> Result<String> {
        let header = Header { kid: self.own.key.key.kid.clone(), ..Header::new(Algorithm::EdDSA) };
        let claims = OwnClaims {
            iat: grant.issued_at,
            exp: grant.expires_at,
            a: if grant.write { Authorization::Rw } else { Authorization::Ro },
            gid: grant.group,
            id: grant.database.map(|(id, _)| id),
            rid: Rotation {
                group: grant.group_generation,
                database: grant.database.map(|(_, generation)| generation),
            },
            perm: grant.tables.clone().map(Arc::new),
            attach: grant.attach.clone(),
            ddl: grant.child_ddl,
        };
        let token = jsonwebtoken::encode(&header, &claims, &self.signing)
            .map_err(|error| Error::internal("sign a token", error))?;
        if token.len() > limits::TOKEN_BYTES_MAX {
            let most = limits::TOKEN_BYTES_MAX;
            return Err(Error::bad_request(format!(
                "the token would have more than {most} bytes; name fewer tables and databases in it"
            )));
        }
        Ok(token)
    }

    fn lock_cache(&self) -> std::sync::MutexGuard<'_, TokenCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn head(token: &str) -> Result<Head> {
    let bytes = token.split_once('.').and_then(|(head, _)| URL_SAFE_NO_PAD.decode(head).ok());
    let bytes = bytes.ok_or_else(|| not_valid(NO_JWT))?;
    let head: Head = serde_json::from_slice(&bytes).map_err(|_| not_valid(NO_JWT))?;
    match head.crit {
        None => Ok(head),
        Some(_) => Err(not_valid("its header asks for extensions that are not known here")),
    }
}

/// `None` if the key has not signed the token.
fn try_key(token: &str, candidate: &Believed, foreign: &[Believed]) -> Result<Option<Said>> {
    let ForeignKey { issuer, key } = &candidate.key;
    if *issuer == Issuer::Own {
        return Ok(decode::<OwnClaims>(token, key)?.map(Said::Own));
    }
    let Some(claims) = decode::<ForeignClaims>(token, key)? else { return Ok(None) };
    // One key may be believed for several groups and databases.
    let signers = foreign.iter().filter(|other| other.key.key.verifies_same(key));
    // An identity provider signs much that has nothing to do with databases.
    let signers = signers.filter(|other| !other.key.key.is_of_provider || claims.names_rights());
    let signers: Vec<_> = signers.map(Believed::signer).collect();
    if signers.is_empty() {
        return Err(not_valid("it has neither the claim `a` nor `p`, so it gives no rights"));
    }
    Ok(Some(Said::Foreign(Box::new(claims), signers)))
}

fn decode<T: DeserializeOwned>(token: &str, key: &VerifyingKey) -> Result<Option<T>> {
    // The time is ours to check, and an audience is refused as an unknown claim.
    let mut validation = Validation::new(key.algorithm);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    match jsonwebtoken::decode::<T>(token, &key.key, &validation) {
        Ok(decoded) => Ok(Some(decoded.claims)),
        // The signature is checked before the claims are read, so that this tells no stranger anything.
        Err(error) => match error.kind() {
            JwtErrorKind::Json(error) => Err(not_valid(&format!("of its claims, {error}"))),
            _ => Ok(None),
        },
    }
}

/// The likely mistakes are a token of the platform API, and half a token.
const NO_JWT: &str = "it is not a JWT, as all tokens of databases and groups are";

fn check_time(claims: &Claims, now: u64) -> Result<()> {
    if let Said::Foreign(claims, _) = &claims.said
        && let Some(nbf) = claims.nbf
    {
        let early = nbf.saturating_sub(now);
        if early > limits::TOKEN_LEEWAY.as_secs() {
            return Err(not_valid(&format!(
                "it will be in {early} seconds by this server's clock (its claim `nbf`)"
            )));
        }
    }
    match claims.expires_at() {
        Some(expires_at) if expires_at <= now => Err(expired(now - expires_at)),
        _ => Ok(()),
    }
}

fn not_valid(why: &str) -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        format!(
            "Unauthorized: the token is not valid here: {why}; get another one, as the owner with `hranad token mint`"
        ),
    )
}

fn algorithm_not_accepted(algorithm: &str) -> Error {
    let algorithm: String = algorithm.chars().take(16).collect();
    Error::new(
        ErrorKind::Unauthorized,
        format!(
            "Unauthorized: the token is signed with the algorithm '{algorithm}', which is not accepted; \
             there are: EdDSA, ES256, RS256"
        ),
    )
}

fn expired(ago: u64) -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        format!(
            "Unauthorized: the token expired {ago} seconds ago by this server's clock; get another one, as the owner with `hranad token mint`"
        ),
    )
}
