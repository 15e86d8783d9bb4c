//! The published client in Go, through `database/sql`.

use std::fs;
use std::process::Command;

use super::directory;
use super::report::{self, Report};
use super::run::{Run, run_tests, version_of};

const MODULE: &str = "github.com/tursodatabase/libsql-client-go";

pub(super) fn libsql_client(transport: &'static str) -> Run {
    let packages = vec![("libsql-client-go".to_owned(), required())];
    Run::new("Go", packages, transport, move || tests(transport))
}

/// The day of the module, which has no version but the time of its last change.
fn required() -> String {
    let text = fs::read_to_string(directory("go").join("go.mod")).unwrap();
    let line = text.lines().find(|line| line.contains(MODULE)).unwrap();
    let day = line.split('-').find(|part| part.len() == "20060102150405".len()).unwrap();
    format!("of {}-{}-{}", &day[..4], &day[4..6], &day[6..8])
}

fn tests(transport: &str) -> Report {
    let go = || {
        let mut go = Command::new("go");
        go.current_dir(directory("go"));
        go
    };
    let mut version = go();
    version.arg("version");
    version_of(version, "Go");
    let mut tests = go();
    // A result that Go remembers says nothing about this server.
    tests.args(["test", "-count=1", "-v", "./..."]);
    report::of_go(&run_tests(tests, transport))
}
