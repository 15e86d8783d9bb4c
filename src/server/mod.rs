//! The composition root: builds the parts in order, serves, and ends in order.

mod upkeep;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::admin;
use crate::auth::{Authority, Gate};
use crate::catalog::Catalog;
use crate::config::{AuthMode, ServeArgs};
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::hrana::Streams;
use crate::http::App;
use crate::keys::Keys;
use crate::limits;
use crate::listener;
use crate::migration::Migrator;
use crate::names::{Names, Reach};
use crate::namespace::{Namespaces, Seeds};
use crate::router;
use crate::sqlite::{Engine, block};
use crate::tls::{self, Tls};

/// A server that is running.
pub struct Server {
    address: SocketAddr,
    names: Names,
    is_open: bool,
    is_https: bool,
    data_dir: DataDir,
    namespaces: Arc<Namespaces>,
    migrator: Arc<Migrator>,
    stop: watch::Sender<bool>,
    listening: JoinHandle<()>,
    admin: Option<Admin>,
    upkeep: [JoinHandle<()>; 4],
    renewing: Option<JoinHandle<()>>,
    engine: Arc<Engine>,
    streams: Arc<Streams>,
    /// One for each connection of the listener.
    places: Arc<Semaphore>,
    /// One for each WebSocket.
    sockets: Arc<Semaphore>,
}

/// The admin API's port.
struct Admin {
    address: SocketAddr,
    listening: JoinHandle<()>,
}

/// What clients make the server hold at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InUse {
    /// Connections that speak HTTP.
    pub connections: usize,
    pub web_sockets: usize,
    /// Streams of Hrana over HTTP with which a request works, or that hold a database connection.
    pub streams: usize,
    /// Statements that run.
    pub statements: usize,
}

