//! Keys: the server's own, which signs; and those of others, in the forms in which others give them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::claims::Issuer;
use crate::error::{Error, Result};
use crate::limits;

/// The server's own Ed25519 key.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    pub fn generate() -> Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| Error::internal("get random bytes", error))?;
        Ok(Self::from_bytes(&bytes))
    }

    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(bytes))
    }

    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Reads the PEM form of PKCS #8, as `openssl genpkey -algorithm ed25519` writes it.
    pub fn from_pem(pem: &str) -> Result<Self> {
        match ed25519_dalek::SigningKey::from_pkcs8_pem(pem) {
            Ok(key) => Ok(SigningKey(key)),
            Err(error) => Err(Error::bad_request(format!(
                "this is not an Ed25519 private key in PEM (PKCS #8): {error}"
            ))),
        }
    }

    pub fn to_pem(&self) -> Result<String> {
        match self.0.to_pkcs8_pem(LineEnding::LF) {
            Ok(pem) => Ok(pem.to_string()),
            Err(error) => Err(Error::internal("write a key", error)),
        }
    }

    /// The name of the key in the tokens that it signs.
    pub fn kid(&self) -> String {
        let digest = Sha256::digest(self.0.verifying_key().as_bytes());
        URL_SAFE_NO_PAD.encode(&digest[..12])
    }

    pub(super) fn encoding_key(&self) -> Result<EncodingKey> {
        let der = self.0.to_pkcs8_der().map_err(|error| Error::internal("use the key", error))?;
        Ok(EncodingKey::from_ed_der(der.as_bytes()))
    }

    pub(super) fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { kid: Some(self.kid()), ..ed25519(&self.0.verifying_key()) }
    }
}

/// A key of somebody who may sign tokens for this server, and for what.
#[derive(Clone, Debug)]
pub struct ForeignKey {
    /// Anything but [`Issuer::Own`]; with that the key is never used.
    pub issuer: Issuer,
    pub key: VerifyingKey,
}

impl ForeignKey {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.key.is_same(&other.key)
    }
}

/// A public key for one algorithm.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    /// An identity provider signs much that has nothing to do with databases.
    pub(super) is_of_provider: bool,
}

impl VerifyingKey {
    /// Reads one of the three forms: a JWKS document; Ed25519 public keys in PEM (SPKI), one or several; an
    /// Ed25519 public key of 32 bytes in base64 for URLs. The last two are sqld's.
    pub fn parse(text: &str) -> Result<Vec<Self>> {
        let text = text.trim();
        let keys = if text.starts_with('{') {
            jwks(text)?
        } else if text.starts_with("-----BEGIN") {
            let starts = text.match_indices("-----BEGIN").map(|(index, _)| index);
            let ends = starts.clone().skip(1).chain([text.len()]);
            starts
                .zip(ends)
                .map(|(start, end)| pem(text[start..end].trim()))
                .collect::<Result<_>>()?
        } else {
            vec![raw(text)?]
        };
        if keys.len() > limits::FOREIGN_KEYS_PER_TEXT_MAX {
            let most = limits::FOREIGN_KEYS_PER_TEXT_MAX;
            return Err(Error::bad_request(format!("these are more than {most} keys")));
        }
        Ok(keys)
    }

    /// Whether it is the same key under the same name, and of the same kind.
    fn is_same(&self, other: &Self) -> bool {
        self.kid == other.kid
            && self.is_of_provider == other.is_of_provider
            && self.verifies_same(other)
    }

    /// Whether it verifies the same signatures.
    pub(super) fn verifies_same(&self, other: &Self) -> bool {
        let is_same_key = match (self.key.kind(), other.key.kind()) {
            (DecodingKeyKind::SecretOrDer(own), DecodingKeyKind::SecretOrDer(other)) => {
                own == other
            }
            (
                DecodingKeyKind::RsaModulusExponent { n, e },
                DecodingKeyKind::RsaModulusExponent { n: other_n, e: other_e },
            ) => n == other_n && e == other_e,
            _ => false,
        };
        is_same_key && self.algorithm == other.algorithm
    }
}

