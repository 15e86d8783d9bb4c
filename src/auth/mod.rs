//! Who may do what: tokens, keys and rights. No I/O and no clock; times come in as seconds since 1970.
//!
//! [`Authority`] turns the text of a token into [`Claims`], which say what [`Access`] it gives to a database.
//! [`Gate`] knows the owner's own token and the rule for callers without one.

mod access;
mod api_token;
mod authority;
mod cache;
mod claims;
mod expiration;
mod foreign_claims;
mod gate;
#[cfg(test)]
mod key_tests;
mod keys;
mod own_claims;
mod permissions;
#[cfg(test)]
mod token_tests;

pub use access::Access;
pub use api_token::{ApiToken, Scope, Scopes};
pub use authority::{Authority, Grant};
pub use claims::{Claims, Issuer, Target};
pub use expiration::parse_expiration;
pub use gate::{Gate, Identity, is_secret};
pub use keys::{ForeignKey, SigningKey, VerifyingKey};
pub use permissions::{TableAction, TablePermissions};
