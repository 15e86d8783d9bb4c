//! Bodies: reading them up to a bound, and turning them into structures and back.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hrana_protocol::{Encoding, Version, json, protobuf};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::sqlite::block;

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
        let decode = || self.encoding.decode(body);
        Ok(if body.len() > limits::CODEC_BYTES_QUICK { block(decode)? } else { decode()? })
    }

    /// Encodes a body. `size` is about how much is in it.
    pub(crate) fn encode<T: Serialize + protobuf::Encode>(self, message: &T, size: usize) -> Bytes {
        let mut body = Vec::with_capacity(512 + size);
        let mut encode = || self.encoding.encode(message, &mut body);
        if size > limits::CODEC_BYTES_QUICK {
            block(encode)
        } else {
            encode()
        }
        body.into()
    }

    pub(crate) fn response(self, body: Bytes) -> Response {
        let mut response = Response::new(Body::from(body));
        let media_type = HeaderValue::from_static(self.encoding.media_type());
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
        response
    }
}

/// The whole body of a request.
pub(crate) struct WholeBody(pub(crate) Bytes);

impl<S: Sync> FromRequest<S> for WholeBody {
    type Rejection = Error;

    async fn from_request(request: Request, _state: &S) -> Result<Self> {
        WholeBody::read(request.into_body()).await
    }
}

impl WholeBody {
    pub(crate) async fn read(body: Body) -> Result<Self> {
        read(body, limits::BODY_BYTES_MAX).await.map(WholeBody)
    }
}

async fn read(body: Body, limit: usize) -> Result<Bytes> {
    // A body that says how long it is need not be read to be refused.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    match timeout(limits::BODY_READ, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Err(_) => Err(Error::bad_request(format!(
            "the request body did not arrive within {} s",
            limits::BODY_READ.as_secs()
        ))),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(error)) => {
            Err(Error::bad_request(format!("the request body could not be read: {error}")))
        }
    }
}

fn too_large(limit: usize) -> Error {
    let message = format!("the request body is larger than {} MiB; split it", limit / limits::MIB);
    Error::new(ErrorKind::BodyTooLarge, message)
}

/// A JSON answer of the platform API and of the other endpoints that speak only JSON.
pub(crate) fn json_response<T: Serialize>(value: &T) -> Response {
    let mut body = Vec::with_capacity(256);
    json::encode(value, &mut body);
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
