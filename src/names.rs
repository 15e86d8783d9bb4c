//! The names under which the server and its databases are reached, and how authorities in URLs read.

use std::net::IpAddr;

use crate::limits;

/// The names that a server goes by.
#[derive(Clone, Debug)]
pub struct Names {
    /// The organization that all databases belong to.
    pub organization: String,
    /// Each database is `{database}-{organization}` under this domain. Without one it is a path.
    pub domain: Option<String>,
    /// The host of the platform API.
    pub api_host: Option<String>,
}

/// How a client reached the server, and so can reach it again.
#[derive(Clone, Debug)]
pub struct Reach {
    pub is_https: bool,
    /// The host, with a port where there was one.
    pub authority: String,
}

impl Reach {
    /// The region that databases are said to be in. `local` makes the `turso` CLI speak plain HTTP, and any
    /// other HTTPS.
    pub fn region(&self) -> &'static str {
        if self.is_https { "self-hosted" } else { "local" }
    }

    /// The port, if it is not the scheme's own.
    fn port(&self) -> Option<&str> {
        let usual = if self.is_https { "443" } else { "80" };
        split_port(&self.authority).1.filter(|port| *port != usual)
    }
}

impl Names {
    /// Where a database is reached, without the scheme: the `Hostname` of the platform API.
    ///
    /// Without a domain, or with a name too long for a label, it is a path on the host that the client asked.
    /// That ends in a slash because clients resolve their URLs against it.
    pub fn hostname(&self, database: &str, reach: &Reach) -> String {
        let label = format!("{database}-{}", self.organization);
        match &self.domain {
            Some(domain) if label.len() <= limits::HOST_LABEL_BYTES_MAX => match reach.port() {
                Some(port) => format!("{label}.{domain}:{port}"),
                None => format!("{label}.{domain}"),
            },
            _ => format!("{}/db/{database}/", reach.authority),
        }
    }

    /// Whether a host, without a port, is the server itself and no database.
    pub fn is_own(&self, host: &str) -> bool {
        let is = |name: &Option<String>| {
            name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(host))
        };
        is(&self.api_host) || is(&self.domain)
    }

    /// Whether an authority is the one that clients of Turso ask which location is near: `region.turso.io`.
    pub fn is_region(&self, authority: &str) -> bool {
        let (host, _) = split_port(authority);
        host.split_once('.').zip(self.domain.as_ref()).is_some_and(|((label, domain), own)| {
            label.eq_ignore_ascii_case("region") && domain.eq_ignore_ascii_case(own)
        })
    }

    /// The part of a label before the organization, as in `{database}-{organization}`.
    pub fn without_organization<'a>(&self, label: &'a str) -> Option<&'a str> {
        label.strip_suffix(&self.organization)?.strip_suffix('-')
    }
}

/// The host and the port of an authority. An IPv6 address keeps its brackets.
pub fn split_port(authority: &str) -> (&str, Option<&str>) {
    let authority = split_last(authority, b'@').map_or(authority, |(_, authority)| authority);
    match split_last(authority, b':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Like `rsplit_once`, whose search is made for longer texts: this one is on the way of every request.
fn split_last(text: &str, separator: u8) -> Option<(&str, &str)> {
    let place = text.bytes().rposition(|byte| byte == separator)?;
    Some((&text[..place], &text[place + 1..]))
}

/// Whether an authority is this machine under a name or address that is nobody else's.
pub fn is_loopback(authority: &str) -> bool {
    let (host, _) = split_port(authority);
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<IpAddr>().is_ok_and(|a| a.to_canonical().is_loopback());
    }
    let label = host.rsplit_once('.').map_or(host, |(_, label)| label);
    label.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Names, Reach, is_loopback};

    #[test]
    fn hostnames() {
        let names = |domain: Option<&str>| Names {
            organization: "acme".to_owned(),
            domain: domain.map(str::to_owned),
            api_host: None,
        };
        let long = "a".repeat(60);
        let cases = [
            (None, false, "127.0.0.1:8080", "shop", "127.0.0.1:8080/db/shop/"),
            (None, true, "db.example.com", "shop", "db.example.com/db/shop/"),
            (Some("x.io"), false, "127.0.0.1:8080", "shop", "shop-acme.x.io:8080"),
            (Some("x.io"), false, "api.x.io:80", "shop", "shop-acme.x.io"),
            (Some("x.io"), true, "api.x.io:80", "shop", "shop-acme.x.io:80"),
            (Some("x.io"), true, "api.x.io:443", "shop", "shop-acme.x.io"),
            (Some("x.io"), true, "[::1]", "shop", "shop-acme.x.io"),
            (Some("x.io"), true, "[::1]:8443", "shop", "shop-acme.x.io:8443"),
            (Some("x.io"), true, "api.x.io", &long, &format!("api.x.io/db/{long}/")),
        ];
        for (domain, is_https, authority, database, expected) in cases {
            let reach = Reach { is_https, authority: authority.to_owned() };
            assert_eq!(names(domain).hostname(database, &reach), expected);
        }
    }

    #[test]
    fn regions() {
        let domain = Some("turso.io".to_owned());
        let names = Names { organization: "acme".to_owned(), domain, api_host: None };
        assert!(names.is_region("region.turso.io") && names.is_region("Region.Turso.io:443"));
        for authority in ["turso.io", "region", "region.turso.tech", "a.region.turso.io", ""] {
            assert!(!names.is_region(authority), "{authority}");
        }
    }

    #[test]
    fn loopback() {
        for authority in [
            "localhost",
            "LOCALHOST:3000",
            "app.localhost",
            "127.0.0.1:5173",
            "127.8.0.1",
            "[::1]:80",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(authority), "{authority}");
        }
        for authority in [
            "",
            ":80",
            "null",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "127.0.0.1@example.com",
            "127.0.0.1:80@example.com:80",
            "notlocalhost",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::1",
            "[::1].example.com",
        ] {
            assert!(!is_loopback(authority), "{authority}");
        }
    }
}
