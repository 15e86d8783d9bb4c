//! Turso's platform API, as far as it exists.
//!
//! Success is exactly 200 with a JSON body, failure has `{"error": …}`: what the `turso` CLI and the platform
//! SDKs expect. Request bodies are read whatever their content type, with keys in any case.

pub mod account;
pub mod api_tokens;
pub mod configuration;
pub mod databases;
mod dates;
pub mod dumps;
mod fields;
mod form;
pub mod groups;
pub mod jwks;
pub mod login;
mod operator;
mod place;
mod seeds;
mod shapes;
mod size;
pub mod tokens;
pub mod usage;
