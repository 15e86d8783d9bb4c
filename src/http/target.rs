//! Which database a request means: by its path, by a header, or by its host name.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{Extensions, HeaderMap, header};

use crate::catalog::NamespaceName;
use crate::error::{Error, ErrorKind, Result};
use crate::namespace::Wanted;

/// The header that names a database, as sqld has it.
pub(crate) const NAMESPACE_HEADER: &str = "x-namespace";

/// The organization that all databases belong to.
pub(crate) const ORGANIZATION: &str = "local";

/// The first segment behind `/db/`, left by [`rewrite`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathName(String);

/// Takes `/db/NAME` off the front of the path, and doubled slashes out of it, so that every URL of the data
/// plane exists once.
pub(crate) fn rewrite(mut request: Request) -> Request {
    let path = request.uri().path();
    if !path.starts_with("/db/") && !path.contains("//") {
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
pub(crate) fn wanted(parts: &Parts) -> Result<Wanted> {
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
    match host(&parts.uri, &parts.headers) {
        Some(host) => from_host(host),
        None => Ok(Wanted::Unnamed),
    }
}

/// The same, for a caller that is let in later.
pub(crate) struct WantedDatabase(pub(crate) Wanted);

impl<S: Sync> FromRequestParts<S> for WantedDatabase {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        wanted(parts).map(WantedDatabase)
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

/// The host that the client asked for: `:authority` of HTTP/2, or the header of HTTP/1.1.
pub(crate) fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = || headers.get(header::HOST).and_then(|host| host.to_str().ok());
    uri.authority().map(|authority| authority.as_str()).or_else(header)
}

/// `{name}-{org}.{domain}` as Turso has it, `{name}.{domain}` as sqld has it. Both parts of the first may hold
/// dashes, so they are looked up and not split. A host without a dot, or an address, names no database.
fn from_host(host: &str) -> Result<Wanted> {
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let is_ipv6 = host.starts_with('[');
    let host = if is_ipv6 { host } else { host.split(':').next().unwrap_or(host) };
    let is_ipv4 = host.parse::<std::net::Ipv4Addr>().is_ok();
    let label = match host.split_once('.') {
        Some((label, _)) if !is_ipv6 && !is_ipv4 => label.to_ascii_lowercase(),
        _ => return Ok(Wanted::Unnamed),
    };
    let of_organization = label.strip_suffix(ORGANIZATION).and_then(|l| l.strip_suffix('-'));
    let names = [of_organization, Some(&label)];
    let names: Vec<_> = names.into_iter().flatten().map(NamespaceName::parse).collect();
    // With one good candidate the bad one is not the reader's business.
    match names.iter().any(Result::is_ok) {
        true => Ok(Wanted::Named(names.into_iter().flatten().collect())),
        false => names.into_iter().collect::<Result<_>>().map(Wanted::Named),
    }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, from_host, split};

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
        ];
        for (host, names) in cases {
            let found = match from_host(host).unwrap() {
                Wanted::Named(found) => found.iter().map(|name| name.to_string()).collect(),
                Wanted::Unnamed => vec!["(unnamed)".to_owned()],
            };
            assert_eq!(found.join(","), names, "{host}");
        }
        assert!(from_host("a_b.example.com").is_err());
    }
}
