//! The program: reads the command line, starts the server, says what it serves, waits for the end.

mod greeting;

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use hranad::commands;
use hranad::config::{Cli, Command, HealthArgs, ServeArgs};
use hranad::error::{Error, Result};
use hranad::server::Server;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        None => serve(&cli.serve),
        Some(Command::Serve(args)) => serve(&args),
        Some(Command::Health(args)) => health(&args),
        Some(Command::Token(args)) => commands::token(&args),
        Some(Command::Db(args)) => commands::db(&args),
        Some(Command::Schema(args)) => commands::schema(&args),
        Some(Command::Jobs(args)) => commands::jobs(&args),
        Some(Command::Key(args)) => commands::key(&args),
        Some(Command::ImportSqld(args)) => commands::import_sqld(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("hranad: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &ServeArgs) -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&args.log)
        .map_err(|error| Error::bad_request(format!("--log {}: {error}", args.log)))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal("start the runtime", error))?;
    runtime.block_on(async {
        // From now on the end is an orderly one; who is told that the server is ready may want it at once.
        let end = end()?;
        let server = Server::start(args).await?;
        say(&mut std::io::stdout(), &greeting::text(&server, args));
        end.await;
        tracing::info!("stopping");
        server.stop().await;
        Ok(())
    })
}

/// Takes note of signals. What it returns waits for the first of them.
fn end() -> Result<impl Future<Output = ()>> {
    let failed = |error| Error::internal("wait for signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// For the health check of a container that has no other program to ask with.
fn health(args: &HealthArgs) -> Result<()> {
    let address = greeting::reachable(args.listen);
    let wait = Duration::from_secs(3);
    let ask = || -> std::io::Result<String> {
        let mut socket = TcpStream::connect_timeout(&address, wait)?;
        socket.set_read_timeout(Some(wait))?;
        write!(socket, "GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        socket.take(1024).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let failed = |why: &str| {
        let url = format!("http://{address}/health");
        Err(Error::bad_request(format!("no server is well at {url} (--listen says where): {why}")))
    };
    match ask() {
        Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => Ok(()),
        Ok(answer) => failed(answer.lines().next().unwrap_or("it does not speak HTTP")),
        Err(error) => failed(&error.to_string()),
    }
}

/// Prints, and does not mind if nobody reads.
fn say(to: &mut impl std::io::Write, text: &str) {
    let _ = writeln!(to, "{text}");
    let _ = to.flush();
}
