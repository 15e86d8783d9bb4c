//! Who is not let in, and who asks for what is not there.

use std::time::{Duration, SystemTime};
use std::{fs, thread};

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{javascript, shell, sql};
use crate::clients::turso::cli::Turso;
use crate::harness::signer::Signer;
use crate::program;

fn platform(turso: &Turso, organization: &str, token: &str) -> Value {
    let url = format!("http://{}/v1/", turso.host());
    json!({ "baseUrl": url, "org": organization, "token": token })
}

fn url(turso: &Turso, database: &str) -> String {
    format!("http://{}/db/{database}/", turso.host())
}

pub(super) fn a_wrong_token() -> Vec<String> {
    let mut turso = Turso::start_with(&["--auth", "required"]);
    let of_database = turso.ok("db tokens create default");
    turso.ok("db tokens invalidate default --yes");
    let default = url(&turso, "default");
    let mut shown =
        vec![shell(&turso, &default, "wrong"), shell(&turso, &default, of_database.trim())];
    shown.push(shell(&turso, &default, ""));
    let programs = [
        sql(&default, "wrong"),
        sql(&default, of_database.trim()),
        sql(&default, ""),
        platform(&turso, "local", "wrong"),
    ];
    shown.extend(javascript(&programs, &[], &turso.server));
    turso.login("wrong");
    shown.push(turso.fails("db list"));
    shown
}

pub(super) fn a_database_that_is_not_found() -> Vec<String> {
    let turso = Turso::start();
    turso.ok("db create shop");
    let token = turso.ok("db tokens create default");
    let mut shown = vec![
        turso.fails("db shell shopp"),
        shell(&turso, &url(&turso, "shopp"), ""),
        shell(&turso, &url(&turso, "shop"), token.trim()),
    ];
    let programs = [sql(&url(&turso, "shopp"), ""), sql(&url(&turso, "shop"), token.trim())];
    shown.extend(javascript(&programs, &[], &turso.server));
    shown
}

pub(super) fn a_wrong_organization() -> Vec<String> {
    let turso = Turso::drop_in(&["--org", "acme"]);
    let token = turso.ok("group tokens create default");
    let host = "https://default-acne.turso.io";
    let mut shown = vec![turso.fails("org switch acne"), shell(&turso, host, token.trim())];
    let authority = turso.authority();
    let programs = [platform(&turso, "acne", turso.token.as_ref().unwrap())];
    shown.extend(javascript(&programs, &[("NODE_EXTRA_CA_CERTS", &authority)], &turso.server));
    shown
}

pub(super) fn a_wrong_clock() -> Vec<String> {
    let provider = Signer::eddsa("clock");
    let keys = NamedTempFile::new().unwrap();
    fs::write(keys.path(), json!({ "keys": [provider.jwk] }).to_string()).unwrap();
    let turso = Turso::start_with(&["--auth-key", keys.path().to_str().unwrap()]);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let early = provider.token(&json!({ "a": "rw", "nbf": now + 3600 }));
    let late = provider.token(&json!({ "a": "rw", "exp": now - 3600 }));
    let default = url(&turso, "default");
    let mut shown = vec![shell(&turso, &default, &early), shell(&turso, &default, &late)];
    let programs = [sql(&default, &early), sql(&default, &late)];
    shown.extend(javascript(&programs, &[], &turso.server));
    shown.extend(super::reach::certificates_of_other_times());
    // Of its own tokens the server believes its own clock, to the second.
    let mut mint = program::command();
    mint.args(["token", "mint", "--database", "default", "--expiration", "1s", "--data-dir"]);
    let own = mint.arg(turso.data_dir.path()).output().unwrap().stdout;
    let own = String::from_utf8(own).unwrap();
    while turso.query(own.trim(), "default", "SELECT 1").is_ok() {
        thread::sleep(Duration::from_millis(20));
    }
    shown.push(shell(&turso, &default, own.trim()));
    shown
}
