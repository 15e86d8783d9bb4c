//! The program `turso` and a server for it, of which its environment tells it: nothing else is configured.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};

use super::super::directory;
use super::super::run::PATIENCE;
use super::proxy;
use super::terminal::{Shell, Terminal};
use crate::program::{self, Program};

/// More than any answer has that a test looks at.
const ROWS: u16 = 300;

/// A user of the CLI with a server of their own.
pub(super) struct Turso {
    pub(super) server: Program,
    pub(super) data_dir: TempDir,
    home: TempDir,
    /// What `TURSO_API_TOKEN` says; without it, the CLI looks into its settings.
    pub(super) token: Option<String>,
    /// How the CLI finds the server, and nothing else.
    pub(super) way: Vec<(&'static str, OsString)>,
}

/// What a command has printed, and its exit code.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) code: i32,
}

impl Turso {
    pub(super) fn start() -> Self {
        Turso::start_with(&[])
    }

    /// A user of a server with more flags.
    pub(super) fn start_with(flags: &[&str]) -> Self {
        let data_dir = TempDir::new().unwrap();
        let mut command = program::command();
        command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir.path()).args(flags);
        let server = Program::run(command);
        let token = fs::read_to_string(data_dir.path().join("api-token")).unwrap();
        let token = Some(token.trim().to_owned());
        // The CLI has addresses of its own in the net; nothing of a test may go there. Go asks no proxy for
        // loopback addresses.
        let way = vec![
            ("TURSO_API_BASEURL", server.url().into()),
            ("HTTPS_PROXY", "http://127.0.0.1:1".into()),
        ];
        Turso { server, data_dir, home: TempDir::new().unwrap(), token, way }
    }

    /// A user of a server that stands in for Turso. The CLI is told whom to trust; the names are its own.
    pub(super) fn drop_in(flags: &[&str]) -> Self {
        let names = ["--domain", "turso.io", "--api-host", "api.turso.tech", "--tls", "local"];
        let mut turso = Turso::start_with(&[&names, flags].concat());
        turso.way = vec![
            ("HTTPS_PROXY", proxy::start(turso.server.address()).into()),
            ("SSL_CERT_FILE", turso.authority().into()),
        ];
        turso
    }

    /// The certificate of the server's private authority.
    pub(super) fn authority(&self) -> PathBuf {
        self.data_dir.path().join("tls/ca.pem")
    }

    /// The same server for another user, with an own token and settings.
    pub(super) fn login(&mut self, token: &str) -> String {
        fs::remove_file(self.settings()).unwrap();
        self.token.replace(token.to_owned()).unwrap()
    }

    /// `127.0.0.1:PORT`
    pub(super) fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// The file that the CLI keeps its settings and caches in.
    pub(super) fn settings(&self) -> PathBuf {
        self.home.path().join("settings.json")
    }

    /// A file in the directory in which commands are run.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The standard output of a command that must succeed.
    pub(super) fn ok(&self, line: &str) -> String {
        let outcome = self.run(line);
        assert_eq!(outcome.code, 0, "turso {line}: {outcome:#?}\n{}", self.server.log());
        outcome.stdout
    }

    /// The same, line by line, each divided where the columns of a table are.
    pub(super) fn table(&self, line: &str) -> Vec<Vec<String>> {
        table(&self.ok(line))
    }

    /// The standard error of a command that must fail.
    pub(super) fn fails(&self, line: &str) -> String {
        let outcome = self.run(line);
        assert_eq!(outcome.code, 1, "turso {line}: {outcome:#?}\n{}", self.server.log());
        outcome.stderr
    }

    pub(super) fn run(&self, line: &str) -> Outcome {
        self.run_with_input(line, Stdio::null())
    }

    /// Runs a command to its end, with something else than a terminal for input and output.
    pub(super) fn run_with_input(&self, line: &str, stdin: Stdio) -> Outcome {
        let (stdout, stderr) = (NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap());
        let mut command = self.command(line);
        command.stdin(stdin).stdout(stdout.reopen().unwrap()).stderr(stderr.reopen().unwrap());
        let mut child = command.spawn().unwrap();
        let status = program::wait(&mut child, PATIENCE);
        if status.is_none() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let text = |file: &NamedTempFile| fs::read_to_string(file.path()).unwrap();
        let code = status.and_then(|status| status.code()).unwrap_or_else(|| {
            panic!("turso {line} did not end: {} {}", text(&stdout), text(&stderr))
        });
        Outcome { stdout: text(&stdout), stderr: text(&stderr), code }
    }

    /// A command on a terminal.
    pub(super) fn interactive(&self, line: &str) -> Terminal {
        self.interactive_with_rows(line, ROWS)
    }

    /// A command on a terminal that is not as high as usual.
    pub(super) fn interactive_with_rows(&self, line: &str, rows: u16) -> Terminal {
        Terminal::start(self.command(line), rows)
    }

    /// `turso db shell` on a terminal.
    pub(super) fn shell(&self, database: &str) -> Shell {
        Shell::open(self.interactive(&format!("db shell {database}")))
    }

    fn command(&self, line: &str) -> Command {
        let mut turso = self.user_of(program());
        turso.args(words(line));
        turso
    }

    /// Another program, in the directory and the environment of the CLI, which it can call.
    pub(super) fn user_of(&self, name: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(name);
        command.env_clear().current_dir(self.home.path());
        // For the local `sqlite3` that the CLI uses, and for the programs of a test.
        let path = std::env::var_os("PATH").unwrap();
        let own = [self.file("bin"), program().parent().unwrap().to_owned()];
        let programs = own.into_iter().chain(env::split_paths(&path));
        command.env("PATH", env::join_paths(programs).unwrap());
        command.env("HOME", self.home.path()).env("TMPDIR", self.home.path());
        command.env("TURSO_CONFIG_FOLDER", self.home.path());
        command.envs(self.way.iter().map(|(name, value)| (name, value)));
        if let Some(token) = &self.token {
            command.env("TURSO_API_TOKEN", token);
        }
        command
    }

    /// What a program with a database token gets for one statement: rows of text, or why not.
    pub(super) fn query(
        &self,
        token: &str,
        database: &str,
        sql: &str,
    ) -> Result<Vec<Vec<String>>, String> {
        let requests = json!([program::execute(sql), { "type": "close" }]);
        let path = format!("/db/{database}/v2/pipeline");
        let body = json!({ "baton": null, "requests": requests });
        let answer = self.server.request("POST", &path, token, &body).unwrap();
        if answer.status != 200 {
            return Err(format!("{}: {}", answer.status, answer.body["error"]));
        }
        let result = &answer.body["results"][0];
        if result["type"] != "ok" {
            return Err(result["error"]["message"].as_str().unwrap().to_owned());
        }
        let rows = result["response"]["result"]["rows"].as_array().unwrap();
        let text = |value: &Value| match &value["value"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Ok(rows.iter().map(|row| row.as_array().unwrap().iter().map(text).collect()).collect())
    }

    /// Asks the platform API, as other programs do beside the CLI.
    pub(super) fn request(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> program::Answer {
        self.server.request(method, path, token, body).unwrap()
    }
}

/// The lines of a table that has at least two spaces between its columns.
pub(super) fn table(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
        cells.map(str::to_owned).collect::<Vec<_>>()
    };
    text.lines().map(cells).filter(|cells| !cells.is_empty()).collect()
}

/// The words of a command line, of which some are in double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The program that `make` has built. Panics with what to do if it has not.
pub(super) fn program() -> PathBuf {
    let directory = directory("turso");
    let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
    let program = directory.join("bin/turso");
    let wanted = modified(&directory.join("go.sum")).unwrap();
    match modified(&program) {
        Ok(built) if built >= wanted => program,
        _ => panic!("the turso CLI is not built, or not this version; use `make test`"),
    }
}
