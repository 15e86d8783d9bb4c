//! One run: all tests of one client over one transport, on a server of their own.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};

use super::report::Report;
use crate::program::{self, Program};

/// Longer than all tests of one client take on a slow machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// A client, as the table has it, and its tests.
pub(super) struct Run {
    pub(super) language: &'static str,
    /// Its packages, and the version of each.
    pub(super) packages: Vec<(String, String)>,
    /// The scheme of its URLs.
    pub(super) transport: &'static str,
    tests: Box<dyn Fn() -> Report + Send + Sync>,
    outcome: OnceLock<Report>,
}

impl Run {
    pub(super) fn new(
        language: &'static str,
        packages: Vec<(String, String)>,
        transport: &'static str,
        tests: impl Fn() -> Report + Send + Sync + 'static,
    ) -> Self {
        let (tests, outcome) = (Box::new(tests), OnceLock::new());
        Run { language, packages, transport, tests, outcome }
    }

    /// What the tests reported; panics with all there is to know if one failed. Whoever asks first runs them.
    pub(super) fn report(&self) -> &Report {
        self.outcome.get_or_init(|| (self.tests)())
    }
}

/// What is left of a run.
pub(super) struct Finished {
    pub(super) output: String,
    /// What the server says of the requests.
    pub(super) log: String,
}

/// Runs tests to their end on a server of their own, of which their environment tells them.
pub(super) fn run_tests(mut command: Command, transport: &str) -> Finished {
    let data_dir = TempDir::new().unwrap();
    let mut hranad = program::command();
    hranad.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir.path());
    hranad.args(["--log", "info,hranad::router=debug,hranad::http::ws=debug"]);
    if ["https", "wss"].contains(&transport) {
        hranad.args(["--tls", "local"]);
        command.env("NODE_EXTRA_CA_CERTS", data_dir.path().join("tls/ca.pem"));
    }
    let server = Program::run(hranad);
    let token = fs::read_to_string(data_dir.path().join("api-token")).unwrap();
    command.env("HRANAD_URL", server.url()).env("HRANAD_API_TOKEN", token.trim());
    command.env("LIBSQL_TRANSPORT", transport);
    let output = run(command, &server);
    Finished { output, log: server.log() }
}

/// Runs a program to its end and returns its output; panics with all there is to know if it fails.
pub(super) fn run(mut command: Command, server: &Program) -> String {
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

/// What a tool says about itself, or what to do if it is not there.
pub(super) fn version_of(mut tool: Command, needed: &str) -> String {
    match tool.output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => panic!("{needed} is needed: cannot run {:?}: {error}", tool.get_program()),
    }
}
