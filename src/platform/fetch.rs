//! Fetches a dump from elsewhere by http or https. Whom to trust is the system's affair.

use std::io::Read;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use crate::error::{Error, Result};
use crate::limits;

/// Whether a URL is one that can be fetched.
pub(super) fn is_possible(url: &str) -> bool {
    let has = |scheme: &str| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    has("http://") || has("https://")
}

/// What a URL answers, up to the size of a dump. Reading fails when too much or nothing for too long comes. Blocks.
pub(super) fn open(url: &str) -> Result<impl Read + use<>> {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        // Only `config` reads the environment, and a proxy would see what is near differently.
        .proxy(None)
        .max_redirects(limits::FETCH_REDIRECTS_MAX)
        .http_status_as_error(false)
        .timeout_global(Some(limits::FETCH))
        .timeout_connect(Some(limits::FETCH_STALL))
        .timeout_per_read(Some(limits::FETCH_STALL))
        .user_agent(concat!("hranad/", env!("CARGO_PKG_VERSION")))
        .build();
    let answer = Agent::new_with_config(config).get(url).call().map_err(failed)?;
    if answer.status().as_u16() != 200 {
        return Err(failed(format!("the answer is {}", answer.status())));
    }
    Ok(answer.into_body().into_with_config().limit(limits::SEED_BYTES_MAX).reader())
}

fn failed(why: impl std::fmt::Display) -> Error {
    Error::bad_request(format!("seed: the dump could not be fetched: {why}"))
}
