//! Bodies: reading them up to a bound, and turning them into structures and back.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hrana_protocol::{Encoding, Version, json, protobuf};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// The dialect of an endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    pub(crate) version: Version,
    pub(crate) encoding: Encoding,
}

impl Protocol {
    pub(crate) const HRANA_2: Protocol =
        Protocol { version: Version::Hrana2, encoding: Encoding::Json };
    pub(crate) const HRANA_3: Protocol =
        Protocol { version: Version::Hrana3, encoding: Encoding::Json };
    pub(crate) const HRANA_3_PROTOBUF: Protocol =
        Protocol { version: Version::Hrana3, encoding: Encoding::Protobuf };

    /// Decodes a body, whatever its content type says.
    pub(crate) fn decode<T: DeserializeOwned + protobuf::Message>(self, body: &[u8]) -> Result<T> {
        Ok(self.encoding.decode(body)?)
    }

    pub(crate) fn encode<T: Serialize + protobuf::Encode>(self, message: &T) -> Bytes {
        let mut body = Vec::with_capacity(512);
        self.encoding.encode(message, &mut body);
        body.into()
    }

    pub(crate) fn response(self, body: Bytes) -> Response {
        ([(header::CONTENT_TYPE, self.encoding.media_type())], body).into_response()
    }
}

/// The whole body of a request.
pub(crate) struct WholeBody(pub(crate) Bytes);

impl<S: Sync> FromRequest<S> for WholeBody {
    type Rejection = Error;

    async fn from_request(request: Request, _state: &S) -> Result<Self> {
        read(request.into_body(), limits::BODY_BYTES_MAX).await.map(WholeBody)
    }
}

async fn read(body: Body, limit: usize) -> Result<Bytes> {
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        if is_length_limit(&error) {
            let mebibytes = limit / limits::MIB;
            let message = format!("the request body is larger than {mebibytes} MiB; split it");
            Error::new(ErrorKind::BodyTooLarge, message)
        } else {
            Error::bad_request(format!("the request body could not be read: {error}"))
        }
    })
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A JSON answer of the platform API and of the other endpoints that speak only JSON.
pub(crate) fn json_response<T: Serialize>(value: &T) -> Response {
    let mut body = Vec::with_capacity(256);
    json::encode(value, &mut body);
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
