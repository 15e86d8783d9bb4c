//! What the server prints when it is ready: where it is, who gets in, and lines to paste that use it.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hranad::config::ServeArgs;
use hranad::server::Server;
use hranad::tls;

/// Ends with the line that a program can wait for.
pub(super) fn text(server: &Server, args: &ServeArgs) -> String {
    let (listen, at) = (server.address(), reachable(server.address()));
    let scheme = if server.is_https() { "https" } else { "http" };
    let mut text = format!("hranad {} is ready", env!("CARGO_PKG_VERSION"));
    let mut row = |name: &str, value: String| {
        let _ = write!(text, "\n  {name:<14}{value}");
    };
    let listening = match server.is_https() {
        true => format!("https://{listen} and http://{listen}"),
        false => format!("http://{listen}"),
    };
    let access = match server.is_open() {
        true => "open to programs of this machine, without a token",
        false => "with a token only",
    };
    row("listening on", format!("{listening}  ({access})"));
    row("data", server.data_dir().display().to_string());
    let token = server.api_token_path().display().to_string();
    row("API token", format!("{token}  (opens everything)"));
    let other = format!("{scheme}://{}", server.hostname("NAME", at));
    let first = "is the database `default`; others are at";
    row("databases", format!("{scheme}://{at}  {first} {other}"));
    if let Some(names) = names(args) {
        row("host names", format!("{names} have to lead here; docs/drop-in.md shows how"));
    }
    if let Some(address) = server.admin_address() {
        let who = match args.admin_auth_key {
            Some(_) => "with the key of --admin-auth-key",
            None => "open to programs of this machine",
        };
        row("admin API", format!("{scheme}://{address}  ({who})"));
    }
    if args.tls.is_some() {
        let certificate = tls::authority_certificate(server.data_dir());
        let certificate = certificate.display();
        let lines = format!(
            "of a private authority; clients trust it with
    export NODE_EXTRA_CA_CERTS=\"{certificate}\"
    export SSL_CERT_FILE=\"{certificate}\""
        );
        row("certificates", lines);
    }
    let api = match &args.api_host {
        Some(host) if at.port() == usual_port(scheme) => host.clone(),
        Some(host) => format!("{host}:{}", at.port()),
        None => at.to_string(),
    };
    let secret = if server.is_open() { "" } else { ", authToken: \"…the API token…\"" };
    let _ = write!(
        text,
        "

  Paste into a shell, for the turso CLI:
    export TURSO_API_BASEURL={scheme}://{api}
    export TURSO_API_TOKEN=\"$(cat \"{token}\")\"
    export TURSO_CONFIG_FOLDER=\"$HOME/.config/turso-hranad\"

  Paste into JavaScript, with @libsql/client:
    createClient({{ url: \"{scheme}://{at}\"{secret} }})"
    );
    text
}

/// An address that programs of this machine can ask for: a server that listens on all of them is on this one too.
pub(super) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn usual_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

/// The host names that clients will use.
fn names(args: &ServeArgs) -> Option<String> {
    match (&args.domain, &args.api_host) {
        (Some(domain), Some(host)) => Some(format!("*.{domain} and {host}")),
        (Some(domain), None) => Some(format!("*.{domain}")),
        (None, Some(host)) => Some(host.clone()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn an_address_to_ask_for() {
        for (listens, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()).to_string(), asked);
        }
    }
}
