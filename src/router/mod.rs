//! Every URL of the server, and what is done for all of them. Those of the platform API are in `platform`.

mod platform;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler as _;
use axum::http::{Method, header};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use tower::{Service, ServiceExt as _, service_fn};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::cors::{Any, CorsLayer};
use tracing::Level;

use crate::error::{Error, ErrorKind};
use crate::http::arrival::Arrival;
use crate::http::caller::Caller;
use crate::http::wire::{Protocol, WholeBody};
use crate::http::{
    App, cursor, dump, export, info, jobs, legacy, pipeline, target, upload, v1, ws,
};
use crate::limits;
use crate::platform::{account, login};

/// Every URL of the server. The data plane's exist also under `/db/{name}`: see `target::rewrite`.
fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(info::health))
        .route("/version", get(info::version))
        .route("/v1", get(info::protocol))
        .route("/v2", get(info::protocol))
        .route("/v3", get(info::protocol))
        .route("/v3-protobuf", get(info::protocol))
        .route("/", get(root).post(legacy::statements))
        .route("/v1/execute", post(v1::execute))
        .route("/v1/batch", post(v1::batch))
        .route("/v2/pipeline", post(pipeline_of(Protocol::HRANA_2)))
        .route("/v3/pipeline", post(pipeline_of(Protocol::HRANA_3)))
        .route("/v3/cursor", post(cursor_of(Protocol::HRANA_3)))
        .route("/v3-protobuf/pipeline", post(pipeline_of(Protocol::HRANA_3_PROTOBUF)))
        .route("/v3-protobuf/cursor", post(cursor_of(Protocol::HRANA_3_PROTOBUF)))
        .route("/v1/jobs", get(jobs::list))
        .route("/v1/jobs/{job}", get(jobs::show))
        .route("/v1/jobs/{job}/retry", post(jobs::retry))
        .route("/v1/jobs/{job}/resume", post(jobs::retry))
        .route("/v1/jobs/{job}/cancel", post(jobs::cancel))
        .route("/dump", get(dump::dump))
        .route("/v1/upload", post(upload::whole))
        .route("/v2/upload/start", put(upload::start))
        .route("/v2/upload/{upload}/chunk/{chunk}", put(upload::chunk))
        .route("/v2/upload/{upload}/finalize", put(upload::finalize))
        .route("/info", get(export::info))
        .route("/export/{generation}", get(export::export))
        .route("/sync/{generation}/{start}/{end}", get(export::frames))
        .merge(platform::routes())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
}

/// `GET /`: a WebSocket for clients, a page for the user of the CLI, and where the CLI looks for what is near.
async fn root(State(app): State<Arc<App>>, request: Request) -> Response {
    let arrival = Arrival::new(request.uri(), request.headers(), request.extensions(), &app);
    let asks_for_region = arrival.host().is_some_and(|host| app.names.is_region(host));
    if login::is_meant(&request) {
        login::page.call(request, app).await
    } else if asks_for_region && !request.headers().contains_key(header::UPGRADE) {
        account::nearest_location().await
    } else {
        ws::upgrade.call(request, app).await
    }
}

fn pipeline_of(protocol: Protocol) -> MethodRouter<Arc<App>> {
    post(move |State(app): State<Arc<App>>, caller: Caller, body: WholeBody| {
        pipeline::pipeline(protocol, app, caller, body)
    })
}

fn cursor_of(protocol: Protocol) -> MethodRouter<Arc<App>> {
    post(move |State(app): State<Arc<App>>, caller: Caller, body: WholeBody| {
        cursor::cursor(protocol, app, caller, body)
    })
}

/// The service that answers requests.
pub fn service(
    app: Arc<App>,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send {
    // A browser application may be anywhere; who may do what is decided by tokens, not by origins.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(Any)
        .allow_headers(Any)
        .expose_headers(Any)
        .max_age(limits::CORS_MAX_AGE);
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(
        SizeAbove::new(limits::COMPRESSED_BYTES_MIN)
            .and(NotForContentType::const_new(export::SQLITE_FILE)),
    );
    let plain = routes().with_state(Arc::clone(&app));
    let layered = plain.clone().layer(compression).layer(cors);
    service_fn(move |request: Request| {
        let request = target::rewrite(request);
        // The layers cost as much as a point read does, so they are there for those who ask.
        let router = if wants_layers(&request) { &layered } else { &plain };
        let asked = tracing::enabled!(Level::DEBUG).then(|| Asked::new(&request, &app));
        let answering = router.clone().oneshot(request);
        async move { answering.await.inspect(|response| Asked::log(asked, response)) }
    })
}

/// Whether a request comes from a browser, or can take a compressed answer.
fn wants_layers(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        || request.headers().contains_key(header::ORIGIN)
        || request.headers().contains_key(header::ACCEPT_ENCODING)
}

/// A request, for the log.
struct Asked {
    client: Option<IpAddr>,
    host: String,
    method: Method,
    path: String,
    at: Instant,
}

impl Asked {
    /// The query is left out: some clients send their token in it.
    fn new(request: &Request, app: &App) -> Self {
        let arrival = Arrival::new(request.uri(), request.headers(), request.extensions(), app);
        Asked {
            client: arrival.client(),
            host: arrival.host().unwrap_or_default().to_owned(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            at: Instant::now(),
        }
    }

    fn log(asked: Option<Self>, response: &Response) {
        let Some(Asked { client, host, method, path, at }) = asked else { return };
        let client = client.map(tracing::field::display);
        let (status, took) = (response.status().as_u16(), at.elapsed());
        tracing::debug!(client, host, %method, path, status, ?took, "answered");
    }
}

async fn not_found(request: Request) -> Error {
    target::missing_slash(request.extensions()).unwrap_or_else(|| {
        let path = request.uri().path();
        // Where @tursodatabase/api resolves its URLs against a base without a version.
        let hint = match path.starts_with("/organizations/") {
            true => "; the base URL of the platform API has to end in /v1/",
            false => "",
        };
        let message = format!("there is nothing at {} {path}{hint}", request.method());
        Error::new(ErrorKind::NotFound, message)
    })
}

async fn method_not_allowed(request: Request) -> Error {
    target::missing_slash(request.extensions()).unwrap_or_else(|| {
        let message = format!("{} is not possible at {}", request.method(), request.uri().path());
        Error::new(ErrorKind::MethodNotAllowed, message)
    })
}
