//! The published client in Rust: a crate that is no member of this workspace, built by `make`.

use std::process::Command;
use std::{env, fs};

use super::directory;
use super::report::{self, Report};
use super::run::{Run, run_tests};

pub(super) fn libsql() -> Run {
    let packages = vec![("libsql".to_owned(), locked("libsql"))];
    Run::new("Rust", packages, "http", tests)
}

/// The version of a crate that is built.
fn locked(name: &str) -> String {
    let lock = fs::read_to_string(directory("rust").join("Cargo.lock")).unwrap();
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn tests() -> Report {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tests = Command::new(cargo);
    tests.args(["test", "--locked"]).current_dir(directory("rust"));
    report::of_cargo(&run_tests(tests, "http"))
}
