//! Who asks, and for which database. Found out once per request, before anything else is done.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::App;
use super::target;
use crate::auth::Access;
use crate::catalog;
use crate::error::{Error, Result};
use crate::namespace::Namespace;

/// A client of the data plane.
pub(crate) struct Caller {
    pub(crate) namespace: Arc<Namespace>,
    pub(crate) access: Access,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        // First the right to ask, then the question: whether a database exists is not told to strangers.
        let (token, is_local) = (bearer(&parts.headers), is_local(&parts.headers));
        let identity = app.gate.identify(token, is_local, catalog::now())?;
        let admission = app.namespaces.admit(&target::wanted(parts)?, identity)?;
        Ok(Caller { namespace: admission.namespace, access: admission.access })
    }
}

/// Whether a request that reached a loopback address comes from this machine itself: not through a proxy, nor
/// from a web page of somebody else that this machine's user happens to visit.
pub(crate) fn is_local(headers: &HeaderMap) -> bool {
    const FORWARDED: [&str; 5] =
        ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];
    let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    !is_forwarded && origin.is_none_or(is_loopback_origin)
}

fn is_loopback_origin(origin: &str) -> bool {
    let Some((_, host)) = origin.split_once("://") else { return false };
    let host = match host.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_name = host == "localhost" || host.ends_with(".localhost");
    is_name || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The token of a request. Some clients that have none say so in words.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    // What cannot be read is still no permission to come without one.
    let value = value.to_str().unwrap_or("unreadable");
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ if value.trim().eq_ignore_ascii_case("bearer") => "",
        _ => value,
    };
    (!NO_TOKEN.contains(&token)).then_some(token)
}

/// The Rust client sends nothing behind `Bearer`, the Python client `None`, JavaScript what it has not got.
const NO_TOKEN: [&str; 4] = ["", "None", "undefined", "null"];

#[cfg(test)]
mod tests {
    use super::is_loopback_origin;

    #[test]
    fn origins() {
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "https://app.localhost",
            "http://127.0.0.1:5173",
            "http://[::1]:80",
        ] {
            assert!(is_loopback_origin(origin), "{origin}");
        }
        for origin in [
            "",
            "null",
            "https://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
        ] {
            assert!(!is_loopback_origin(origin), "{origin}");
        }
    }
}
