//! Failures that end an HTTP request.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// All names under which clients look for the message: `error` is read by the Go client, the CLI and the
/// platform SDK, `message` and `code` by the JavaScript, Python and Rust clients.
#[derive(Serialize)]
struct FailureBody<'a> {
    error: &'a str,
    message: &'a str,
    code: &'a str,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind().http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::error!(kind = ?self.kind(), "{self}");
        }
        let message = self.message();
        let body = FailureBody { error: message, message, code: self.kind().code() };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        // Exactly this media type: the JavaScript client compares the whole header.
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        match self.kind() {
            ErrorKind::Unauthorized => {
                let scheme = header::HeaderValue::from_static("Bearer");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            }
            ErrorKind::Overloaded => {
                let seconds = header::HeaderValue::from_static("1");
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
            }
            _ => {}
        }
        response
    }
}
