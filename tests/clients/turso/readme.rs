//! The lines of README.md that point the CLI at a fresh server.

use std::path::Path;
use std::process::Command;
use std::{env, fs, iter};

use tempfile::TempDir;

use super::cli::{program, table};
use crate::program::{self, Program};

#[test]
fn the_lines_of_the_readme_work_as_pasted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(path).unwrap();
    let (_, rest) = readme.split_once("### The `turso` CLI").expect("a section in README.md");
    let (_, rest) = rest.split_once("```console\n").unwrap();
    let (lines, _) = rest.split_once("```").unwrap();
    let lines: Vec<_> = lines.lines().map(|line| line.strip_prefix("$ ").unwrap()).collect();
    assert_eq!(lines.len(), 5);

    let home = TempDir::new().unwrap();
    let mut command = program::command();
    let data_dir = home.path().join("hranad-data");
    command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
    let server = Program::run(command);
    let script = lines.join("\n").replace("http://127.0.0.1:8080", &server.url());
    let path = env::var_os("PATH").unwrap();
    let programs = program().parent().unwrap().to_owned();
    let path = env::join_paths(iter::once(programs).chain(env::split_paths(&path))).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &script]).current_dir(home.path());
    shell.env_clear().env("PATH", path).env("HOME", home.path());
    let said = shell.output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(table(&said).ends_with(&[vec!["NAME".to_owned()], vec!["tea".to_owned()]]), "{said}");
}
