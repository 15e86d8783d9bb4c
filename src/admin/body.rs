//! Bodies and failures as sqld has them.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind};
use crate::http::wire::WholeBody;

/// A failure, with the status that sqld gives it.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Error,
    status: Option<StatusCode>,
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::DatabaseExists => Some(StatusCode::BAD_REQUEST),
            _ => None,
        };
        Failure { error, status }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.error.into_response();
        if let Some(status) = self.status {
            *response.status_mut() = status;
        }
        response
    }
}

fn refuse(status: StatusCode, message: String) -> Failure {
    Failure { error: Error::bad_request(message), status: Some(status) }
}

/// The fields of a request. Those that `T` does not have are passed over.
pub(crate) struct Fields<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Fields<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        if !is_json(request.headers()) {
            let message = "the request needs the header `content-type: application/json`";
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message.to_owned()));
        }
        let WholeBody(body) = WholeBody::from_request(request, state).await?;
        let json = &mut serde_json::Deserializer::from_slice(&body);
        serde_path_to_error::deserialize(json).map(Fields).map_err(|error| {
            let place = error.path().to_string();
            let why = error.into_inner();
            let status = match why.classify() {
                serde_json::error::Category::Data => StatusCode::UNPROCESSABLE_ENTITY,
                _ => StatusCode::BAD_REQUEST,
            };
            let message = match place.as_str() {
                "." => format!("the request body could not be read: {why}"),
                field => format!("the field `{field}` could not be read: {why}"),
            };
            refuse(status, message)
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
        || media_type.to_ascii_lowercase().ends_with("+json")
}
