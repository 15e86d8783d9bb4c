//! The published client in Rust: a crate that is no member of this workspace, built by `make`.

use std::env;
use std::process::Command;

use super::{directory, run_tests};

#[test]
fn libsql_for_rust_0_10_0() {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tests = Command::new(cargo);
    tests.args(["test", "--locked"]).current_dir(directory("rust"));
    run_tests(tests);
}
