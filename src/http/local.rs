//! Whether a request comes from this machine itself, so that it needs no token where the server is open to it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Version, header};

use super::App;
use super::arrival::Arrival;
use super::caller::bearer;
use crate::names::is_loopback;

/// Whether a request without a token comes from a program or a page of this machine.
///
/// Not local are: what any proxy forwards; what a page of another origin asks in a browser of this machine; and
/// what is asked of a host name that is not this machine's alone, because a page can have its own name lead
/// here (DNS rebinding).
pub(crate) struct Local(pub(crate) bool);

impl FromRequestParts<Arc<App>> for Local {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Local(is_local(bearer(&parts.headers), parts, app)))
    }
}

pub(super) fn is_local(token: Option<&str>, parts: &Parts, app: &App) -> bool {
    token.is_none() && comes_from_here(&Arrival::of(parts, app), parts.version)
}

/// The same whatever token it brings.
pub(crate) fn comes_from_here(arrival: &Arrival<'_>, version: Version) -> bool {
    let headers = arrival.headers;
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    arrival.is_peer_local()
        && !headers.keys().any(|name| is_forwarding(name.as_str()))
        && !is_old(version)
        && is_host_loopback(arrival)
        && origin.is_none_or(is_loopback_origin)
}

/// Headers that proxies add.
fn is_forwarding(name: &str) -> bool {
    const NAMES: [&str; 6] =
        ["cf-connecting-ip", "forwarded", "true-client-ip", "via", "x-client-ip", "x-real-ip"];
    name.starts_with("x-forwarded-") || NAMES.contains(&name)
}

/// Where `proxy_pass` is all that nginx was told, it asks for the address there, in HTTP/1.0, and says nothing of whom
/// it asks for: anybody. Programs have spoken HTTP/1.1 for long.
fn is_old(version: Version) -> bool {
    version == Version::HTTP_10 || version == Version::HTTP_09
}

/// Where there are several, all count.
fn is_host_loopback(arrival: &Arrival<'_>) -> bool {
    arrival.hosts().next().is_some() && arrival.hosts().all(is_loopback)
}

fn is_loopback_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, authority)| is_loopback(authority))
}

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
            "localhost",
            "https://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
        ] {
            assert!(!is_loopback_origin(origin), "{origin}");
        }
    }
}
