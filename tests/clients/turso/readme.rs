//! The lines that README.md, docs/drop-in.md and the server itself show for a fresh server, as a reader pastes them into
//! a shell.

use std::process::Command;
use std::{env, iter};

use tempfile::TempDir;

use super::super::page;
use super::cli::{program, table};
use super::proxy;
use crate::program::{self, Program};

/// The first block of commands below a heading.
fn block<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(heading).unwrap_or_else(|| panic!("no section {heading}"));
    let (_, rest) = rest.split_once("```console\n").unwrap();
    rest.split_once("```").unwrap().0
}

/// What there is to type in a block.
fn commands(block: &str) -> Vec<&str> {
    block.lines().filter_map(|line| line.strip_prefix("$ ")).collect()
}

/// A server in the directory in which lines are pasted, with what is behind the word `hranad` on its command line.
fn start(home: &TempDir, flags: &[&str]) -> Program {
    let mut command = program::command();
    command.args(["--data-dir"]).arg(home.path().join("hranad-data")).args(flags);
    Program::run(command)
}

/// The output of a shell into which lines are pasted.
fn paste(lines: &str, home: &TempDir, environment: &[(&str, &str)]) -> String {
    let path = env::var_os("PATH").unwrap();
    let programs = program().parent().unwrap().to_owned();
    let path = env::join_paths(iter::once(programs).chain(env::split_paths(&path))).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", lines]).current_dir(home.path());
    shell.env_clear().env("PATH", path).env("HOME", home.path()).envs(environment.iter().copied());
    let said = shell.output().unwrap();
    assert!(said.status.success(), "{said:?}");
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn the_lines_of_the_readme_work_as_pasted() {
    let readme = page("README.md");
    let lines = commands(block(&readme, "### The `turso` CLI"));
    assert_eq!(lines.len(), 5);
    let home = TempDir::new().unwrap();
    let server = start(&home, &["--listen", "127.0.0.1:0"]);
    let lines = lines.join("\n").replace("http://127.0.0.1:8080", &server.url());
    let said = paste(&lines, &home, &[]);
    assert!(table(&said).ends_with(&[vec!["NAME".to_owned()], vec!["tea".to_owned()]]), "{said}");
}

#[test]
fn the_lines_that_the_server_prints_work_as_pasted() {
    for flags in [&["--listen", "127.0.0.1:0"][..], &["--listen", "0.0.0.0:0", "--tls", "local"]] {
        let home = TempDir::new().unwrap();
        let server = start(&home, flags);
        let lines = server.greeting().lines().map(str::trim);
        let lines: Vec<_> = lines.filter(|line| line.starts_with("export ")).collect();
        assert!(lines.len() >= 3, "{}", server.greeting());
        let lines = lines.join("\n") + "\nturso auth whoami";
        assert_eq!(paste(&lines, &home, &[]), "local\n");
    }
}

#[test]
fn the_readme_shows_what_the_server_prints() {
    let readme = page("README.md");
    let home = TempDir::new().unwrap();
    let server = start(&home, &["--listen", "127.0.0.1:0"]);
    let data_dir = home.path().join("hranad-data").canonicalize().unwrap();
    let printed = server.greeting().replace(&server.address().to_string(), "127.0.0.1:8080");
    let printed = printed.replace(data_dir.to_str().unwrap(), "/home/you/hranad/hranad-data");
    let (_, shown) = block(&readme, "## Start").split_once('\n').unwrap();
    assert_eq!(shown, printed);
}

#[test]
fn the_page_of_the_drop_in_mode_works_as_pasted() {
    let page = page("docs/drop-in.md");
    let command = commands(block(&page, "## The server"))[0];
    let command = command.replace("0.0.0.0:443", "127.0.0.1:0");
    let flags: Vec<_> = command.split_whitespace().skip(1).collect();
    let home = TempDir::new().unwrap();
    let server = start(&home, &flags);
    let proxy = proxy::start(server.address());
    let (cli, application) = (block(&page, "## The CLI"), block(&page, "## An application"));
    let lines = [commands(cli), commands(application)].concat().join("\n");
    let variables: Vec<_> = application
        .lines()
        .map(|line| line.strip_prefix("$ export ").unwrap().split_once('=').unwrap().0)
        .collect();
    assert_eq!(variables.len(), 5);
    let show = variables.iter().map(|name| format!("\necho \"{name}=${name}\""));
    let said = paste(&(lines + &show.collect::<String>()), &home, &[("HTTPS_PROXY", &proxy)]);
    for line in cli.lines().filter(|line| !line.starts_with("$ ")) {
        assert!(said.lines().any(|shown| shown == line), "{line} is not in {said}");
    }
    for line in ["TURSO_ORG=acme", "TURSO_DATABASE_NAME=todos-schema"] {
        assert!(said.lines().any(|shown| shown == line), "{line} is not in {said}");
    }
    let token = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        assert!(line.len() > 32 && !line.contains(' '), "{line}");
    };
    token("TURSO_API_TOKEN=");
    token("TURSO_GROUP_AUTH_TOKEN=");
}
