//! The published clients in Python, in the environment that `make` has made for them.

use std::fs;
use std::process::Command;

use super::{directory, run_tests};

#[test]
fn libsql_client_for_python_0_3_1() {
    python_tests("test_libsql_client");
}

#[test]
fn libsql_for_python_0_1_11() {
    python_tests("test_libsql");
}

#[test]
fn sqlalchemy_libsql_0_2_0() {
    python_tests("test_sqlalchemy");
}

fn python_tests(module: &str) {
    let directory = directory("python");
    let modified = |file| fs::metadata(directory.join(file)).and_then(|data| data.modified());
    let wanted = modified("requirements.txt").unwrap();
    match modified(".venv/installed") {
        Ok(installed) if installed >= wanted => {}
        _ => panic!("the Python clients are not installed, or not these versions; use `make test`"),
    }
    let mut python = Command::new(directory.join(".venv/bin/python"));
    python.args(["-m", "unittest", "-v", module]).env("PYTHONDONTWRITEBYTECODE", "1");
    python.current_dir(directory);
    run_tests(python);
}
