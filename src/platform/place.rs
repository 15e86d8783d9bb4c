//! What the URL of a request to the platform API says, and how the client reached the server.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::catalog::{Group, GroupName, NamespaceName, Record};
use crate::error::{Error, ErrorKind, Result};
use crate::http::App;
use crate::http::target::{self, ORGANIZATION};
use crate::namespace::group_not_found;
use crate::sqlite::block;

pub(crate) struct Place {
    app: Arc<App>,
    params: Vec<(String, String)>,
    /// Where the client reached the server: a host, with a port if need be.
    pub(super) host: String,
}

impl FromRequestParts<Arc<App>> for Place {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let host = target::host(&parts.uri, &parts.headers)
            .map_or_else(|| app.address.to_string(), str::to_owned);
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|error| Error::bad_request(error.to_string()))?;
        let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let place = Place { app: Arc::clone(app), params: params.collect(), host };
        match place.param("organization") {
            "" | ORGANIZATION => Ok(place),
            other => Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no organization {other:?}; this server's is {ORGANIZATION:?}"),
            )),
        }
    }
}

impl Place {
    /// A part of the URL, as the router names it; empty if there is none.
    pub(super) fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(candidate, _)| candidate == name);
        found.map_or("", |(_, value)| value)
    }

    /// The database that the URL names, which must exist.
    pub(super) fn database(&self) -> Result<Record> {
        self.app.namespaces.find(&NamespaceName::parse(self.param("database"))?)
    }

    /// The group that the URL names, which must exist.
    pub(super) fn group(&self) -> Result<Group> {
        let name = GroupName::parse(self.param("group"))?;
        block(|| self.app.catalog.group(&name))?.ok_or_else(|| group_not_found(&name))
    }
}
