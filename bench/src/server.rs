//! The processes that are measured: how each is started, found ready, and ended.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::args::RunArgs;
use crate::client::{self, Client};
use crate::{Result, rqlite};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hranad,
    Floor,
    LibsqlServer,
    /// Measured where it is asked for single statements: it has one database, and neither streams nor WebSockets.
    Rqlite,
}

/// A process that serves. It is ended when this is dropped.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    /// Where WebSockets are served.
    pub(crate) sockets: SocketAddr,
    /// Where databases are created.
    pub(crate) admin: SocketAddr,
    process: Process,
}

struct Process(Child);

const START_WITHIN: Duration = Duration::from_secs(20);
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// Places in `/proc/PID/stat`, counted from the field behind the name.
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;

/// More than any measurement opens; libsql-server's own bound is 128.
const PEER_CONNECTIONS: &str = "1024";

impl Kind {
    pub(crate) const COUNT: usize = 4;

    /// The servers that can be measured in this run.
    pub(crate) fn all(args: &RunArgs) -> impl Iterator<Item = Kind> {
        let peer = args.sqld.as_ref().map(|_| Kind::LibsqlServer);
        [Kind::Hranad, Kind::Floor].into_iter().chain(peer)
    }

    /// The same, and those that can be asked for single statements only.
    pub(crate) fn all_under_load(args: &RunArgs) -> impl Iterator<Item = Kind> {
        Self::all(args).chain(args.rqlited.as_ref().map(|_| Kind::Rqlite))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Hranad => "hranad",
            Kind::Floor => "floor",
            Kind::LibsqlServer => "libsql-server",
            Kind::Rqlite => "rqlite",
        }
    }

    /// The file of the program.
    pub(crate) fn program(self, args: &RunArgs) -> Result<PathBuf> {
        let this = std::env::current_exe()?;
        let program = match self {
            Kind::Hranad => args.hranad.clone().unwrap_or_else(|| this.with_file_name("hranad")),
            Kind::Floor => this,
            Kind::LibsqlServer => args.sqld.clone().ok_or("SQLD_BIN names no libsql-server")?,
            Kind::Rqlite => args.rqlited.clone().ok_or("RQLITED_BIN names no rqlited")?,
        };
        if !program.is_file() {
            let build = "build it with `cargo build --release`, or name one with HRANAD_BIN/SQLD_BIN/RQLITED_BIN";
            return Err(format!("there is no {}: {build}", program.display()).into());
        }
        Ok(program)
    }
}

impl Server {
    /// Starts a server on the data in `directory` and waits until it answers.
    pub(crate) async fn start(kind: Kind, args: &RunArgs, directory: &Path) -> Result<Self> {
        Self::launch(kind, args, directory, None).await
    }

    /// The same with many databases, which libsql-server has to be told.
    pub(crate) async fn start_with_admin(
        kind: Kind,
        args: &RunArgs,
        directory: &Path,
    ) -> Result<Self> {
        let admin = if kind == Kind::LibsqlServer { Some(free_address()?) } else { None };
        Self::launch(kind, args, directory, admin).await
    }

    async fn launch(
        kind: Kind,
        args: &RunArgs,
        directory: &Path,
        admin: Option<SocketAddr>,
    ) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let mut command = Command::new(kind.program(args)?);
        command.stdin(Stdio::null());
        let (address, sockets, process) = match kind {
            Kind::Hranad => {
                command.args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--data-dir"]);
                announced(command.arg(directory), kind)?
            }
            Kind::Floor => announced(command.arg("floor").arg(directory.join("data")), kind)?,
            Kind::LibsqlServer => {
                let address = free_address()?;
                command.args(["--no-welcome", "--http-listen-addr", &address.to_string()]);
                command.args(["--max-concurrent-connections", PEER_CONNECTIONS]);
                command.args(["--max-concurrent-requests", PEER_CONNECTIONS]);
                if let Some(admin) = admin {
                    command.args(["--enable-namespaces", "--admin-listen-addr"]);
                    command.arg(admin.to_string());
                }
                command.arg("-d").arg(directory).stdout(Stdio::null()).stderr(Stdio::null());
                (address, address, Process(command.spawn()?))
            }
            Kind::Rqlite => {
                let address = free_address()?;
                command.args(["-http-addr", &address.to_string()]);
                command.args(["-raft-addr", &free_address()?.to_string()]);
                command.arg(directory).stdout(Stdio::null()).stderr(Stdio::null());
                (address, address, Process(command.spawn()?))
            }
        };
        let admin = admin.unwrap_or(address);
        let mut server = Server { kind, address, sockets, admin, process };
        server.wait_until_ready().await?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_WITHIN;
        let path = if self.kind == Kind::Rqlite { rqlite::READY } else { "/health" };
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        loop {
            if let Some(status) = self.process.0.try_wait()? {
                return Err(format!("{} ended at its start: {status}", self.kind.name()).into());
            }
            if let Ok(mut client) = Client::connect(self.address).await
                && client.ask(request.as_bytes()).await.is_ok()
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("{} does not answer", self.kind.name()).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The bytes of a request that executes `stmt`, a Hrana statement in JSON, below this path.
    pub(crate) fn execute(&self, prefix: &str, stmt: &str) -> Result<Box<[u8]>> {
        match self.kind {
            Kind::Rqlite => rqlite::execute(self.address, stmt),
            _ => Ok(client::execute(self.address, prefix, stmt)),
        }
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// What the process has used of processors until now, in steps of the system's clock.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        // The name of the program, in parentheses, may hold anything.
        let after_name = stat.rsplit_once(')').map(|(_, rest)| rest);
        let ticks = |field: usize| after_name?.split_whitespace().nth(field)?.parse::<u64>().ok();
        match (ticks(USER_TICKS), ticks(SYSTEM_TICKS)) {
            (Some(user), Some(system)) => {
                let per_second = rustix::param::clock_ticks_per_second();
                Ok(Duration::from_secs_f64((user + system) as f64 / per_second as f64))
            }
            _ => Err("the system does not tell the processor time of a process".into()),
        }
    }

    /// Memory of the process that is in RAM.
    pub(crate) fn resident_mebibytes(&self) -> Result<f64> {
        Ok(self.resident_kib()? as f64 / 1024.0)
    }

    /// Memory of the process that is in RAM, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| "the system does not tell the memory of a process".into())
    }
}

/// Starts a program that prints where it listens, as `http://ADDRESS`, and in the same line as `ws://ADDRESS` where
/// that is another.
fn announced(command: &mut Command, kind: Kind) -> Result<(SocketAddr, SocketAddr, Process)> {
    let mut process = Process(command.stdout(Stdio::piped()).spawn()?);
    let output = process.0.stdout.take().ok_or("the program has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        let after = |scheme| line.split_once(scheme)?.1.split([' ', '/']).next()?.parse().ok();
        if let Some(address) = after("http://") {
            return Ok((address, after("ws://").unwrap_or(address), process));
        }
    }
    Err(format!("{} did not start", kind.name()).into())
}

/// An address that nobody listens on.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGINT lets every one of these servers close its files.
        let _ = kill_process(Pid::from_child(&self.0), Signal::INT);
        let deadline = Instant::now() + STOP_WITHIN;
        while Instant::now() < deadline {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
