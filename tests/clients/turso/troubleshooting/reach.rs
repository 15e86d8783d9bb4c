//! Who does not reach the server, or another one than they think.

use std::fs;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::json;
use tempfile::TempDir;

use super::{javascript, shell, sql};
use crate::clients::turso::cli::Turso;
use crate::program::{self, nobody};

/// Turso's names, for programs in JavaScript.
const NAMES: (&str, &str) = ("NODE_OPTIONS", "--import=./starter/names.js");

pub(super) fn no_server() -> Vec<String> {
    let mut turso = Turso::start();
    turso.ok("db list");
    let (_held, address) = nobody();
    let url = format!("http://{address}");
    turso.way[0].1 = url.clone().into();
    let mut shown = vec![turso.fails("db create shop"), shell(&turso, &url, "")];
    let platform = json!({ "baseUrl": format!("{url}/v1/"), "org": "local", "token": "any" });
    let programs = [sql(&url, ""), sql(&format!("ws://{address}"), ""), platform];
    shown.extend(javascript(&programs, &[], &turso.server));
    // Who has not asked before is told something else.
    fs::remove_file(turso.settings()).unwrap();
    shown.push(turso.fails("db list"));
    let mut health = program::command();
    health.args(["health", "--listen", &address.to_string()]);
    shown.push(String::from_utf8(health.output().unwrap().stderr).unwrap());
    shown
}

pub(super) fn a_wrong_name() -> Vec<String> {
    // No name server has to be asked to know that there is no such name.
    let nowhere = format!("http://{}.example.com", "a".repeat(64));
    let mut turso = Turso::drop_in(&[]);
    let programs = [sql(&nowhere, "")];
    let mut shown = javascript(&programs, &[], &turso.server);
    shown.push(shell(&turso, &nowhere, ""));
    // A server that was not told of the names.
    let other = Turso::start_with(&["--tls", "local"]);
    let authority = other.authority();
    turso.way = vec![
        ("HTTPS_PROXY", super::super::proxy::start(other.server.address()).into()),
        ("SSL_CERT_FILE", authority.clone().into()),
    ];
    let url = "https://shop-local.turso.io";
    shown.push(shell(&turso, url, "any"));
    let address = other.host();
    let environment = [
        ("NODE_EXTRA_CA_CERTS", authority.as_path()),
        (NAMES.0, Path::new(NAMES.1)),
        ("HRANAD_ADDRESS", Path::new(&address)),
    ];
    shown.extend(javascript(&[sql(url, "any")], &environment, &other.server));
    shown
}

pub(super) fn a_certificate_nobody_trusts() -> Vec<String> {
    let turso = Turso::start_with(&["--tls", "local"]);
    let url = format!("https://{}", turso.host());
    let platform = json!({ "baseUrl": format!("{url}/v1/"), "org": "local", "token": "any" });
    let mut shown = javascript(&[sql(&url, ""), platform], &[], &turso.server);
    shown.push(shell(&turso, &url, ""));
    let mut stranger = Turso::start_with(&["--tls", "local"]);
    stranger.way[0].1 = url.into();
    shown.push(stranger.fails("db list"));
    shown
}

pub(super) fn tls_and_plain() -> Vec<String> {
    let turso = Turso::start();
    let (secure, libsql) =
        (format!("https://{}", turso.host()), format!("libsql://{}", turso.host()));
    let mut shown = javascript(&[sql(&secure, ""), sql(&libsql, "")], &[], &turso.server);
    shown.push(shell(&turso, &secure, ""));
    shown
}

pub(super) fn half_a_url() -> Vec<String> {
    let turso = Turso::start();
    let url = turso.host();
    let platform = json!({ "baseUrl": format!("http://{url}/v1"), "org": "local", "token": "any" });
    let programs = [sql(&format!("http://{url}/db/default"), ""), platform];
    javascript(&programs, &[], &turso.server)
}

/// Certificates that are good at other times than now, as for a client whose clock is wrong.
pub(super) fn certificates_of_other_times() -> Vec<String> {
    let mut shown = Vec::new();
    for (from, to) in [(2020, 2021), (2048, 2049)] {
        let directory = TempDir::new().unwrap();
        let file = |name: &str| directory.path().join(name);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(file("certificate.pem"), certificate.pem()).unwrap();
        fs::write(file("key.pem"), key.serialize_pem()).unwrap();
        let paths = [file("certificate.pem"), file("key.pem")];
        let [certificate, key] = paths.each_ref().map(|path| path.to_str().unwrap());
        let mut turso = Turso::start_with(&["--tls-cert", certificate, "--tls-key", key]);
        turso.way.push(("SSL_CERT_FILE", certificate.into()));
        let url = format!("https://{}", turso.host());
        let trust = [("NODE_EXTRA_CA_CERTS", Path::new(certificate))];
        shown.extend(javascript(&[sql(&url, "")], &trust, &turso.server));
        shown.push(shell(&turso, &url, ""));
    }
    shown
}
