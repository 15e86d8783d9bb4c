//! TLS: which certificate the server shows, and its renewal while the server runs.

mod authority;
mod files;

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;

use crate::config::ServeArgs;
use crate::error::{Error, Result};
use crate::limits;
use crate::names::Names;
use authority::{Authority, Issued};
use files::Files;

/// Makes TLS of sockets.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
}

/// A socket after it was seen what its client speaks.
pub enum Socket {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// Keeps the certificate valid.
pub struct Renewal {
    source: Source,
    shown: Arc<Shown>,
}

enum Source {
    Files(Files),
    Authority(Box<Issued>),
}

/// The certificate that clients are shown now.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// TLS as the flags have it, if they do. `listen` is the address that certificates of our own are for.
pub fn open(
    config: &ServeArgs,
    data_dir: &Path,
    names: &Names,
    listen: IpAddr,
) -> Result<Option<(Tls, Renewal)>> {
    let now = SystemTime::now();
    let (source, certificate) = if let Some((certificate, key)) =
        config.tls_cert.as_ref().zip(config.tls_key.as_ref())
    {
        let (files, certificate) = Files::open(certificate, key)?;
        (Source::Files(files), certificate)
    } else if config.tls.is_some() {
        let authority = Authority::open(&authority_dir(data_dir))?;
        let (issued, certificate) = Issued::new(authority, names_to_certify(names, listen), now)?;
        (Source::Authority(Box::new(issued)), certificate)
    } else {
        return Ok(None);
    };
    let shown = Arc::new(Shown(RwLock::new(Arc::new(certificate))));
    let provider = Arc::new(ring::default_provider());
    let server =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut server = server
        .map_err(|error| Error::internal("set TLS up", error))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Clients that come back are spared the signature.
    server.ticketer = ring::Ticketer::new()
        .map_err(|error| Error::internal("make keys for TLS tickets", error))?;
    let tls = Tls { acceptor: TlsAcceptor::from(Arc::new(server)) };
    Ok(Some((tls, Renewal { source, shown })))
}

/// The certificate that clients have to trust where the server's is from its own authority.
pub fn authority_certificate(data_dir: &Path) -> PathBuf {
    authority_dir(data_dir).join(authority::CERTIFICATE)
}

fn authority_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("tls")
}

/// Everything that a client may call this server.
fn names_to_certify(names: &Names, listen: IpAddr) -> Vec<String> {
    let mut all: Vec<_> =
        ["localhost", "*.localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    if !listen.is_unspecified() {
        all.push(listen.to_canonical().to_string());
    }
    if let Some(domain) = &names.domain {
        all.extend([domain.clone(), format!("*.{domain}")]);
    }
    all.extend(names.api_host.clone());
    all.sort();
    all.dedup();
    all
}

impl Tls {
    /// Learns from the first byte whether the client wants TLS, and then agrees on keys with it.
    pub async fn accept(&self, socket: TcpStream) -> io::Result<Socket> {
        let accept = async {
            let mut first = [0];
            match socket.peek(&mut first).await? {
                1 if first[0] == HANDSHAKE => {
                    let secure = self.acceptor.accept(socket).await?;
                    Ok(Socket::Secure(Box::new(secure)))
                }
                _ => Ok(Socket::Plain(socket)),
            }
        };
        tokio::time::timeout(limits::TLS_HANDSHAKE, accept).await?
    }
}

/// The content type of a TLS record that begins a handshake (RFC 8446, 5.1); no request begins with it.
const HANDSHAKE: u8 = 22;

impl Renewal {
    /// Shows new certificates as they come, until `stopped` changes.
    pub async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(limits::TLS_RENEWAL);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = stopped.changed() => return,
            }
            let renewed = match &mut self.source {
                Source::Files(files) => files.renewed(),
                Source::Authority(issued) => issued.renewed(SystemTime::now()),
            };
            match renewed {
                Ok(Some(certificate)) => {
                    let mut shown = self.shown.0.write().unwrap_or_else(PoisonError::into_inner);
                    *shown = Arc::new(certificate);
                    tracing::info!("TLS has a new certificate");
                }
                Ok(None) => {}
                Err(error) => tracing::warn!("TLS stays with the certificate it has: {error}"),
            }
        }
    }
}
