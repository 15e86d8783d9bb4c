//! Tokens, and the keys that sign them.

use std::time::Duration;

use super::KIB;

/// Longest token that is looked at: a header of HTTP holds about as much.
pub const TOKEN_BYTES_MAX: usize = 8 * KIB;

/// Verified tokens remembered, at about a KiB each; checking a signature anew takes some ten microseconds.
pub const TOKENS_CACHED: usize = 10_000;

/// Longer ones, which name the rights of very many tables, are verified each time.
pub const TOKEN_CACHED_BYTES_MAX: usize = 4 * KIB;

/// Keys that the signature of one token is tried with. One that names its key is tried with that one alone.
pub const TOKEN_KEYS_TRIED_MAX: usize = 64;

/// Keys of one key file or JWKS document.
pub const FOREIGN_KEYS_PER_TEXT_MAX: usize = 32;

/// Largest JWKS document that is fetched, how long that may take, and of how many URLs: one dead one delays the others.
pub const JWKS_BYTES_MAX: u64 = 256 * KIB as u64;
pub const JWKS_FETCH: Duration = Duration::from_secs(5);
pub const JWKS_URLS_MAX: usize = 32;

/// How often they are fetched anew, and how often at most because a token names a key that is not known.
pub const JWKS_RENEWAL: Duration = Duration::from_secs(300);
pub const JWKS_RENEWAL_UNKNOWN: Duration = Duration::from_secs(60);

/// How far the clocks of those who sign tokens may be from ours.
pub const TOKEN_LEEWAY: Duration = Duration::from_secs(60);

/// Longest name of a platform API token; it is part of a URL.
pub const TOKEN_NAME_BYTES_MAX: usize = 128;

/// The word by which the CLI knows its login again, in bytes. It makes one of 32.
pub const LOGIN_STATE_BYTES_MAX: usize = 128;

/// How long a platform API token is said to be valid still. They do not expire; clients that are told so ask again
/// and again.
pub const API_TOKEN_SAID_TO_LAST: Duration = Duration::from_secs(10 * 365 * 86_400);
