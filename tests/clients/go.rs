//! The published client in Go, through `database/sql`.

use std::process::Command;

use super::{directory, run_tests, version_of};

#[test]
fn libsql_client_go_of_2026_05_28() {
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
    run_tests(tests);
}