impl Server {
    /// Opens everything and starts to serve. When this returns the port is open.
    pub async fn start(config: &ServeArgs) -> Result<Self> {
        admin::check(config)?;
        let data_dir = DataDir::open(&config.data_dir)?;
        let api_token = data_dir.api_token()?;
        let authority = Arc::new(Authority::new(&data_dir.signing_key()?)?);
        let engine = engine(config);
        let catalog = Arc::new(Catalog::open(data_dir.path())?);
        let namespaces = Arc::new(namespaces(config, data_dir.path(), &catalog, &engine)?);
        let keys = Keys::open(&config.auth_key, Arc::clone(&authority), Arc::clone(&catalog))?;
        let keys = Arc::new(keys);
        let seeds = Arc::new(Seeds::open(data_dir.path())?);
        let streams = Arc::new(Streams::new(config.transaction_idle));

        let names = names(config);
        let tls = tls::open(config, data_dir.path(), &names, config.listen.ip())?;
        let (listener, address) = bind(config.listen, "--listen").await?;
        let (stop, stopped) = watch::channel(false);
        let migrator =
            Migrator::start(Arc::clone(&catalog), Arc::clone(&namespaces), stopped.clone())?;
        let migrator = Arc::new(migrator);
        // Before anybody can write what a migration has locked.
        migrator.resume().await?;
        let (tls, renewal) = tls.unzip();
        let renewing = renewal.map(|renewal| tokio::spawn(renewal.run(stopped.clone())));
        let is_open = address.ip().is_loopback() && config.auth == AuthMode::Default;
        let gate = Gate::new(api_token, Arc::clone(&authority), is_open);
        let sockets = Arc::new(Semaphore::new(limits::SOCKETS_MAX));
        let app = Arc::new(App {
            catalog,
            namespaces: Arc::clone(&namespaces),
            migrator: Arc::clone(&migrator),
            seeds,
            streams: Arc::clone(&streams),
            gate: Arc::new(gate),
            authority,
            keys,
            sockets: Arc::clone(&sockets),
            client_silence: config.client_silence,
            stopped: stopped.clone(),
            address,
            names: names.clone(),
            trusted_proxies: config.trusted_proxy.clone(),
        });
        let is_https = tls.is_some();
        let admin = open_admin(config, &app, tls.clone(), &stopped).await?;
        let upkeep = upkeep::start(&app, &stopped);
        let places = Arc::new(Semaphore::new(limits::SOCKETS_MAX));
        let shared =
            listener::Shared { tls, places: Arc::clone(&places), patience: config.client_silence };
        let service = router::service(app);
        let listening = tokio::spawn(listener::serve(listener, service, shared, stopped));
        Ok(Server {
            address,
            names,
            is_open,
            is_https,
            data_dir,
            namespaces,
            migrator,
            engine,
            streams,
            stop,
            listening,
            admin,
            upkeep,
            renewing,
            places,
            sockets,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin API is, if there is one.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
    }

    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    pub fn api_token_path(&self) -> PathBuf {
        self.data_dir.api_token_path()
    }

    /// What clients make the server hold; nothing, when there are none.
    pub fn in_use(&self) -> InUse {
        // The listener has a place ready for whoever comes next.
        let taken = limits::SOCKETS_MAX - self.places.available_permits();
        InUse {
            connections: taken.saturating_sub(1),
            web_sockets: limits::SOCKETS_MAX - self.sockets.available_permits(),
            streams: self.streams.in_use(),
            statements: self.engine.statements(),
        }
    }

    /// Whether programs of this machine may use the databases without a token.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether there is TLS on the port.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Where a database is reached, without the scheme, by those who reach the server at `address`.
    pub fn hostname(&self, database: &str, address: SocketAddr) -> String {
        let authority = address.to_string();
        self.names.hostname(database, &Reach { is_https: self.is_https, authority })
    }

    /// Stops to accept, lets running requests end within a bound, and closes the databases.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let admin = self.admin.map(|admin| admin.listening);
        let others = [admin, self.renewing].into_iter().flatten();
        for task in [self.listening].into_iter().chain(self.upkeep).chain(others) {
            let _ = task.await;
        }
        // WebSockets have left the listener; when each has given its place back, all are closed.
        let all = u32::try_from(limits::SOCKETS_MAX).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(limits::DRAIN, self.sockets.acquire_many(all)).await;
        self.migrator.rest().await;
        if let Err(error) = block(|| self.namespaces.save_usage()) {
            tracing::error!("{error}");
        }
    }
}

fn engine(config: &ServeArgs) -> Arc<Engine> {
    let connections = connections(raise_file_limit());
    let (threads, write_wait) = (config.threads(), config.write_wait);
    let migrations = usize::from(config.migration_workers);
    Arc::new(Engine::new(threads, connections, migrations, write_wait, config.statement_timeout))
}

fn namespaces(
    config: &ServeArgs,
    data_dir: &Path,
    catalog: &Arc<Catalog>,
    engine: &Arc<Engine>,
) -> Result<Namespaces> {
    let (catalog, engine) = (Arc::clone(catalog), Arc::clone(engine));
    let namespaces = Namespaces::open(data_dir, catalog, engine, config.retention)?;
    namespaces.remove_unfinished()?;
    namespaces.remove_lost_spares()?;
    Ok(namespaces)
}

fn names(config: &ServeArgs) -> Names {
    Names {
        organization: config.org.clone(),
        domain: config.domain.clone(),
        api_host: config.api_host.clone(),
    }
}

/// Opens the port, and learns which one it is.
async fn bind(listen: SocketAddr, flag: &str) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Error::internal(format!("listen on {listen} (choose another address with {flag})"), error)
    })?;
    let address =
        listener.local_addr().map_err(|error| Error::internal("learn the port", error))?;
    Ok((listener, address))
}

/// Opens the port of the admin API, if there is to be one.
async fn open_admin(
    config: &ServeArgs,
    app: &Arc<App>,
    tls: Option<Tls>,
    stopped: &watch::Receiver<bool>,
) -> Result<Option<Admin>> {
    let Some(listen) = config.admin_listen else { return Ok(None) };
    let (listener, address) = bind(listen, "--admin-listen").await?;
    let places = Arc::new(Semaphore::new(limits::ADMIN_SOCKETS_MAX));
    let shared = listener::Shared { tls, places, patience: config.client_silence };
    let service = admin::service(Arc::clone(app), config.admin_auth_key.clone());
    let listening = tokio::spawn(listener::serve(listener, service, shared, stopped.clone()));
    Ok(Some(Admin { address, listening }))
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