fn ed25519(key: &ed25519_dalek::VerifyingKey) -> VerifyingKey {
    VerifyingKey {
        kid: None,
        algorithm: Algorithm::EdDSA,
        key: DecodingKey::from_ed_der(key.as_bytes()),
        is_of_provider: false,
    }
}

fn pem(text: &str) -> Result<VerifyingKey> {
    if text.starts_with("-----BEGIN PRIVATE KEY") {
        return Err(private_key());
    }
    match ed25519_dalek::VerifyingKey::from_public_key_pem(text) {
        Ok(key) if !key.is_weak() => Ok(ed25519(&key)),
        _ => Err(Error::bad_request("this is not an Ed25519 public key in PEM (SPKI)")),
    }
}

fn raw(text: &str) -> Result<VerifyingKey> {
    bytes(text).and_then(|bytes| point(&bytes)).map(|key| ed25519(&key)).ok_or_else(|| {
        Error::bad_request(
            "this is not a key; there are: a JWKS document, Ed25519 public keys in PEM, and an Ed25519 public \
             key of 32 bytes in base64 for URLs",
        )
    })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// A key with which a signature says something: for the points of small order anybody can make one.
fn point(bytes: &[u8]) -> Option<ed25519_dalek::VerifyingKey> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
    (!key.is_weak()).then_some(key)
}

fn private_key() -> Error {
    Error::bad_request(
        "this is a private key, which should stay with its owner; give the public key",
    )
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Value>,
}

/// RFC 7517, section 4, as far as the three algorithms need it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kty: String,
    crv: String,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    kid: Option<String>,
    n: String,
    e: String,
    x: String,
    y: String,
    d: Option<Value>,
}

/// The keys of a document that are of use here. Providers put others beside them.
fn jwks(text: &str) -> Result<Vec<VerifyingKey>> {
    let document: Jwks = serde_json::from_str(text)
        .map_err(|error| Error::bad_request(format!("this is not a JWKS document: {error}")))?;
    let jwks: Vec<Jwk> =
        document.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
    if jwks.iter().any(|jwk| jwk.d.is_some()) {
        return Err(private_key());
    }
    let keys: Vec<_> = jwks.iter().filter_map(jwk).collect();
    if keys.is_empty() {
        return Err(Error::bad_request(
            "the JWKS document has no key to verify RS256 (2048 bits or more), ES256 or EdDSA (Ed25519) with",
        ));
    }
    Ok(keys)
}

fn jwk(jwk: &Jwk) -> Option<VerifyingKey> {
    let is_for_signatures = jwk.r#use.as_deref().is_none_or(|purpose| purpose == "sig")
        && jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    let alg = jwk.alg.as_deref();
    let (algorithm, key) = match (jwk.kty.as_str(), jwk.crv.as_str()) {
        ("RSA", "") if alg.is_none_or(|alg| alg == "RS256") => (Algorithm::RS256, rsa(jwk)?),
        ("EC", "P-256") if alg.is_none_or(|alg| alg == "ES256") => (Algorithm::ES256, p256(jwk)?),
        ("OKP", "Ed25519") if alg.is_none_or(|alg| matches!(alg, "EdDSA" | "Ed25519")) => {
            let key = point(&bytes(&jwk.x)?)?;
            (Algorithm::EdDSA, DecodingKey::from_ed_der(key.as_bytes()))
        }
        _ => return None,
    };
    let kid = jwk.kid.clone();
    is_for_signatures.then_some(VerifyingKey { kid, algorithm, key, is_of_provider: true })
}

fn rsa(jwk: &Jwk) -> Option<DecodingKey> {
    let (n, e) = (bytes(&jwk.n)?, bytes(&jwk.e)?);
    let bits = n.iter().skip_while(|byte| **byte == 0).count() * 8;
    // Shorter ones can be broken; longer ones the library does not take.
    (2048..=4096).contains(&bits).then(|| DecodingKey::from_rsa_raw_components(&n, &e))
}

fn p256(jwk: &Jwk) -> Option<DecodingKey> {
    let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
    let is_point = x.len() == 32 && y.len() == 32;
    is_point.then(|| DecodingKey::from_ec_der(&[&[4], &x[..], &y[..]].concat()))
}
