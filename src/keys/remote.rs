//! Documents of keys that identity providers publish under a URL.

use std::io::Read as _;

use uuid::Uuid;

use crate::auth::VerifyingKey;
use crate::catalog::{Catalog, ForeignKeyRecord};
use crate::error::{Error, Result};
use crate::fetch::{self, Bounds};
use crate::limits;

const BOUNDS: Bounds = Bounds {
    bytes: limits::JWKS_BYTES_MAX,
    time: limits::JWKS_FETCH,
    stall: limits::JWKS_FETCH,
    is_safe: true,
};

/// Believes what a URL answers, for all databases or those of a group, and replaces the document of this name. How many
/// keys are in it. Blocks.
pub fn add_from_url(
    catalog: &Catalog,
    name: &str,
    url: &str,
    group: Option<Uuid>,
) -> Result<usize> {
    if name.is_empty() || name.len() > limits::TOKEN_NAME_BYTES_MAX {
        let most = limits::TOKEN_NAME_BYTES_MAX;
        return Err(Error::bad_request(format!("the name of keys has 1 to {most} bytes")));
    }
    let others = catalog.foreign_keys()?;
    let is_same =
        |key: &&ForeignKeyRecord| key.name == name && key.group == group && key.database.is_none();
    if others.iter().find(is_same).is_some_and(|same| same.url.is_none()) {
        return Err(Error::bad_request(format!(
            "there are keys called {name:?} that came from a file; remove them with `hranad key remove` first"
        )));
    }
    let urls = others.iter().filter(|key| key.url.is_some() && !is_same(key)).count();
    if urls >= limits::JWKS_URLS_MAX {
        let most = limits::JWKS_URLS_MAX;
        return Err(Error::bad_request(format!(
            "there are keys of {most} URLs, which is the most"
        )));
    }
    let text = document(url)?;
    let count = VerifyingKey::parse(&text)?.len();
    let (name, url) = (name.to_owned(), Some(url.to_owned()));
    catalog.save_foreign_key(&ForeignKeyRecord { name, group, database: None, text, url })?;
    Ok(count)
}

/// Fetches a document, which must be a good one.
pub(super) fn document(url: &str) -> Result<String> {
    let what = "the JWKS document";
    let mut text = String::new();
    fetch::open(url, what, BOUNDS)?
        .read_to_string(&mut text)
        .map_err(|error| Error::bad_request(format!("{what} could not be fetched: {error}")))?;
    if !text.trim_start().starts_with('{') {
        return Err(Error::bad_request(format!("what {url} answers is not a JWKS document")));
    }
    VerifyingKey::parse(&text)?;
    Ok(text)
}
