//! Who asks, and for which database. Found out once per request, before anything else is done.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::App;
use super::target;
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::namespace::{Namespace, NamespaceName};

/// A client of the data plane.
pub(crate) struct Caller {
    pub(crate) namespace: Arc<Namespace>,
    pub(crate) access: Access,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        // First the right to ask, then the question: whether a database exists is not told to strangers.
        let access = app.gate.data_plane(bearer(&parts.headers))?;
        let namespace = app.namespaces.first(&target::candidates(parts)?)?;
        Ok(Caller { namespace, access })
    }
}

/// The databases that a request may mean, for one that is let in later.
pub(crate) struct Candidates(pub(crate) Vec<NamespaceName>);

impl FromRequestParts<Arc<App>> for Candidates {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self> {
        target::candidates(parts).map(Candidates)
    }
}

/// The owner of the server: a caller of the platform API.
pub(crate) struct Owner;

impl FromRequestParts<Arc<App>> for Owner {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        app.gate.platform(bearer(&parts.headers)).map(|()| Owner)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
