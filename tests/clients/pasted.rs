//! What the server prints and README.md shows, as a reader pastes it.

use std::fs;

use tempfile::TempDir;

use super::javascript::node;
use super::page;
use super::run::run;
use crate::program::{self, Program};

#[test]
fn the_line_that_the_server_prints_works_as_pasted() {
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    let line = server.greeting().lines().find(|line| line.contains("createClient(")).unwrap();
    assert_eq!(answer(line, &server), "the answer is 42\n");
}

#[test]
fn the_example_of_the_readme_works_as_pasted() {
    let readme = page("README.md");
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
    for (wrong, help) in [("undefined", "api-token"), ("'wrong'", "hranad token mint")] {
        let told = answer(&client(wrong), &server);
        assert!(told.starts_with("UNAUTHORIZED: ") && told.contains(help), "{told}");
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
