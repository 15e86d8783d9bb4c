//! The program: reads the command line, starts the server, says what it serves, waits for the end.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use hranad::commands;
use hranad::config::{Cli, Command, HealthArgs, ServeArgs};
use hranad::error::{Error, Result};
use hranad::server::Server;
use hranad::tls;
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
        say(&mut std::io::stdout(), &greeting(&server, args));
        end.await;
        tracing::info!("stopping");
        server.stop().await;
        Ok(())
    })
}

/// What a newcomer needs next.
fn greeting(server: &Server, args: &ServeArgs) -> String {
    let address = server.address();
    let scheme = if server.is_https() { "https" } else { "http" };
    let url = format!("{scheme}://{address}");
    let listening = match server.is_https() {
        true => format!("{url} and http://{address}"),
        false => url.clone(),
    };
    let (access, token) = match server.is_open() {
        true => ("open to programs of this machine, without a token", ""),
        false => ("with the API token only", ", authToken: \"…the API token…\""),
    };
    let trust = args.tls.map_or_else(String::new, |_| {
        let certificate = tls::authority_certificate(server.data_dir());
        let certificate = certificate.display();
        format!(
            "
  certificates  of a private authority; clients trust it with
    export NODE_EXTRA_CA_CERTS=\"{certificate}\"
    export SSL_CERT_FILE=\"{certificate}\""
        )
    });
    let admin = server.admin_address().map_or_else(String::new, |address| {
        let who = match args.admin_auth_key {
            Some(_) => "with the key of --admin-auth-key",
            None => "open to programs of this machine",
        };
        format!("\n  admin API     {scheme}://{address}  ({who})")
    });
    format!(
        "hranad {version} is ready
  listening on  {listening}  ({access})
  data          {data}
  API token     {token_file}
  database      {url}  is the database `default`; others are at {scheme}://{other}{admin}{trust}

  Paste into JavaScript, with @libsql/client:
    createClient({{ url: \"{url}\"{token} }})",
        version = env!("CARGO_PKG_VERSION"),
        data = server.data_dir().display(),
        token_file = server.api_token_path().display(),
        other = server.hostname("NAME"),
    )
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
    let mut address = args.listen;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let wait = Duration::from_secs(3);
    let ask = || -> std::io::Result<String> {
        let mut socket = TcpStream::connect_timeout(&address, wait)?;
        socket.set_read_timeout(Some(wait))?;
        write!(socket, "GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        socket.take(1024).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let doing = format!("get an answer from http://{address}/health");
    match ask() {
        Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => Ok(()),
        Ok(answer) => {
            let line = answer.lines().next().unwrap_or("nothing").to_owned();
            Err(Error::internal(doing, line))
        }
        Err(error) => Err(Error::internal(doing, error)),
    }
}

/// Prints, and does not mind if nobody reads.
fn say(to: &mut impl std::io::Write, text: &str) {
    let _ = writeln!(to, "{text}");
    let _ = to.flush();
}
