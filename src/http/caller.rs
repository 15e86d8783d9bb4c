//! Who asks, and for which database. Found out once per request, before anything else is done.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::App;
use super::local::is_local;
use super::target;
use crate::auth::{Access, Identity};
use crate::catalog;
use crate::error::{Error, Result};
use crate::hrana::Stream;
use crate::namespace::{Admission, Namespace, Namespaces, Wanted};

/// A client of the data plane.
pub(crate) struct Caller {
    admission: Admission,
    namespaces: Arc<Namespaces>,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        Caller::of(parts, app)
    }
}

impl Caller {
    /// Who the request is from.
    pub(crate) fn of(parts: &Parts, app: &App) -> Result<Self> {
        // First the right to ask, then the question: whether a database exists is not told to strangers.
        let wanted = target::wanted(parts, app);
        let identity = identify(parts, app, wanted.as_ref().ok())?;
        let admission = app.namespaces.admit(&wanted?, identity)?;
        Ok(Caller { admission, namespaces: Arc::clone(&app.namespaces) })
    }

    pub(crate) fn namespace(&self) -> &Arc<Namespace> {
        &self.admission.namespace
    }

    pub(crate) fn access(&self) -> &Access {
        &self.admission.access
    }

    /// Waits until the caller may not go on any more, while it is still being answered, and says why.
    pub(super) fn ended(&self) -> impl Future<Output = Error> + Send + use<> {
        let (admission, namespaces) = (self.admission.clone(), Arc::clone(&self.namespaces));
        async move { admission.ended(namespaces.revisions()).await }
    }

    /// Opens a stream with what the caller was granted.
    pub(super) fn open(&self, app: &App) -> Stream {
        let migrator = Arc::clone(&app.migrator);
        Stream::open(migrator, Arc::clone(self.namespace()), self.access().clone())
    }
}

/// Who a request is from, as far as it can prove it. Which database it means decides about keys of single databases.
pub(super) fn identify(parts: &Parts, app: &App, wanted: Option<&Wanted>) -> Result<Identity> {
    let token = bearer(&parts.headers);
    let is_local = is_local(token, parts, app);
    let database = || app.namespaces.id_of(wanted?);
    app.gate.identify(token, is_local, database, catalog::now())
}

/// The token of a request. Some clients that have none say so in words.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    // What cannot be read is still no permission to come without one.
    let value = value.to_str().unwrap_or("unreadable");
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ if value.trim().eq_ignore_ascii_case("bearer") => "",
        _ => value,
    };
    (!NO_TOKEN.contains(&token)).then_some(token)
}

/// The Rust client sends nothing behind `Bearer`, the Python client `None`, JavaScript what it has not got.
const NO_TOKEN: [&str; 4] = ["", "None", "undefined", "null"];
