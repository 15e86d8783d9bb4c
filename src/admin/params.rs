//! The databases in the URL of a request.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use super::body::{Failure, Result};
use crate::catalog::{NamespaceName, Record};
use crate::error::Error;
use crate::http::App;

pub(crate) struct Params {
    app: Arc<App>,
    all: Vec<(String, String)>,
}

impl FromRequestParts<Arc<App>> for Params {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let all = RawPathParams::from_request_parts(parts, app).await;
        let all = all.map_err(|error| Error::bad_request(error.to_string()))?;
        let all = all.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Params { app: Arc::clone(app), all: all.collect() })
    }
}

impl Params {
    /// A part of the URL, as the router names it.
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.all.iter().find(|(candidate, _)| candidate == name);
        found.map_or("", |(_, value)| value)
    }

    /// The name of a database, which need not exist.
    pub(super) fn name(&self, param: &str) -> Result<NamespaceName> {
        Ok(NamespaceName::parse(self.get(param))?)
    }

    /// The database that the request is about, which must exist.
    pub(super) fn database(&self) -> Result<Record> {
        Ok(self.app.namespaces.find(&self.name("namespace")?)?)
    }
}
