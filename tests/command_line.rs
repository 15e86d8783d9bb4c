//! The program's command line: its flags and variables, what it prints, and how it ends.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Program, command, execute};

fn run(arguments: &[&str]) -> Output {
    command().args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn serve(listen: &str, data_dir: &Path) -> Command {
    let mut command = command();
    command.args(["serve", "--listen", listen, "--data-dir"]).arg(data_dir);
    command
}

#[test]
fn version() {
    let output = run(&["--version"]);
    assert!(output.status.success());
    assert_eq!(stdout(&output), format!("hranad {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_has_examples_and_every_setting() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    let text = stdout(&output);
    assert!(text.contains("Examples:\n  hranad "), "{text}");
    for word in ["--listen", "--data-dir", "HRANAD_LISTEN", "HRANAD_DATA_DIR", "serve", "health"] {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
}

#[test]
fn a_bad_flag_or_value_is_named() {
    let cases = [
        (&["--lissten", "127.0.0.1:0"][..], "--lissten"),
        (&["--listen", "nowhere"], "nowhere"),
        (&["--listen", "127.0.0.1:0", "--transaction-idle", "soon"], "soon"),
        (&["--listen", "127.0.0.1:0", "--threads", "0"], "--threads"),
        (&["sserve"], "sserve"),
        (&["serve", "extra"], "extra"),
    ];
    for (arguments, named) in cases {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
}

#[test]
fn the_greeting_says_where_everything_is() {
    let parent = TempDir::new().unwrap();
    let data_dir = parent.path().join("new/data");
    let server = Program::start(&data_dir);
    let data_dir = data_dir.canonicalize().unwrap();
    assert_ne!(server.address().port(), 0);
    let greeting = server.greeting();
    let token = data_dir.join("api-token").display().to_string();
    for word in [&server.url(), &data_dir.display().to_string(), &token] {
        assert!(greeting.contains(word.as_str()), "{word} is not in:\n{greeting}");
    }
    let health = server.request("GET", "/health", "", &Value::Null).unwrap();
    assert_eq!(health.status, 200);
}

#[test]
fn variables_mean_what_the_flags_mean_and_flags_win() {
    let (by_variable, by_flag) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let set = || {
        let mut command = command();
        command.env("HRANAD_LISTEN", "127.0.0.1:0").env("HRANAD_DATA_DIR", by_variable.path());
        command
    };
    let first = Program::run(set());
    assert!(by_variable.path().join("api-token").exists());
    let mut command = set();
    command.arg("serve").arg("--data-dir").arg(by_flag.path());
    let second = Program::run(command);
    assert!(by_flag.path().join("api-token").exists());
    assert_ne!(first.address(), second.address());
}

#[test]
fn the_data_directory_belongs_to_one_process() {
    let data_dir = TempDir::new().unwrap();
    let first = Program::start(data_dir.path());
    first.query("CREATE TABLE t (a)");
    let output = serve("127.0.0.1:0", data_dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains("in use by another hranad"), "{message}");
    assert!(message.contains(&data_dir.path().display().to_string()), "{message}");
    assert!(message.contains("--data-dir"), "{message}");
    // The first has not noticed.
    first.query("INSERT INTO t VALUES (1)");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = Program::start(one.path());
    let address = first.address().to_string();
    let output = serve(&address, other.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains(&address) && message.contains("in use"), "{message}");
    assert!(message.contains("--listen"), "{message}");
}

#[test]
fn a_data_directory_that_cannot_be_is_named() {
    let parent = TempDir::new().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "not a directory").unwrap();
    let output = serve("127.0.0.1:0", &file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains(&file.display().to_string()), "{message}");
}

#[test]
fn the_api_token_is_for_the_owner_only_and_stays() {
    let data_dir = TempDir::new().unwrap();
    let file = data_dir.path().join("api-token");
    Program::start(data_dir.path()).kill();
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let token = fs::read_to_string(&file).unwrap();
    // One that began with `-` would be a flag to the programs that it is pasted to.
    assert!(token.starts_with("hranad_"), "{token}");
    let server = Program::start(data_dir.path());
    assert_eq!(fs::read_to_string(&file).unwrap(), token);
    let status =
        |token: &str| server.request("GET", "/v1/databases", token, &Value::Null).unwrap().status;
    assert_eq!((status(token.trim()), status(""), status("wrong")), (200, 401, 401));
}

#[test]
fn health_tells_by_its_exit_code() {
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    let address = server.address().to_string();
    let health =
        |variable: &str| command().arg("health").env("HRANAD_LISTEN", variable).output().unwrap();
    let well = run(&["health", "--listen", &address]);
    assert!(well.status.success(), "{}", stderr(&well));
    // As in a container, whose server listens everywhere.
    let everywhere = format!("0.0.0.0:{}", server.address().port());
    assert!(health(&everywhere).status.success());
    server.kill();
    let gone = run(&["health", "--listen", &address]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains(&address), "{}", stderr(&gone));
}

#[test]
fn sigterm_ends_the_program_well_and_nothing_is_lost() {
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    server.query("CREATE TABLE t AS SELECT 1 AS a");
    let status = server.terminate();
    assert_eq!(status.code(), Some(0), "{status}");
    let server = Program::start(data_dir.path());
    assert_eq!(server.query("SELECT a FROM t")[0][0]["value"], "1");
}

#[test]
fn sigterm_does_not_wait_for_idle_clients() {
    let data_dir = TempDir::new().unwrap();
    let server = Program::start(data_dir.path());
    server.query("CREATE TABLE t (a)");
    let _idle = TcpStream::connect(server.address()).unwrap();
    let begun = json!([execute("BEGIN IMMEDIATE"), execute("INSERT INTO t VALUES (1)")]);
    server.pipeline(&Value::Null, &begun);
    let start = Instant::now();
    assert_eq!(server.terminate().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    let server = Program::start(data_dir.path());
    assert_eq!(server.query("SELECT count(*) FROM t")[0][0]["value"], "0");
}

#[test]
fn a_server_that_others_can_reach_asks_for_the_token() {
    let data_dir = TempDir::new().unwrap();
    let server = Program::run(serve("0.0.0.0:0", data_dir.path()));
    assert!(server.greeting().contains("authToken"), "{}", server.greeting());
    let token = fs::read_to_string(data_dir.path().join("api-token")).unwrap();
    let statement = json!({ "stmt": { "sql": "SELECT 1" } });
    let status =
        |token: &str| server.request("POST", "/v1/execute", token, &statement).unwrap().status;
    assert_eq!((status(""), status("wrong"), status(token.trim())), (401, 401, 200));
    // Whether it is well is no secret.
    assert_eq!(server.request("GET", "/health", "", &Value::Null).unwrap().status, 200);
}

#[test]
fn an_admin_api_that_others_can_reach_needs_a_key() {
    let directory = TempDir::new().unwrap();
    for (flags, why) in [
        (&["--admin-listen", "0.0.0.0:0"][..], "other machines could reach it"),
        (&["--admin-listen", "[::]:0"], "other machines could reach it"),
        (&["--admin-listen", "127.0.0.1:0", "--auth", "required"], "nobody gets in without one"),
        (&["--admin-auth-key", "two words", "--admin-listen", "127.0.0.1:0"], "without spaces"),
        (&["--admin-auth-key", "", "--admin-listen", "127.0.0.1:0"], "without spaces"),
    ] {
        let output = serve("127.0.0.1:0", directory.path()).args(flags).output().unwrap();
        assert!(!output.status.success());
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
    let mut with_key = serve("127.0.0.1:0", directory.path());
    with_key.env("HRANAD_ADMIN_AUTH_KEY", "secret").args(["--admin-listen", "0.0.0.0:0"]);
    let program = Program::run(with_key);
    assert!(program.greeting().contains("admin API     http://0.0.0.0:"), "{}", program.greeting());
}
