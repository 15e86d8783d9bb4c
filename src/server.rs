//! The composition root: builds the parts in order, serves, and ends in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::auth::{Authority, Gate};
use crate::catalog::Catalog;
use crate::config::{AuthMode, ServeArgs};
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::hrana::Streams;
use crate::http::App;
use crate::limits;
use crate::listener;
use crate::names::{Names, Reach};
use crate::namespace::{Namespaces, Seeds};
use crate::router;
use crate::sqlite::Engine;
use crate::tls;

/// A server that is running.
pub struct Server {
    address: SocketAddr,
    names: Names,
    is_open: bool,
    is_https: bool,
    data_dir: DataDir,
    stop: watch::Sender<bool>,
    listening: JoinHandle<()>,
    sweeping: JoinHandle<()>,
    renewing: Option<JoinHandle<()>>,
    sockets: Arc<Semaphore>,
}

impl Server {
    /// Opens everything and starts to serve. When this returns the port is open.
    pub async fn start(config: &ServeArgs) -> Result<Self> {
        let data_dir = DataDir::open(&config.data_dir)?;
        let api_token = data_dir.api_token()?;
        let authority = Arc::new(Authority::new(&data_dir.signing_key()?)?);
        let connections = connections(raise_file_limit());
        let (threads, write_wait) = (config.threads(), config.write_wait);
        let engine = Engine::new(threads, connections, write_wait, config.statement_timeout);
        let catalog = Arc::new(Catalog::open(data_dir.path())?);
        let namespaces = Namespaces::open(
            data_dir.path(),
            Arc::clone(&catalog),
            Arc::new(engine),
            config.retention,
        )?;
        let namespaces = Arc::new(namespaces);
        let seeds = Arc::new(Seeds::open(data_dir.path())?);
        let streams = Arc::new(Streams::new(config.transaction_idle));

        let names = Names {
            organization: config.org.clone(),
            domain: config.domain.clone(),
            api_host: config.api_host.clone(),
        };
        let tls = tls::open(config, data_dir.path(), &names, config.listen.ip())?;
        let (listener, address) = bind(config.listen).await?;
        let (stop, stopped) = watch::channel(false);
        let sweeping = tokio::spawn(sweep(
            Arc::clone(&namespaces),
            Arc::clone(&seeds),
            Arc::clone(&streams),
            stopped.clone(),
        ));
        let (tls, renewal) = tls.unzip();
        let renewing = renewal.map(|renewal| tokio::spawn(renewal.run(stopped.clone())));
        let is_open = address.ip().is_loopback() && config.auth == AuthMode::Default;
        let gate = Gate::new(api_token, Arc::clone(&authority), is_open);
        let sockets = Arc::new(Semaphore::new(limits::SOCKETS_MAX));
        let app = Arc::new(App {
            catalog,
            namespaces,
            seeds,
            streams,
            gate: Arc::new(gate),
            authority,
            sockets: Arc::clone(&sockets),
            stopped: stopped.clone(),
            address,
            names: names.clone(),
            trusted_proxies: config.trusted_proxy.clone(),
        });
        let is_https = tls.is_some();
        let listening = tokio::spawn(listener::serve(listener, tls, router::service(app), stopped));
        Ok(Server {
            address,
            names,
            is_open,
            is_https,
            data_dir,
            stop,
            listening,
            sweeping,
            renewing,
            sockets,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    pub fn api_token_path(&self) -> PathBuf {
        self.data_dir.api_token_path()
    }

    /// Whether programs of this machine may use the databases without a token.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether there is TLS on the port.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Where a database is reached, without the scheme, by those who reach the server at its address.
    pub fn hostname(&self, database: &str) -> String {
        let authority = self.address.to_string();
        self.names.hostname(database, &Reach { is_https: self.is_https, authority })
    }

    /// Stops to accept, lets running requests end within a bound, and closes the databases.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = tokio::join!(self.listening, self.sweeping);
        if let Some(renewing) = self.renewing {
            let _ = renewing.await;
        }
        // WebSockets have left the listener; when each has given its place back, all are closed.
        let all = u32::try_from(limits::SOCKETS_MAX).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(limits::DRAIN, self.sockets.acquire_many(all)).await;
    }
}

/// Opens the port, and learns which one it is.
async fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Error::internal(format!("listen on {listen} (choose another address with --listen)"), error)
    })?;
    let address =
        listener.local_addr().map_err(|error| Error::internal("learn the port", error))?;
    Ok((listener, address))
}

/// Ends what has been idle for too long, again and again.
async fn sweep(
    namespaces: Arc<Namespaces>,
    seeds: Arc<Seeds>,
    streams: Arc<Streams>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut tick = tokio::time::interval(limits::SWEEP_INTERVAL);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        streams.sweep(Instant::now());
        seeds.sweep(Instant::now());
        namespaces.sweep(limits::IDLE_CONNECTION);
        if let Err(error) = namespaces.refresh_if_changed() {
            tracing::error!("{error}");
        }
    }
}

/// Connections that fit into the limit of open files, with room for sockets.
fn connections(files: u64) -> usize {
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    (files / limits::FILES_PER_CONNECTION / 2).clamp(1, limits::CONNECTIONS_MAX)
}

/// Raises the limit of open files to what the system allows, and returns it: the usual default of 1,024 is for
/// programs that use `select`.
fn raise_file_limit() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    let raised = setrlimit(Resource::Nofile, limit).is_ok();
    let current = if raised { limit.maximum } else { before };
    current.unwrap_or(u64::MAX)
}
