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
use crate::config::ServeArgs;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::hrana::Streams;
use crate::http::App;
use crate::limits;
use crate::listener;
use crate::namespace::Namespaces;
use crate::router;
use crate::sqlite::Engine;

/// A server that is running.
pub struct Server {
    address: SocketAddr,
    data_dir: DataDir,
    stop: watch::Sender<bool>,
    listening: JoinHandle<()>,
    sweeping: JoinHandle<()>,
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
        let streams = Arc::new(Streams::new(config.transaction_idle));

        let listener = TcpListener::bind(config.listen).await.map_err(|error| {
            Error::internal(
                format!("listen on {} (choose another address with --listen)", config.listen),
                error,
            )
        })?;
        let address =
            listener.local_addr().map_err(|error| Error::internal("learn the port", error))?;
        let (stop, stopped) = watch::channel(false);
        let sweeping =
            tokio::spawn(sweep(Arc::clone(&namespaces), Arc::clone(&streams), stopped.clone()));
        let gate = Gate::new(api_token, Arc::clone(&authority), address.ip().is_loopback());
        let sockets = Arc::new(Semaphore::new(limits::SOCKETS_MAX));
        let app = Arc::new(App {
            catalog,
            namespaces,
            streams,
            gate: Arc::new(gate),
            authority,
            sockets: Arc::clone(&sockets),
            stopped: stopped.clone(),
            address,
        });
        let listening = tokio::spawn(listener::serve(listener, router::service(app), stopped));
        Ok(Server { address, data_dir, stop, listening, sweeping, sockets })
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

    /// Whether everybody who reaches the port may use the databases.
    pub fn is_open(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// Stops to accept, lets running requests end within a bound, and closes the databases.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = tokio::join!(self.listening, self.sweeping);
        // WebSockets have left the listener; when each has given its place back, all are closed.
        let all = u32::try_from(limits::SOCKETS_MAX).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(limits::DRAIN, self.sockets.acquire_many(all)).await;
    }
}

/// Ends what has been idle for too long, again and again.
async fn sweep(
    namespaces: Arc<Namespaces>,
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
