//! The published clients in Python, in the environment that `make` has made for them.

use std::fs;
use std::process::Command;

use super::directory;
use super::report::{self, Report};
use super::run::{Run, run_tests};

pub(super) fn libsql_client(transport: &'static str) -> Run {
    run("test_libsql_client", &["libsql-client"], transport)
}

pub(super) fn libsql() -> Run {
    run("test_libsql", &["libsql"], "http")
}

pub(super) fn sqlalchemy() -> Run {
    run("test_sqlalchemy", &["SQLAlchemy", "sqlalchemy-libsql"], "http")
}

fn run(module: &'static str, names: &[&str], transport: &'static str) -> Run {
    let packages = names.iter().map(|name| (name.to_string(), required(name))).collect();
    Run::new("Python", packages, transport, move || tests(module, transport))
}

/// The version of a package that is installed.
fn required(name: &str) -> String {
    let text = fs::read_to_string(directory("python").join("requirements.txt")).unwrap();
    let version = text.lines().find_map(|line| {
        let (known, version) = line.split_once("==")?;
        known.eq_ignore_ascii_case(name).then(|| version.trim_end_matches([' ', '\\']).to_owned())
    });
    version.unwrap_or_else(|| panic!("{name} is not installed"))
}

fn tests(module: &str, transport: &str) -> Report {
    let directory = directory("python");
    let modified = |file| fs::metadata(directory.join(file)).and_then(|data| data.modified());
    let wanted = modified("requirements.txt").unwrap();
    match modified(".venv/installed") {
        Ok(installed) if installed >= wanted => {}
        _ => panic!("the Python clients are not installed, or not these versions; use `make test`"),
    }
    let mut python = Command::new(directory.join(".venv/bin/python"));
    python.args(["run.py", module]).env("PYTHONDONTWRITEBYTECODE", "1");
    python.current_dir(directory);
    report::of_tap(&run_tests(python, transport))
}
