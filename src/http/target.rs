//! Which database a request means: by its path, by a header, or by its host name.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{Extensions, HeaderName};

use super::App;
use super::arrival::Arrival;
use crate::catalog::NamespaceName;
use crate::error::{Error, ErrorKind, Result};
use crate::names::{Names, split_port};
use crate::namespace::Wanted;

/// The header that names a database, as sqld has it.
pub(crate) const NAMESPACE_HEADER: HeaderName = HeaderName::from_static("x-namespace");

/// The first segment behind `/db/`, left by [`rewrite`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathName(String);

/// Takes `/db/NAME` off the front of the path, and doubled slashes out of it, so that every URL of the data
/// plane exists once.
pub(crate) fn rewrite(mut request: Request) -> Request {
    let path = request.uri().path();
    let has_double_slash = || path.as_bytes().windows(2).any(|pair| pair == b"//");
    if !path.starts_with("/db/") && !has_double_slash() {
        return request;
    }
    let (name, path) = split(path);
    if let Some(path) = path {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(path_and_query) = format!("{path}{query}").parse::<PathAndQuery>() {
            let mut parts = std::mem::take(request.uri_mut()).into_parts();
            parts.path_and_query = Some(path_and_query);
            *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        }
    }
    if let Some(name) = name {
        request.extensions_mut().insert(PathName(name));
    }
    request
}

/// The name in the path, and the path without it if it has to change.
fn split(path: &str) -> (Option<String>, Option<String>) {
    let single;
    let clean = if path.contains("//") {
        single =
            path.split('/').filter(|s| !s.is_empty()).fold(String::new(), |all, s| all + "/" + s);
        let slash = if path.ends_with('/') { "/" } else { "" };
        single.clone() + slash
    } else {
        path.to_owned()
    };
    match clean.strip_prefix("/db/") {
        Some(rest) => {
            let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
            (Some(name.to_owned()), Some(format!("/{rest}")))
        }
        None if clean != path => (None, Some(clean)),
        None => (None, None),
    }
}

/// The databases that a request may mean.
pub(crate) fn wanted(parts: &Parts, app: &App) -> Result<Wanted> {
    if let Some(error) = missing_slash(&parts.extensions) {
        return Err(error);
    }
    if let Some(PathName(name)) = parts.extensions.get() {
        return Ok(Wanted::Named(vec![NamespaceName::parse(name)?]));
    }
    if let Some(name) = parts.headers.get(NAMESPACE_HEADER) {
        let name = name.to_str().map_err(|_| {
            Error::new(ErrorKind::NameInvalid, "the header x-namespace is not a database name")
        })?;
        return Ok(Wanted::Named(vec![NamespaceName::parse(name)?]));
    }
    match Arrival::of(parts, app).host() {
        Some(host) => from_host(host, &app.names),
        None => Ok(Wanted::Unnamed),
    }
}

/// The same, for a caller that is let in later.
pub(crate) struct WantedDatabase(pub(crate) Wanted);

impl FromRequestParts<Arc<App>> for WantedDatabase {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        wanted(parts, app).map(WantedDatabase)
    }
}

/// The hint for clients that resolve `v2/pipeline` against `…/db/NAME` and so ask for `/db/v2/pipeline`.
pub(crate) fn missing_slash(extensions: &Extensions) -> Option<Error> {
    let PathName(name) =
        extensions.get().filter(|PathName(name)| NamespaceName::is_reserved(name))?;
    Some(Error::new(
        ErrorKind::NameInvalid,
        format!(
            "the URL of the database lacks its last slash: use …/db/NAME/ instead of …/db/NAME (the \
             client asked for /db/{name})"
        ),
    ))
}

/// `{name}-{org}.{domain}` as Turso has it, `{name}.{domain}` as sqld has it. Both parts of the first may hold
/// dashes, so they are looked up and not split. A host without a dot, an address, or one of the server's own
/// names is no database's.
fn from_host(authority: &str, own: &Names) -> Result<Wanted> {
    let (host, _) = split_port(authority);
    let is_address = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
    let label = match host.split_once('.') {
        Some((label, _)) if !is_address && !own.is_own(host) => label.to_ascii_lowercase(),
        _ => return Ok(Wanted::Unnamed),
    };
    let names = [own.without_organization(&label), Some(&label)];
    let names: Vec<_> = names.into_iter().flatten().map(NamespaceName::parse).collect();
    // With one good candidate the bad one is not the reader's business.
    match names.iter().any(Result::is_ok) {
        true => Ok(Wanted::Named(names.into_iter().flatten().collect())),
        false => names.into_iter().collect::<Result<_>>().map(Wanted::Named),
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, Wanted, from_host, split};

    #[test]
    fn paths() {
        let cases = [
            ("/v2/pipeline", None, None),
            ("/db/a/v2/pipeline", Some("a"), Some("/v2/pipeline")),
            ("/db/a", Some("a"), Some("/")),
            ("/db/a/", Some("a"), Some("/")),
            ("//db//a//dump", Some("a"), Some("/dump")),
            ("/v2//pipeline", None, Some("/v2/pipeline")),
            ("/db/v2/pipeline", Some("v2"), Some("/pipeline")),
            ("/", None, None),
            ("//", None, Some("/")),
        ];
        for (path, name, rest) in cases {
            let expected = (name.map(str::to_owned), rest.map(str::to_owned));
            assert_eq!(split(path), expected, "{path}");
        }
    }

    #[test]
    fn hosts() {
        let names = |organization: &str| Names {
            organization: organization.to_owned(),
            domain: Some("db.example.com".to_owned()),
            api_host: Some("api.example.com".to_owned()),
        };
        let cases = [
            ("localhost:8080", "(unnamed)"),
            ("127.0.0.1:8080", "(unnamed)"),
            ("[::1]:8080", "(unnamed)"),
            ("hranad", "(unnamed)"),
            ("shop.example.com", "shop"),
            ("SHOP.example.com:80", "shop"),
            ("my-shop-local.turso.io", "my-shop,my-shop-local"),
            ("local.example.com", "local"),
            ("-local.example.com", "-local"),
            ("shop-local.db.example.com", "shop,shop-local"),
            ("db.example.com:80", "(unnamed)"),
            ("API.example.com", "(unnamed)"),
            ("api.elsewhere.com", "api"),
        ];
        let found = |host: &str, organization: &str| {
            let found = match from_host(host, &names(organization)).unwrap() {
                Wanted::Named(found) => found.iter().map(|name| name.to_string()).collect(),
                Wanted::Unnamed => vec!["(unnamed)".to_owned()],
            };
            found.join(",")
        };
        for (host, expected) in cases {
            assert_eq!(found(host, "local"), expected, "{host}");
        }
        assert_eq!(found("a-my-org.example.com", "my-org"), "a,a-my-org");
        assert!(from_host("a_b.example.com", &names("local")).is_err());
    }
}
