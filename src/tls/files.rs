//! A certificate in files that somebody else renews.

use std::fs;
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error as TlsError, InconsistentKeys};

use crate::error::{Error, Result};

/// The files, and what was in them last. Their contents are compared and not their times, because tools
/// renew by writing, by renaming and by turning links.
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    seen: Option<Contents>,
}

#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    pub(super) fn open(certificate: &Path, key: &Path) -> Result<(Self, CertifiedKey)> {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        let mut files = Files { certificate, key, seen: None };
        let contents = files.read()?;
        let certified = files.parse(&contents)?;
        files.seen = Some(contents);
        Ok((files, certified))
    }

    /// The certificate, if the files have changed. An error comes once for each change, as when only one of the
    /// two is written yet.
    pub(super) fn renewed(&mut self) -> Result<Option<CertifiedKey>> {
        let contents = match self.read() {
            Ok(contents) => contents,
            Err(error) => return self.seen.take().map_or(Ok(None), |_| Err(error)),
        };
        if self.seen.as_ref() == Some(&contents) {
            return Ok(None);
        }
        let certified = self.parse(&contents);
        self.seen = Some(contents);
        certified.map(Some)
    }

    fn read(&self) -> Result<Contents> {
        let read = |flag: &str, path: &Path| {
            fs::read(path).map_err(|error| unusable(flag, path, &error.to_string()))
        };
        Ok(Contents {
            certificate: read(CERTIFICATE_FLAG, &self.certificate)?,
            key: read(KEY_FLAG, &self.key)?,
        })
    }

    fn parse(&self, contents: &Contents) -> Result<CertifiedKey> {
        let wrong = |why: &str| unusable(CERTIFICATE_FLAG, &self.certificate, why);
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&contents.certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(&error.to_string()))?;
        if chain.is_empty() {
            return Err(wrong("it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"));
        }
        let wrong_key = |why: &str| unusable(KEY_FLAG, &self.key, why);
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|_| {
            wrong_key(
                "it holds no private key in PEM without a password (-----BEGIN PRIVATE KEY-----)",
            )
        })?;
        let provider = ring::default_provider();
        let private = provider
            .key_provider
            .load_private_key(key)
            .map_err(|_| wrong_key("the key is broken or of a kind that is not supported"))?;
        let certified = CertifiedKey::new(chain, private);
        match certified.keys_match() {
            Ok(()) => Ok(certified),
            Err(TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                let certificate = self.certificate.display();
                Err(wrong_key(&format!(
                    "it is not the key of the first certificate in {certificate}"
                )))
            }
            Err(error) => Err(wrong(&error.to_string())),
        }
    }
}

const CERTIFICATE_FLAG: &str = "--tls-cert";
const KEY_FLAG: &str = "--tls-key";

fn unusable(flag: &str, path: &Path, why: &str) -> Error {
    Error::bad_request(format!("{flag} {} cannot be used: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::Files;

    #[test]
    fn half_a_renewal_is_told_once_and_a_whole_one_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key) = (directory.path().join("cert"), directory.path().join("key"));
        let make = || {
            let CertifiedKey { cert, signing_key } =
                generate_simple_self_signed(["a".to_owned()]).unwrap();
            (cert.pem(), signing_key.serialize_pem())
        };
        let (first, second) = (make(), make());
        fs::write(&certificate, &first.0).unwrap();
        fs::write(&key, &first.1).unwrap();
        let (mut files, _) = Files::open(&certificate, &key).unwrap();
        assert!(files.renewed().unwrap().is_none());

        fs::write(&certificate, &second.0).unwrap();
        assert!(files.renewed().unwrap_err().message().contains("not the key of"));
        assert!(files.renewed().unwrap().is_none());
        fs::remove_file(&key).unwrap();
        assert!(files.renewed().unwrap_err().message().contains("No such file"));
        assert!(files.renewed().unwrap().is_none());
        fs::write(&key, &second.1).unwrap();
        assert!(files.renewed().unwrap().is_some());
        assert!(files.renewed().unwrap().is_none());
    }
}
