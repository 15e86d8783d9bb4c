//! The one error type of the server: what kind of failure, and a message for the person who meets it.
//!
//! A kind decides the code and the HTTP status a client sees; [`ErrorKind::row`] is the table. The
//! message says what happened, where, and what to do. A cause, if any, is for the log only.

mod codes;

use std::borrow::Cow;
use std::fmt;

use crate::limits;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure that somebody will be told of.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of failure; each is one row of the table in [`ErrorKind::row`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// SQLite refused; holds its extended result code.
    Sqlite(i32),
    /// The policy does not allow the statement.
    Denied,
    /// A statement ran longer than it may.
    StatementTimeout,
    SqlNoStatement,
    SqlManyStatements,
    ArgsInvalid,
    /// A text in the database is not valid UTF-8 and cannot be sent as text.
    TextInvalid,
    ResponseTooLarge,
    SqlStoreFull,
    SqlStoreUnknown,
    SqlStoreExists,
    /// SQLite rolled a transaction back that the client still believes in.
    TransactionLost,
    StreamExpired,
    BatonInvalid,
    BatonReused,
    /// The request is not what the protocol or the API allows.
    BadRequest,
    BodyTooLarge,
    Unauthorized,
    /// The owner has blocked a database.
    Blocked,
    DatabaseNotFound,
    DatabaseExists,
    /// The file of a database is still to be uploaded.
    AwaitsUpload,
    GroupNotFound,
    GroupExists,
    /// There is a platform API token of this name.
    TokenExists,
    /// Deleting has to be allowed first.
    DeleteProtected,
    /// A migration changes the database at the moment.
    MigrationRunning,
    /// A migration was not possible, or an earlier one has to be settled first.
    MigrationFailed,
    NameInvalid,
    NotFound,
    MethodNotAllowed,
    /// The URL is for WebSockets.
    UpgradeRequired,
    Overloaded,
    Internal,
}

impl ErrorKind {
    /// The code in the protocol's `Error` structure and the status where the failure ends an HTTP request.
    fn row(self) -> (&'static str, u16) {
        use ErrorKind::*;
        match self {
            Sqlite(code) => (codes::primary(code), sqlite_status(code)),
            Denied => ("SQLITE_AUTH", 403),
            StatementTimeout => ("SQLITE_INTERRUPT", 408),
            SqlNoStatement => ("SQL_NO_STATEMENT", 400),
            SqlManyStatements => ("SQL_MANY_STATEMENTS", 400),
            ArgsInvalid => ("ARGS_INVALID", 400),
            TextInvalid => ("TEXT_INVALID_UTF8", 400),
            ResponseTooLarge => ("RESPONSE_TOO_LARGE", 400),
            SqlStoreFull => ("SQL_STORE_TOO_MANY", 400),
            SqlStoreUnknown => ("SQL_STORE_NOT_FOUND", 400),
            SqlStoreExists => ("SQL_STORE_EXISTS", 400),
            TransactionLost => ("TRANSACTION_LOST", 400),
            StreamExpired => ("STREAM_EXPIRED", 400),
            BatonInvalid => ("BATON_INVALID", 400),
            BatonReused => ("BATON_REUSED", 400),
            BadRequest => ("BAD_REQUEST", 400),
            BodyTooLarge => ("BODY_TOO_LARGE", 413),
            Unauthorized => ("UNAUTHORIZED", 401),
            Blocked => ("BLOCKED", 403),
            DatabaseNotFound => ("DATABASE_NOT_FOUND", 404),
            DatabaseExists => ("DATABASE_EXISTS", 409),
            AwaitsUpload => ("AWAITS_UPLOAD", 409),
            GroupNotFound => ("GROUP_NOT_FOUND", 404),
            GroupExists => ("GROUP_EXISTS", 409),
            TokenExists => ("TOKEN_EXISTS", 409),
            DeleteProtected => ("DELETE_PROTECTED", 400),
            MigrationRunning => ("MIGRATION_RUNNING", 503),
            MigrationFailed => ("SCHEMA_MIGRATION_ERROR", 400),
            NameInvalid => ("DATABASE_NAME_INVALID", 400),
            NotFound => ("NOT_FOUND", 404),
            MethodNotAllowed => ("METHOD_NOT_ALLOWED", 405),
            UpgradeRequired => ("UPGRADE_REQUIRED", 426),
            Overloaded => ("OVERLOADED", 503),
            Internal => ("INTERNAL", 500),
        }
    }

    pub fn code(self) -> &'static str {
        self.row().0
    }

    pub fn http_status(self) -> u16 {
        self.row().1
    }
}

/// Whose fault a SQLite failure is: the statement's (400), the moment's (503) or the server's (500).
fn sqlite_status(code: i32) -> u16 {
    match code & 0xff {
        rusqlite::ffi::SQLITE_BUSY | rusqlite::ffi::SQLITE_LOCKED => 503,
        rusqlite::ffi::SQLITE_IOERR
        | rusqlite::ffi::SQLITE_CORRUPT
        | rusqlite::ffi::SQLITE_NOTADB
        | rusqlite::ffi::SQLITE_CANTOPEN
        | rusqlite::ffi::SQLITE_FULL
        | rusqlite::ffi::SQLITE_NOMEM
        | rusqlite::ffi::SQLITE_INTERNAL => 500,
        _ => 400,
    }
}

impl Error {
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner { kind, message: message.into(), cause: None }))
    }

    /// A failure of the server or its machine. `doing` is what was tried, in the form "open the catalog".
    pub fn internal(
        doing: impl fmt::Display,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let cause = cause.into();
        let message = format!("the server could not {doing}: {cause}");
        Error(Box::new(Inner {
            kind: ErrorKind::Internal,
            message: message.into(),
            cause: Some(cause),
        }))
    }

    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(ErrorKind::BadRequest, message)
    }

    /// More results than one request may have.
    pub fn results_too_large() -> Self {
        let mebibytes = limits::RESPONSE_BYTES_MAX / limits::MIB;
        Error::new(
            ErrorKind::ResponseTooLarge,
            format!(
                "the results of one request may have {mebibytes} MiB; read them through a cursor, or \
                 with LIMIT"
            ),
        )
    }

    /// The same for somebody else, who is not told the cause.
    pub fn again(&self) -> Self {
        Error::new(self.0.kind, self.0.message.clone())
    }

    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The structure that tells a client.
    pub fn to_wire(&self) -> hrana_protocol::Error {
        let extended_code = match self.0.kind {
            ErrorKind::Sqlite(code) => Some(codes::extended(code)),
            _ => None,
        };
        hrana_protocol::Error {
            message: self.0.message.to_string(),
            code: Some(self.0.kind.code().to_owned()),
            extended_code: extended_code.map(str::to_owned),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.cause {
            Some(cause) => Some(cause.as_ref()),
            None => None,
        }
    }
}

impl From<hrana_protocol::DecodeError> for Error {
    fn from(error: hrana_protocol::DecodeError) -> Self {
        Error::bad_request(format!("the request body could not be read: {error}"))
    }
}
