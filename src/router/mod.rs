//! Every URL of the server, and what is done for all of them. Those of the platform API are in `platform`.

mod compression;
mod platform;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::handler::Handler as _;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use futures_util::FutureExt as _;
use tower::{Service, ServiceExt as _, service_fn};
use tower_http::cors::{Any, CorsLayer};
use tracing::Level;

use crate::error::{Error, ErrorKind, Result};
use crate::http::arrival::Arrival;
use crate::http::caller::Caller;
use crate::http::wire::{Protocol, WholeBody};
use crate::http::{
    App, cursor, dump, export, info, jobs, legacy, pipeline, target, upload, v1, ws,
};
use crate::limits;
use crate::platform::{account, login};

/// The pipeline endpoints.
const PIPELINES: [(&str, Protocol); 3] = [
    ("/v2/pipeline", Protocol::HRANA_2),
    ("/v3/pipeline", Protocol::HRANA_3),
    ("/v3-protobuf/pipeline", Protocol::HRANA_3_PROTOBUF),
];

/// Every URL of the server. The data plane's exist also under `/db/{name}`: see `target::rewrite`.
fn routes() -> Router<Arc<App>> {
    let pipelines = PIPELINES.into_iter().fold(Router::new(), |routes, (path, protocol)| {
        routes.route(path, post(pipeline_of(protocol)))
    });
    pipelines
        .route("/health", get(info::health))
        .route("/version", get(info::version))
        .route("/v1", get(info::protocol))
        .route("/v2", get(info::protocol))
        .route("/v3", get(info::protocol))
        .route("/v3-protobuf", get(info::protocol))
        .route("/", get(root).post(legacy::statements))
        .route("/v1/execute", post(v1::execute))
        .route("/v1/batch", post(v1::batch))
        .route("/v3/cursor", post(cursor_of(Protocol::HRANA_3)))
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
    let routes = routes().with_state(Arc::clone(&app));
    let for_browsers = routes.clone().layer(cors);
    let answers = Arc::new(Answers { app, routes, for_browsers });
    // Boxes are for what is large, and would be moved more than once.
    service_fn(move |request: Request| Box::pin(Arc::clone(&answers).answer(request)))
}

/// All there is to answer with.
struct Answers {
    app: Arc<App>,
    routes: Router,
    for_browsers: Router,
}

impl Answers {
    async fn answer(self: Arc<Self>, request: Request) -> Result<Response, Infallible> {
        let request = target::rewrite(request);
        let asked = tracing::enabled!(Level::DEBUG).then(|| Asked::new(&request, &self.app));
        let encodings = request.headers().get(header::ACCEPT_ENCODING).cloned();
        let response = match pipeline_at(&request) {
            // The way through the router costs as much as a point read, so the requests that come most often do not
            // take it.
            Some(protocol) => self.pipeline(protocol, request).await,
            None => Box::pin(self.route(request)).await,
        };
        let response = match encodings {
            Some(encodings) if compression::is_worthwhile(&response) => {
                Box::pin(compression::compress(response, encodings)).await
            }
            _ => response,
        };
        Asked::log(asked, &response);
        Ok(response)
    }

    async fn route(&self, request: Request) -> Response {
        let routes = if is_from_browser(&request) { &self.for_browsers } else { &self.routes };
        routes.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
    }

    fn pipeline(&self, protocol: Protocol, request: Request) -> impl Future<Output = Response> {
        let (parts, body) = request.into_parts();
        let caller = Caller::of(&parts, &self.app);
        respond(protocol, Arc::clone(&self.app), caller, body).map(IntoResponse::into_response)
    }
}

async fn respond(
    protocol: Protocol,
    app: Arc<App>,
    caller: Result<Caller>,
    body: Body,
) -> Result<Response> {
    pipeline::pipeline(protocol, app, caller?, WholeBody::read(body).await?).await
}

/// What the pipeline endpoint that a request is for speaks. Those of browsers need more than an answer.
fn pipeline_at(request: &Request) -> Option<Protocol> {
    let path = Some(request.uri().path())
        .filter(|_| request.method() == Method::POST && !is_from_browser(request))?;
    PIPELINES.into_iter().find(|(pipeline, _)| *pipeline == path).map(|(_, protocol)| protocol)
}

/// Whether a request comes from a browser, which asks for leave to show a page of elsewhere what it is answered.
fn is_from_browser(request: &Request) -> bool {
    request.method() == Method::OPTIONS || request.headers().contains_key(header::ORIGIN)
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
