//! Compressing answers for those who can read it.

use std::convert::Infallible;
use std::future::ready;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use crate::http::export;
use crate::limits;

/// Whether an answer is so large, or may become so, and of such a kind that it should go through [`compress`]. Most are
/// not, and the way through costs as much as a point read does.
pub(super) fn is_worthwhile(response: &Response) -> bool {
    rule().should_compress(response)
}

fn rule() -> impl Predicate {
    SizeAbove::new(limits::COMPRESSED_BYTES_MIN)
        .and(NotForContentType::const_new(export::SQLITE_FILE))
}

/// Compresses an answer to a request that accepts these encodings.
pub(super) async fn compress(response: Response, encodings: HeaderValue) -> Response {
    let layer = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(rule());
    let mut response = Some(response);
    let answered = service_fn(move |_: Request| {
        ready(Ok::<_, Infallible>(response.take().unwrap_or_default()))
    });
    let mut request = Request::new(Body::empty());
    request.headers_mut().insert(header::ACCEPT_ENCODING, encodings);
    match layer.layer(answered).oneshot(request).await {
        Ok(response) => response.map(Body::new).into_response(),
        Err(never) => match never {},
    }
}
