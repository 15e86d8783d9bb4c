//! A private certificate authority in the data directory, and the server's certificates from it.
//!
//! Only the authority is kept. The server's own certificate is made anew at each start and every month, with
//! a key that is never written: so it has the names that the server has now, and cannot expire.

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::data_dir::{create_private_dir, write_private};
use crate::error::{Error, Result};

/// The authority's certificate, for clients to trust.
pub(super) const CERTIFICATE: &str = "ca.pem";
/// Its private key. Who has it can pass for any server, with clients that trust the authority.
const KEY: &str = "ca-key.pem";

const DAY: Duration = Duration::from_secs(86_400);
/// How long a certificate of the server is valid, and how long it is used. It is valid a day early too, for
/// clients whose clock is late.
const VALID: Duration = DAY.saturating_mul(90);
const USED: Duration = DAY.saturating_mul(30);

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Opens the authority in a directory; makes it at the first use. The key is all there is to it: the rest of
    /// the certificate follows from that.
    pub(super) fn open(directory: &Path) -> Result<Self> {
        create_private_dir(directory)?;
        let key = open_key(&directory.join(KEY))?;
        let params = params(&key);
        let path = directory.join(CERTIFICATE);
        if !is_certificate_of(&path, &key) {
            let certificate = params.self_signed(&key).map_err(cannot_make)?;
            write_private(&path, &certificate.pem())?;
            tracing::info!("made the certificate of a private authority, {}", path.display());
        }
        Ok(Authority { issuer: Issuer::new(params, key) })
    }

    /// A certificate for host names and addresses, with a key of its own.
    fn certify(&self, names: &[String], now: SystemTime) -> Result<CertifiedKey> {
        let key = KeyPair::generate().map_err(cannot_make)?;
        let mut params = CertificateParams::new(names).map_err(cannot_make)?;
        params.distinguished_name.push(DnType::CommonName, "hranad");
        let epoch = date_time_ymd(1970, 1, 1);
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        params.not_before = epoch + now.saturating_sub(DAY);
        params.not_after = epoch + now + VALID;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(cannot_make)?;
        certified(certificate.der().clone(), &key)
    }
}

/// The server's own certificate.
pub(super) struct Issued {
    authority: Authority,
    names: Vec<String>,
    at: SystemTime,
}

impl Issued {
    pub(super) fn new(
        authority: Authority,
        names: Vec<String>,
        now: SystemTime,
    ) -> Result<(Self, CertifiedKey)> {
        let certificate = authority.certify(&names, now)?;
        Ok((Issued { authority, names, at: now }, certificate))
    }

    /// Another one, if the last is old, or is of a clock that has been set back since.
    pub(super) fn renewed(&mut self, now: SystemTime) -> Result<Option<CertifiedKey>> {
        if now.duration_since(self.at).is_ok_and(|age| age < USED) {
            return Ok(None);
        }
        let certificate = self.authority.certify(&self.names, now)?;
        self.at = now;
        Ok(Some(certificate))
    }
}

fn open_key(path: &Path) -> Result<KeyPair> {
    match fs::read_to_string(path) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(|error| {
            Error::bad_request(format!(
                "the key of the private certificate authority, {}, cannot be used: {error}; without \
                 the file a new authority is made, which clients have to be told to trust",
                path.display()
            ))
        }),
        Err(error) if error.kind() == IoErrorKind::NotFound => {
            let key = KeyPair::generate().map_err(cannot_make)?;
            write_private(path, &key.serialize_pem())?;
            Ok(key)
        }
        Err(error) => Err(Error::internal(format!("read {}", path.display()), error)),
    }
}

/// What the authority's certificate says. Its dates do not come from the clock, which may be wrong the first
/// time.
fn params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2050, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Two authorities on one machine need names that differ.
    let id: String =
        params.key_identifier(key).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name.push(DnType::CommonName, format!("hranad private authority {id}"));
    params
}

/// Whether the file is there and belongs to the key.
fn is_certificate_of(path: &Path, key: &KeyPair) -> bool {
    CertificateDer::from_pem_file(path).is_ok_and(|found| certified(found, key).is_ok())
}

fn certified(certificate: CertificateDer<'static>, key: &KeyPair) -> Result<CertifiedKey> {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    CertifiedKey::from_der(vec![certificate], key.into(), &ring::default_provider())
        .map_err(|error| Error::internal("use a certificate of the private authority", error))
}

fn cannot_make(error: rcgen::Error) -> Error {
    Error::internal("make a certificate", error)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::{Authority, DAY, Issued};

    #[test]
    fn certificates_are_renewed_long_before_they_expire_and_when_the_clock_is_set() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(directory.path()).unwrap();
        let now = SystemTime::now();
        let (mut issued, first) = Issued::new(authority, vec!["a".to_owned()], now).unwrap();
        assert!(issued.renewed(now + DAY * 29).unwrap().is_none());
        let second = issued.renewed(now + DAY * 30).unwrap().unwrap();
        assert_ne!(first.cert, second.cert);
        assert!(issued.renewed(now + DAY * 31).unwrap().is_none());
        assert!(issued.renewed(SystemTime::UNIX_EPOCH).unwrap().is_some());
    }
}
