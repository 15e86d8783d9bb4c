//! The program `hranad` as its users have it: a process of its own, on a free port, asked over HTTP, and
//! stopped by signals. For tests of what exists only there; all others use a server in their own process.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::net::TcpSocket;

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, without any of the variables that the one who runs the tests may have set.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hranad"));
    command.env_clear();
    command
}

/// An address at which nobody listens, for as long as the socket is held.
pub(crate) fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A server that has said that it is ready. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    address: SocketAddr,
    greeting: String,
    log: NamedTempFile,
    /// Kept open: a program whose reader has gone meets errors that no user would see.
    _stdout: BufReader<ChildStdout>,
}

/// What an HTTP server answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Program {
    /// Starts the server on a data directory, and on a free port.
    pub(crate) fn start(data_dir: &Path) -> Self {
        let mut command = command();
        command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
        Program::run(command)
    }

    /// Runs a command that starts a server, until the server is ready.
    pub(crate) fn run(mut command: Command) -> Self {
        let log = NamedTempFile::new().unwrap();
        let stderr = log.reopen().unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("createClient(") {
            if stdout.read_line(&mut greeting).unwrap() == 0 {
                let _ = child.wait();
                let log = fs::read_to_string(log.path()).unwrap();
                panic!("hranad did not start.\nstdout:\n{greeting}\nstderr:\n{log}");
            }
        }
        let address = greeting
            .split_whitespace()
            .find_map(|word| word.strip_prefix("http://"))
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("no address in: {greeting}"));
        Program { child, address, greeting, log, _stdout: stdout }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the program printed when it was ready.
    pub(crate) fn greeting(&self) -> &str {
        &self.greeting
    }

    /// What the program wrote to its standard error.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> io::Result<Answer> {
        request(self.address, method, path, token, body)
    }

    /// Sends a pipeline to the database `default`; the results, of which none may be an error.
    pub(crate) fn pipeline(&self, baton: &Value, requests: &Value) -> Value {
        let answer = pipeline(self.address, baton, requests).unwrap();
        check(&answer).unwrap_or_else(|error| panic!("{requests}: {error}"));
        answer.body
    }

    /// Executes one statement and returns its rows, each as an array of Hrana values.
    pub(crate) fn query(&self, sql: &str) -> Vec<Value> {
        let body = self.pipeline(&Value::Null, &json!([execute(sql), { "type": "close" }]));
        body["results"][0]["response"]["result"]["rows"].as_array().unwrap().clone()
    }

    /// Ends the program as a power cut would: it gets no chance to tidy up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the program to stop, and waits until it has.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        wait(&mut self.child, PATIENCE).expect("the program did not stop")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a process to end, but not for ever.
pub(crate) fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if start.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One request on a connection of its own. Fails if the connection ends before the whole answer is there.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> io::Result<Answer> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let authorization =
        if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{authorization}\
         content-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all((head + &body).as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let incomplete = || io::Error::new(io::ErrorKind::UnexpectedEof, "half an answer");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(incomplete)?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(incomplete)?;
    // A text instead of JSON is a string.
    let is_json = head.to_ascii_lowercase().contains("content-type: application/json");
    let body = match is_json {
        true => serde_json::from_str(body).map_err(|_| incomplete())?,
        false => Value::from(body),
    };
    Ok(Answer { status, body })
}

/// A pipeline for the database `default`.
pub(crate) fn pipeline(address: SocketAddr, baton: &Value, requests: &Value) -> io::Result<Answer> {
    let body = json!({ "baton": baton, "requests": requests });
    request(address, "POST", "/v2/pipeline", "", &body)
}

/// The request of a pipeline that executes a statement.
pub(crate) fn execute(sql: &str) -> Value {
    json!({ "type": "execute", "stmt": { "sql": sql } })
}

/// The first error in the answer to a pipeline.
pub(crate) fn check(answer: &Answer) -> Result<(), String> {
    if answer.status != 200 {
        return Err(format!("{answer:?}"));
    }
    let results = answer.body["results"].as_array().into_iter().flatten();
    for result in results {
        if result["type"] != "ok" {
            return Err(result.to_string());
        }
    }
    Ok(())
}
