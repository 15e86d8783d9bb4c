//! Fetches what is elsewhere, by http or https. Whom to trust is the system's affair.

use std::fmt::Display;
use std::io::Read;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use crate::error::{Error, Result};
use crate::limits;
use crate::names::is_loopback;

/// How much is taken, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub bytes: u64,
    pub time: Duration,
    /// How long nothing may arrive.
    pub stall: Duration,
    /// Whether nobody on the way may be able to change it: https, or http on this machine.
    pub is_safe: bool,
}

/// Whether a URL is one that can be fetched.
pub fn is_possible(url: &str) -> bool {
    after(url, "http://").or_else(|| after(url, "https://")).is_some()
}

/// Whether nobody on the way can change what a URL answers.
pub fn is_safe(url: &str) -> bool {
    let is_here = |rest: &str| {
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        is_loopback(&rest[..end])
    };
    after(url, "https://").is_some() || after(url, "http://").is_some_and(is_here)
}

fn after<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let start = url.get(..scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then(|| &url[scheme.len()..])
}

/// What a URL answers. `what` it is, is told in failures. Reading fails when too much or nothing for too long comes.
/// Blocks.
pub fn open(url: &str, what: &'static str, bounds: Bounds) -> Result<impl Read + use<>> {
    if bounds.is_safe && !is_safe(url) {
        return Err(failed(
            what,
            "its URL must begin with https://, or with http:// on this machine",
        ));
    }
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let is_https = after(url, "https://").is_some();
    let config = Agent::config_builder()
        .tls_config(tls)
        // Only `config` reads the environment, and a proxy would see what is near differently.
        .proxy(None)
        // What this machine answers must not lead elsewhere without https.
        .https_only(bounds.is_safe && is_https)
        .max_redirects(if bounds.is_safe && !is_https { 0 } else { limits::FETCH_REDIRECTS_MAX })
        .http_status_as_error(false)
        .timeout_global(Some(bounds.time))
        .timeout_connect(Some(bounds.stall))
        .timeout_per_read(Some(bounds.stall))
        .user_agent(concat!("hranad/", env!("CARGO_PKG_VERSION")))
        .build();
    let answer = Agent::new_with_config(config).get(url).call().map_err(|e| failed(what, e))?;
    if answer.status().as_u16() != 200 {
        return Err(failed(what, format!("the answer is {}", answer.status())));
    }
    Ok(answer.into_body().into_with_config().limit(bounds.bytes).reader())
}

fn failed(what: &str, why: impl Display) -> Error {
    Error::bad_request(format!("{what} could not be fetched: {why}"))
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn what_nobody_on_the_way_can_change() {
        for url in
            ["https://id.example/jwks.json", "HTTPS://x", "http://localhost:1/a", "http://[::1]"]
        {
            assert!(is_safe(url), "{url}");
        }
        for url in [
            "http://id.example/jwks.json",
            "http://localhost.id.example",
            "http://localhost@id.example/",
            "http://id.example?localhost",
            "http://id.example\\@localhost",
            "ftp://localhost",
            "file:///etc/passwd",
            "",
        ] {
            assert!(!is_safe(url), "{url}");
        }
    }
}
