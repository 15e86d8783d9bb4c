//! The published clients in JavaScript, on Node.js.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::report::{self, Report};
use super::run::{Finished, Run, run_tests, version_of};

/// The oldest Node.js that all the clients run on: major and minor version.
const NODE_MIN: (u32, u32) = (20, 19);

pub(super) fn libsql(version: &'static str, transport: &'static str) -> Run {
    libsql_build(version, "", transport)
}

/// The build for browsers and edge runtimes.
pub(super) fn libsql_web(version: &'static str, transport: &'static str) -> Run {
    libsql_build(version, "/web", transport)
}

fn libsql_build(version: &'static str, build: &str, transport: &'static str) -> Run {
    let client = format!("{version}{build}");
    let tests = move || reported(files("libsql"), transport, &[("LIBSQL_CLIENT", &client)]);
    let installed = locked(&format!("libsql-client-{version}"));
    let packages = vec![(format!("@libsql/client{build}"), installed)];
    Run::new("JavaScript", packages, transport, tests)
}

/// One version and encoding of the protocol, named like the subprotocol of a WebSocket.
pub(super) fn hrana(protocol: &'static str, transport: &'static str) -> Run {
    let tests = move || reported(files("hrana"), transport, &[("HRANA_PROTOCOL", protocol)]);
    Run::new("JavaScript", packages(&["@libsql/hrana-client"]), transport, tests)
}

pub(super) fn serverless() -> Run {
    let tests = || reported(files("serverless"), "http", &[]);
    Run::new("JavaScript", packages(&["@tursodatabase/serverless"]), "http", tests)
}

/// A library that builds queries, and what belongs to it.
pub(super) fn orm(name: &str, names: &[&str], transport: &'static str) -> Run {
    let file = directory().join(format!("orm/{name}.test.js"));
    let tests = move || reported(vec![file.clone()], transport, &[]);
    Run::new("JavaScript", packages(names), transport, tests)
}

#[test]
fn platform_api_with_libsql_client_0_18_0() {
    node_tests(server_file("platform"), "http", &[("LIBSQL_CLIENT", "0.18.0")]);
}

#[test]
fn tursodatabase_api_1_8_1() {
    node_tests(files("api"), "http", &[("TURSO_API", "1.8.1")]);
}

#[test]
fn tursodatabase_api_1_9_2() {
    node_tests(files("api"), "http", &[("TURSO_API", "1.9.2")]);
}

#[test]
fn tursodatabase_api_2_0_5() {
    node_tests(files("api"), "http", &[("TURSO_API", "2.0.5")]);
}

#[test]
fn the_workshop_with_libsql_client_0_5_6_over_http() {
    node_tests(server_file("workshop"), "http", &[("LIBSQL_CLIENT", "0.5.6")]);
}

#[test]
fn the_workshop_with_libsql_client_0_18_0_over_http() {
    node_tests(server_file("workshop"), "http", &[("LIBSQL_CLIENT", "0.18.0")]);
}

#[test]
fn the_workshop_with_libsql_client_0_18_0_over_websocket() {
    node_tests(server_file("workshop"), "ws", &[("LIBSQL_CLIENT", "0.18.0")]);
}

#[test]
fn schema_databases_with_libsql_client_0_5_6_over_http() {
    node_tests(server_file("schemas"), "http", &[("LIBSQL_CLIENT", "0.5.6")]);
}

#[test]
fn schema_databases_with_libsql_client_0_14_0_over_http() {
    node_tests(server_file("schemas"), "http", &[("LIBSQL_CLIENT", "0.14.0")]);
}

#[test]
fn schema_databases_with_libsql_client_0_18_0_over_http() {
    node_tests(server_file("schemas"), "http", &[("LIBSQL_CLIENT", "0.18.0")]);
}

#[test]
fn schema_databases_with_libsql_client_0_18_0_over_websocket() {
    node_tests(server_file("schemas"), "ws", &[("LIBSQL_CLIENT", "0.18.0")]);
}

fn reported(files: Vec<PathBuf>, transport: &str, variables: &[(&str, &str)]) -> Report {
    report::of_tap(&node_tests(files, transport, variables))
}

/// Runs test files in one process, with variables in its environment.
fn node_tests(files: Vec<PathBuf>, transport: &str, variables: &[(&str, &str)]) -> Finished {
    let mut node = node();
    node.args(["--test-reporter=tap", "run.js"]).args(files).envs(variables.iter().copied());
    run_tests(node, transport)
}

/// All test files of a directory.
fn files(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory().join(name)).unwrap().map(|entry| entry.unwrap().path());
    let is_test = |path: &PathBuf| path.to_string_lossy().ends_with(".test.js");
    let mut files: Vec<_> = entries.filter(is_test).collect();
    files.sort();
    assert!(!files.is_empty(), "{name} holds no tests");
    files
}

fn server_file(name: &str) -> Vec<PathBuf> {
    vec![directory().join(format!("server/{name}.test.js"))]
}

fn directory() -> PathBuf {
    super::directory("js")
}

fn packages(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| (name.to_string(), locked(name))).collect()
}

/// The version of a package that is installed.
fn locked(name: &str) -> String {
    let text = fs::read_to_string(directory().join("package-lock.json")).unwrap();
    let lock: Value = serde_json::from_str(&text).unwrap();
    let version = &lock["packages"][format!("node_modules/{name}")]["version"];
    version.as_str().unwrap_or_else(|| panic!("{name} is not installed")).to_owned()
}

/// Node, among the packages. Panics with what to do if it, or they, are not there.
pub(super) fn node() -> Command {
    let needed = format!("Node.js {}.{} or later", NODE_MIN.0, NODE_MIN.1);
    let mut version = Command::new("node");
    version.arg("--version");
    let version = version_of(version, &needed);
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|n| n.parse().ok());
    let found = numbers.next().zip(numbers.next());
    assert!(found >= Some(NODE_MIN), "{needed} is needed; this one is {version}");
    // npm writes this file last.
    let modified = |file| fs::metadata(directory().join(file)).and_then(|data| data.modified());
    let wanted = modified("package-lock.json").unwrap();
    match modified("node_modules/.package-lock.json") {
        Ok(installed) if installed >= wanted => {}
        _ => panic!(
            "the JavaScript clients are not installed, or not these versions; use `make test`"
        ),
    }
    let mut node = Command::new("node");
    node.current_dir(directory());
    node
}
