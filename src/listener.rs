//! The accept loop: sockets in, requests to the service; HTTP/1.1 and HTTP/2 on the same port.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower::{Service, ServiceExt as _};

use crate::limits;

/// Serves until `stopped` changes; then lets running requests end within [`limits::DRAIN`].
pub async fn serve<S>(listener: TcpListener, service: S, mut stopped: watch::Receiver<bool>)
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let builder = builder();
    let places = Arc::new(Semaphore::new(limits::SOCKETS_MAX));
    let graceful = GracefulShutdown::new();
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let accepted = tokio::select! {
            accepted = async { (place.await, listener.accept().await) } => accepted,
            _ = stopped.changed() => break,
        };
        let (Ok(place), Ok((socket, _))) = accepted else {
            // Out of file descriptors, most likely: leave the others time to free some.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Answers are written whole; waiting for more would only delay them.
        let _ = socket.set_nodelay(true);
        let service =
            service.clone().map_request(|request: Request<Incoming>| request.map(Body::new));
        let service = TowerToHyperService::new(service);
        let connection =
            builder.serve_connection_with_upgrades(TokioIo::new(socket), service).into_owned();
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that speaks badly or goes away is its own affair.
            let _ = watched.await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits::DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests had not ended after {} s", limits::DRAIN.as_secs());
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits::HEADER_READ);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits::HTTP2_KEEP_ALIVE)
        .max_concurrent_streams(limits::HTTP2_STREAMS_MAX);
    builder
}
