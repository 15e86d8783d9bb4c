//! How a request came: from where, to which host, by which scheme. What a proxy says of it counts if the proxy
//! is one that the operator trusts.

use std::net::{IpAddr, SocketAddr};

use axum::http::request::Parts;
use axum::http::uri::Uri;
use axum::http::{Extensions, HeaderMap, HeaderName, header};

use super::App;
use super::allowance::Allowance;
use crate::config::Network;
use crate::names::Reach;

/// The other end of a connection; the listener puts it into each request.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: IpAddr,
    pub is_https: bool,
    pub allowance: Allowance,
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A request's way, as far as it is known for sure.
pub(crate) struct Arrival<'a> {
    uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    peer: Option<&'a Peer>,
    proxies: &'a [Network],
}

impl<'a> Arrival<'a> {
    pub(crate) fn new(
        uri: &'a Uri,
        headers: &'a HeaderMap,
        extensions: &'a Extensions,
        app: &'a App,
    ) -> Self {
        Arrival { uri, headers, peer: extensions.get(), proxies: &app.trusted_proxies }
    }

    pub(crate) fn of(parts: &'a Parts, app: &'a App) -> Self {
        Self::new(&parts.uri, &parts.headers, &parts.extensions, app)
    }

    /// Whether the other end of the connection is on this machine and no proxy that we know of.
    pub(super) fn is_peer_local(&self) -> bool {
        self.peer.is_some_and(|peer| peer.address.is_loopback()) && !self.is_trusted()
    }

    /// Whether what the other end forwards is believed.
    fn is_trusted(&self) -> bool {
        self.peer.is_some_and(|peer| self.trusts(peer.address))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|proxy| proxy.contains(address))
    }

    /// The host, with its port, that the client asked for.
    pub(crate) fn host(&self) -> Option<&'a str> {
        let forwarded = self.forwarded(&FORWARDED_HOST, "host").next();
        forwarded.or_else(|| self.hosts().next())
    }

    /// Every host that the request itself names: `:authority` of HTTP/2 or the URL in a request line, and the
    /// header. What cannot be read is empty.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &'a str> {
        let authority = self.uri.authority().map(|authority| authority.as_str());
        let headers = self.headers.get_all(header::HOST).into_iter();
        authority.into_iter().chain(headers.map(|host| host.to_str().unwrap_or_default()))
    }

    /// How the client can reach the server again; `address` is where the server listens.
    pub(crate) fn reach(&self, address: SocketAddr) -> Reach {
        let is_https = match self.forwarded(&FORWARDED_PROTO, "proto").next() {
            Some(scheme) => ["https", "wss"].iter().any(|s| s.eq_ignore_ascii_case(scheme)),
            None => self.peer.is_some_and(|peer| peer.is_https),
        };
        let authority = self.host().map_or_else(|| address.to_string(), str::to_owned);
        Reach { is_https, authority }
    }

    /// The client's address: the last one in the chain of proxies that is none of ours.
    pub(crate) fn client(&self) -> Option<IpAddr> {
        let mut client = self.peer?.address;
        for address in self.forwarded(&FORWARDED_FOR, "for").map_while(parse_address) {
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        Some(client)
    }

    /// What trusted proxies forward in a header of their own, or in the one of RFC 7239; the nearest one's
    /// first. A proxy that writes the former passes the latter on as anybody sent it, so it does not count then.
    fn forwarded(
        &self,
        name: &HeaderName,
        parameter: &'static str,
    ) -> impl Iterator<Item = &'a str> {
        let own = [FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO];
        let is_trusted = self.is_trusted();
        let has_own = is_trusted && own.iter().any(|name| self.headers.contains_key(name));
        let own = has_own.then(|| values(self.headers, name));
        let standard = (is_trusted && !has_own).then(|| values(self.headers, &header::FORWARDED));
        let standard = standard.into_iter().flatten();
        own.into_iter().flatten().chain(standard.filter_map(move |e| value_of(e, parameter)))
    }
}

/// The elements of a header that is a list, from the last to the first.
fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().rev();
    let elements = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    elements.map(str::trim).filter(|element| !element.is_empty())
}

/// `for=192.0.2.1;host="example.com:8080"`
fn value_of<'a>(element: &'a str, parameter: &str) -> Option<&'a str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case(parameter) && !value.is_empty()).then_some(value)
    })
}

/// An address with or without a port; IPv6 with or without brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    let address = match text.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next()?.parse(),
        None => text.parse().or_else(|_| text.split(':').next().unwrap_or_default().parse()),
    };
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use axum::http::uri::Uri;

    use super::{Allowance, Arrival, Peer};
    use crate::config::Network;

    type Header = (&'static str, &'static str);

    fn arrival<R>(peer: &str, headers: &[Header], ask: impl Fn(Arrival<'_>) -> R) -> R {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let proxies: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let address = peer.parse().unwrap();
        let peer = Peer { address, is_https: false, allowance: Allowance::default() };
        let uri = Uri::from_static("/");
        ask(Arrival { uri: &uri, headers: &map, peer: Some(&peer), proxies: &proxies })
    }

    #[test]
    fn clients() {
        let cases: [(&str, &[Header], &str); 10] = [
            ("192.0.2.1", &[("x-forwarded-for", "203.0.113.9")], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "203.0.113.9")], "203.0.113.9"),
            // What stands before the last stranger is the stranger's own saying.
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, 203.0.113.9,10.0.0.2")], "203.0.113.9"),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "10.0.0.2")],
                "203.0.113.9",
            ),
            ("10.0.0.1", &[("x-forwarded-for", "203.0.113.9, unknown")], "10.0.0.1"),
            ("::1", &[("x-forwarded-for", "203.0.113.9:4711")], "203.0.113.9"),
            ("::1", &[("forwarded", "for=1.1.1.1, for=\"[2001:db8::1]:80\"")], "2001:db8::1"),
            ("::1", &[("forwarded", "proto=http;For=2001:db8::1")], "2001:db8::1"),
            ("::1", &[("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "2.2.2.2")], "2.2.2.2"),
        ];
        for (peer, headers, client) in cases {
            let found = arrival(peer, headers, |arrival| arrival.client().unwrap().to_string());
            assert_eq!(found, client, "{peer} {headers:?}");
        }
    }

    #[test]
    fn hosts_and_schemes() {
        let host = ("host", "inner:8080");
        let cases: [(&str, &[Header], &str); 6] = [
            ("192.0.2.1", &[host, ("x-forwarded-host", "a.io")], "http://inner:8080"),
            ("192.0.2.1", &[host, ("x-forwarded-proto", "https")], "http://inner:8080"),
            ("10.0.0.1", &[host, ("x-forwarded-proto", "https")], "https://inner:8080"),
            ("10.0.0.1", &[host, ("x-forwarded-host", "evil.io, a.io")], "http://a.io"),
            ("10.0.0.1", &[host, ("forwarded", "host=\"a.io:81\";proto=HTTPS")], "https://a.io:81"),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1")], "http://127.0.0.1:8080"),
        ];
        for (peer, headers, url) in cases {
            let reach =
                arrival(peer, headers, |arrival| arrival.reach("127.0.0.1:8080".parse().unwrap()));
            let scheme = if reach.is_https { "https" } else { "http" };
            assert_eq!(format!("{scheme}://{}", reach.authority), url, "{peer} {headers:?}");
        }
    }
}
