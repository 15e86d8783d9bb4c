//! The accept loop: sockets in, requests to the service; HTTP/1.1 and HTTP/2 on the same port, with TLS and without.

mod silence;
mod socket;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::Service;

use self::silence::Activity;
use self::socket::{ClientSocket, Stream};
use crate::http::allowance::Allowance;
use crate::http::arrival::Peer;
use crate::limits;
use crate::tls::{Socket, Tls};

/// What all connections of the listener share.
pub struct Shared {
    pub tls: Option<Tls>,
    /// One for each connection.
    pub places: Arc<Semaphore>,
    /// How long a client may ask for nothing, and take nothing of what is sent to it.
    pub patience: Duration,
}

/// Serves until `stopped` changes; then lets running requests end within [`limits::DRAIN`].
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    shared: Shared,
    mut stopped: watch::Receiver<bool>,
) where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let lingering = Arc::new(Semaphore::new(limits::LINGERING_MAX));
    let server = Http { builder: builder(), service, patience: shared.patience, lingering };
    let graceful = GracefulShutdown::new();
    loop {
        let place = Arc::clone(&shared.places).acquire_owned();
        let accepted = tokio::select! {
            accepted = async { (place.await, listener.accept().await) } => accepted,
            _ = stopped.changed() => break,
        };
        let (Ok(place), Ok((socket, peer))) = accepted else {
            // Out of file descriptors, most likely: leave the others time to free some.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Answers are written whole; waiting for more would only delay them.
        let _ = socket.set_nodelay(true);
        let (server, tls, watcher) = (server.clone(), shared.tls.clone(), graceful.watcher());
        let stopped = stopped.clone();
        tokio::spawn(async move {
            let address = peer.ip().to_canonical();
            let peer = |is_https| Peer { address, is_https, allowance: Allowance::default() };
            match accept(tls, socket, address, stopped).await {
                Some(Socket::Plain(socket)) => {
                    server.serve(socket, peer(false), watcher).await;
                }
                Some(Socket::Secure(socket)) => {
                    server.serve(socket, peer(true), watcher).await;
                }
                None => {}
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits::DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests had not ended after {} s", limits::DRAIN.as_secs());
    }
}

/// The socket, with TLS if there is TLS and the client wants it. None if the two cannot agree.
async fn accept(
    tls: Option<Tls>,
    socket: TcpStream,
    client: IpAddr,
    mut stopped: watch::Receiver<bool>,
) -> Option<Socket> {
    let Some(tls) = tls else { return Some(Socket::Plain(socket)) };
    let accepted = tokio::select! {
        accepted = tls.accept(socket) => accepted,
        _ = stopped.wait_for(|stopped| *stopped) => return None,
    };
    // Most often a client that does not trust the certificate.
    accepted.inspect_err(|error| tracing::debug!(%client, "no TLS: {error}")).ok()
}

/// Speaks HTTP on sockets.
#[derive(Clone)]
struct Http<S> {
    builder: Builder<TokioExecutor>,
    service: S,
    patience: Duration,
    lingering: Arc<Semaphore>,
}

impl<S> Http<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    async fn serve(self, socket: impl Stream, peer: Peer, watcher: Watcher) {
        let allowance = peer.allowance.clone();
        let activity = Arc::new(Activity::default());
        let (service, asked) = (self.service, Arc::clone(&activity));
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            let running = asked.begin();
            // It is ready at any time.
            let response = service.clone().call(request);
            async move { response.await.map(|response| response.map(|body| running.answer(body))) }
        });
        let sent = Arc::clone(&activity);
        let socket = ClientSocket::new(socket, self.patience, sent, allowance, self.lingering);
        let connection = self.builder.serve_connection_with_upgrades(TokioIo::new(socket), service);
        tokio::select! {
            biased;
            // A client that speaks badly or goes away is its own affair.
            _ = watcher.watch(connection.into_owned()) => {}
            () = activity.silence(self.patience) => {}
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // `silence` sees to it.
    builder.http1().header_read_timeout(None);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits::HTTP2_KEEP_ALIVE)
        .max_concurrent_streams(limits::HTTP2_STREAMS_MAX);
    builder
}
