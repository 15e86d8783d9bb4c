//! The data directory: one process has it, and the platform API's first token is in it.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind as IoErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::auth::{ApiToken, SigningKey};
use crate::error::{Error, Result};

/// A data directory. A server has it for itself, as long as the value lives.
pub struct DataDir {
    path: PathBuf,
    _lock: Option<File>,
}

impl DataDir {
    /// The directory as it is, which a server may have at the same time. For commands that leave the files of open
    /// databases alone.
    pub fn open_shared(path: &Path) -> Result<Self> {
        let path = path.canonicalize().map_err(|error| {
            Error::internal(format!("open the data directory {}", path.display()), error)
        })?;
        Ok(DataDir { path, _lock: None })
    }

    /// Creates the directory if need be, and locks it.
    pub fn open(path: &Path) -> Result<Self> {
        create_private_dir(path)?;
        let path = path.canonicalize().map_err(|error| {
            Error::internal(format!("open the data directory {}", path.display()), error)
        })?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(|error| {
                Error::internal(format!("write to the data directory {}", path.display()), error)
            })?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Error::bad_request(format!(
                "the data directory {} is in use by another hranad; stop that one, or give this one \
                 another directory with --data-dir",
                path.display()
            ))
        })?;
        Ok(DataDir { path, _lock: Some(lock) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn api_token_path(&self) -> PathBuf {
        self.path.join("api-token")
    }

    /// The platform API's token; made at the first start, readable by the owner only.
    pub fn api_token(&self) -> Result<String> {
        let path = self.api_token_path();
        match File::open(&path) {
            Ok(mut file) => {
                let mut token = String::new();
                file.read_to_string(&mut token).map_err(|e| cannot_use(&path, e))?;
                let token = token.trim().to_owned();
                if token.len() < TOKEN_CHARS_MIN {
                    let why = format!(
                        "it has less than {TOKEN_CHARS_MIN} characters; delete it to get a new one"
                    );
                    return Err(cannot_use(&path, why));
                }
                Ok(token)
            }
            Err(error) if error.kind() == IoErrorKind::NotFound => {
                let token = ApiToken::mint()?;
                write_private(&path, &token)?;
                Ok(token)
            }
            Err(error) => Err(cannot_use(&path, error)),
        }
    }

    /// The key that signs this server's tokens; made at the first start, readable by the owner only.
    pub fn signing_key(&self) -> Result<SigningKey> {
        let path = self.path.join("token-key.pem");
        match fs::read_to_string(&path) {
            Ok(pem) => SigningKey::from_pem(&pem).map_err(|error| cannot_use(&path, error)),
            Err(error) if error.kind() == IoErrorKind::NotFound => {
                let key = SigningKey::generate()?;
                write_private(&path, &key.to_pem()?)?;
                Ok(key)
            }
            Err(error) => Err(cannot_use(&path, error)),
        }
    }
}

/// Creates a directory that only the owner can read, if it is not there.
pub fn create_private_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| Error::internal(format!("create the directory {}", path.display()), error))
}

/// Writes a file that only the owner can read. It is written beside and renamed, so that no crash leaves half
/// a secret.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let beside = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
        writeln!(file, "{}", text.trim_end())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|error| Error::internal(format!("write {}", path.display()), error))
}

/// A shorter token could be guessed.
const TOKEN_CHARS_MIN: usize = 32;

fn cannot_use(path: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::internal(format!("use the file {}", path.display()), cause)
}
