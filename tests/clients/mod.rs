//! Published clients, unchanged, against the real program. What is tested is in the directories beside this
//! file, in the language of each client; here they are started.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};

use crate::program::{self, Program};

mod go;
mod python;
mod rust;
mod turso;

/// The oldest Node.js that all the clients run on.
const NODE_MAJOR_MIN: u32 = 20;

/// Longer than all tests of one client take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn libsql_client_0_5_6() {
    node_tests("libsql", "0.5.6");
}

#[test]
fn libsql_client_0_14_0() {
    node_tests("libsql", "0.14.0");
}

#[test]
fn libsql_client_0_18_0() {
    node_tests("libsql", "0.18.0");
}

#[test]
fn libsql_client_0_5_6_over_websocket() {
    node_tests_over("ws", "libsql", "0.5.6");
}

#[test]
fn libsql_client_0_14_0_over_websocket() {
    node_tests_over("ws", "libsql", "0.14.0");
}

#[test]
fn libsql_client_0_18_0_over_websocket() {
    node_tests_over("ws", "libsql", "0.18.0");
}

#[test]
fn tursodatabase_serverless_1_4_0() {
    node_tests("serverless", "");
}

#[test]
fn drizzle_0_45_4_and_kysely_0_28_17_and_knex_3_3_0() {
    node_tests("orm", "");
}

#[test]
fn platform_api_and_the_workshop_with_libsql_client_0_18_0() {
    node_tests("server", "0.18.0");
}

#[test]
fn the_workshop_with_libsql_client_0_5_6() {
    node_tests("server", "0.5.6");
}

#[test]
fn tursodatabase_api_1_8_1() {
    platform_tests("1.8.1");
}

#[test]
fn tursodatabase_api_1_9_2() {
    platform_tests("1.9.2");
}

#[test]
fn tursodatabase_api_2_0_5() {
    platform_tests("2.0.5");
}

#[test]
fn the_line_that_the_server_prints_works_as_pasted() {
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    let line = server.greeting().lines().find(|line| line.contains("createClient(")).unwrap();
    assert_eq!(answer(line, &server), "the answer is 42\n");
}

#[test]
fn the_example_of_the_readme_works_as_pasted() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```js\n").expect("an example in README.md");
    let (example, _) = rest.split_once("```").unwrap();
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    let usual = "http://127.0.0.1:8080";
    assert!(example.contains(usual), "{example}");
    let said = run_script(&example.replace(usual, &server.url()), &server);
    assert!(said.contains("description: 'try hranad'"), "{said}");
}

#[test]
fn a_client_without_the_token_is_told_where_it_is() {
    let data_dir = TempDir::new().unwrap();
    let mut command = program::command();
    command.args(["--listen", "0.0.0.0:0", "--data-dir"]).arg(data_dir.path());
    let server = Program::run(command);
    let token = fs::read_to_string(data_dir.path().join("api-token")).unwrap();
    let url = format!("http://127.0.0.1:{}", server.address().port());
    let client = |token: &str| format!("createClient({{ url: '{url}', authToken: {token} }})");
    assert_eq!(answer(&client(&format!("'{}'", token.trim())), &server), "the answer is 42\n");
    for wrong in ["undefined", "'wrong'"] {
        let told = answer(&client(wrong), &server);
        assert!(told.starts_with("UNAUTHORIZED: ") && told.contains("api-token"), "{told}");
    }
}

/// What the client that `expression` makes says to a question: an answer, or an error.
fn answer(expression: &str, server: &Program) -> String {
    let script = format!(
        "import {{ createClient }} from '@libsql/client';
         const client = {expression};
         const said = client.execute('SELECT 6 * 7 AS answer').then(
           ({{ rows }}) => `the answer is ${{rows[0].answer}}`,
           (error) => error.message,
         );
         console.log(await said);"
    );
    run_script(&script, server)
}

/// Runs a program that uses @libsql/client, here its newest version, and returns its output.
fn run_script(script: &str, server: &Program) -> String {
    let mut node = node();
    node.args(["--input-type=module", "--eval"])
        .arg(script.replace("@libsql/client", "libsql-client-0.18.0"));
    run(node, server)
}

/// Runs all test files of a directory with one version of @libsql/client, on a server of their own.
fn node_tests(directory: &str, version: &str) {
    node_tests_over("http", directory, version);
}

/// The same with URLs of another scheme.
fn node_tests_over(transport: &str, directory: &str, version: &str) {
    let mut node = node();
    node.args(["--test", "--test-reporter=spec"])
        .args(test_files(&packages().join(directory)))
        .env("LIBSQL_TRANSPORT", transport);
    if !version.is_empty() {
        node.env("LIBSQL_CLIENT", version);
    }
    run_tests(node);
}

/// Runs all tests of the platform API with one version of @tursodatabase/api, on a server of their own.
fn platform_tests(version: &str) {
    let mut node = node();
    node.args(["--test", "--test-reporter=spec"])
        .args(test_files(&packages().join("api")))
        .env("TURSO_API", version);
    run_tests(node);
}

fn test_files(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|f| f.to_string_lossy().ends_with(".test.js")).collect();
    assert!(!files.is_empty(), "{} holds no tests", directory.display());
    files
}

fn packages() -> PathBuf {
    directory("js")
}

/// Where the tests in a language are.
fn directory(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(language)
}

/// What a tool says about itself, or what to do if it is not there.
fn version_of(mut tool: Command, needed: &str) -> String {
    match tool.output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => panic!("{needed} is needed: cannot run {:?}: {error}", tool.get_program()),
    }
}

/// Runs tests to their end on a server of their own, of which their environment tells them.
fn run_tests(mut command: Command) -> String {
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    let token = fs::read_to_string(data_dir.path().join("api-token")).unwrap();
    command.env("HRANAD_URL", server.url()).env("HRANAD_API_TOKEN", token.trim());
    run(command, &server)
}

/// Node, among the packages. Panics with what to do if it, or they, are not there.
fn node() -> Command {
    let needed = format!("Node.js {NODE_MAJOR_MIN} or later");
    let mut version = Command::new("node");
    version.arg("--version");
    let version = version_of(version, &needed);
    let major =
        version.strip_prefix('v').and_then(|version| version.split('.').next()?.parse().ok());
    assert!(
        major.is_some_and(|major: u32| major >= NODE_MAJOR_MIN),
        "{needed} is needed; this one is {version}"
    );
    // npm writes this file last.
    let modified = |file| fs::metadata(packages().join(file)).and_then(|data| data.modified());
    let wanted = modified("package-lock.json").unwrap();
    match modified("node_modules/.package-lock.json") {
        Ok(installed) if installed >= wanted => {}
        _ => panic!(
            "the JavaScript clients are not installed, or not these versions; use `make test`"
        ),
    }
    let mut node = Command::new("node");
    node.current_dir(packages());
    node
}

/// Runs a program to its end and returns its output; panics with all there is to know if it fails.
fn run(mut command: Command, server: &Program) -> String {
    let (stdout, stderr) = (NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap());
    command.stdin(Stdio::null()).stdout(stdout.reopen().unwrap()).stderr(stderr.reopen().unwrap());
    let mut child = command.spawn().unwrap();
    let status = program::wait(&mut child, PATIENCE);
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let output = fs::read_to_string(stdout.path()).unwrap();
    if !status.is_some_and(|status| status.success()) {
        let ended = status.map_or("did not end in time".to_owned(), |status| status.to_string());
        let errors = fs::read_to_string(stderr.path()).unwrap();
        panic!("{command:?}: {ended}\n{output}\n{errors}\nThe server says:\n{}", server.log());
    }
    output
}
