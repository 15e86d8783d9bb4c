//! The admin API of sqld, for tools that are written against it, on a port of its own.
//!
//! Success is 200, with an empty body where sqld has none; failure has `{"error": …}` with sqld's status. What sqld
//! cannot do is added: a list of all databases. A new database belongs to the group `default`.

mod body;
mod configuration;
mod namespaces;
mod params;
mod size;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use tower::{Service, ServiceExt as _, service_fn};

use crate::auth::is_secret;
use crate::config::{AuthMode, ServeArgs};
use crate::error::{Error, ErrorKind, Result};
use crate::http::App;
use crate::http::arrival::Arrival;
use crate::http::local::comes_from_here;

/// Every URL of the admin API.
fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(welcome))
        .route("/v1/namespaces", get(namespaces::list))
        .route("/v1/namespaces/{namespace}", axum::routing::delete(namespaces::delete))
        .route(
            "/v1/namespaces/{namespace}/config",
            get(configuration::show).post(configuration::replace),
        )
        .route("/v1/namespaces/{namespace}/create", post(namespaces::create))
        .route("/v1/namespaces/{namespace}/fork/{to}", post(namespaces::fork))
        .route("/v1/namespaces/{namespace}/checkpoint", post(namespaces::checkpoint))
        .route("/v1/diagnostics", get(namespaces::diagnostics))
        .route("/metrics", any(metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
}

/// Fails if the flags would let others in.
pub fn check(config: &ServeArgs) -> Result<()> {
    let Some(listen) = config.admin_listen.filter(|_| config.admin_auth_key.is_none()) else {
        return Ok(());
    };
    let who = if !listen.ip().is_loopback() {
        "other machines could reach it"
    } else if config.auth == AuthMode::Required {
        "with --auth required nobody gets in without one"
    } else {
        return Ok(());
    };
    Err(Error::bad_request(format!(
        "--admin-listen {listen} needs a key, as {who}: give one with --admin-auth-key KEY or the variable \
         HRANAD_ADMIN_AUTH_KEY, or listen on 127.0.0.1"
    )))
}

/// The service that answers requests. Without a `key` it is for programs and pages of this machine.
pub fn service(
    app: Arc<App>,
    key: Option<String>,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send {
    let router = routes().with_state(Arc::clone(&app));
    service_fn(move |request: Request| {
        let admitted = admit(&request, &app, key.as_deref());
        let router = router.clone();
        async move {
            match admitted {
                Ok(()) => router.oneshot(request).await,
                Err(error) => Ok(error.into_response()),
            }
        }
    })
}

fn admit(request: &Request, app: &App, key: Option<&str>) -> Result<()> {
    let Some(key) = key else {
        let arrival = Arrival::new(request.uri(), request.headers(), request.extensions(), app);
        if comes_from_here(&arrival, request.version()) {
            return Ok(());
        }
        return Err(Error::new(
            ErrorKind::Unauthorized,
            "Unauthorized: the admin API has no key, so only programs and pages of this machine get in, under \
             `localhost` or a loopback address; start the server with --admin-auth-key",
        ));
    };
    if given_key(request.headers()).is_some_and(|given| is_secret(given, key)) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unauthorized,
        "Unauthorized: the admin API needs the header `Authorization: basic KEY` with the key of \
         --admin-auth-key as it is",
    ))
}

/// The key as sqld expects it: not in base64, and without a user.
fn given_key(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(key.trim())
}

async fn welcome() -> &'static str {
    concat!("hranad ", env!("CARGO_PKG_VERSION"), ": the admin API\n")
}

async fn metrics() -> Error {
    Error::new(ErrorKind::NotFound, "there are no metrics here yet")
}

async fn not_found(request: Request) -> Error {
    let message = format!("there is nothing at {} {}", request.method(), request.uri().path());
    Error::new(ErrorKind::NotFound, message)
}

async fn method_not_allowed(request: Request) -> Error {
    let message = format!("{} is not possible at {}", request.method(), request.uri().path());
    Error::new(ErrorKind::MethodNotAllowed, message)
}
