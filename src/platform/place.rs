//! What the URL of a request to the platform API says, and how the client reached the server.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use super::operator::Operator;
use crate::catalog::{Group, GroupName, NamespaceName, Record};
use crate::error::{Error, ErrorKind, Result};
use crate::http::App;
use crate::http::arrival::Arrival;
use crate::names::Reach;

pub(crate) struct Place {
    app: Arc<App>,
    params: Vec<(String, String)>,
    reach: Reach,
}

impl FromRequestParts<Arc<App>> for Place {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let reach = Arrival::of(parts, app).reach(app.address);
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|error| Error::bad_request(error.to_string()))?;
        let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let place = Place { app: Arc::clone(app), params: params.collect(), reach };
        let (asked, own) = (place.param("organization"), &app.names.organization);
        if !asked.is_empty() && asked != own {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no organization {asked:?}; this server's is {own:?}"),
            ));
        }
        Ok(place)
    }
}

impl Place {
    /// A part of the URL, as the router names it; empty if there is none.
    pub(super) fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(candidate, _)| candidate == name);
        found.map_or("", |(_, value)| value)
    }

    /// The one organization that there is.
    pub(super) fn organization(&self) -> &str {
        &self.app.names.organization
    }

    /// Where the client reaches a database: host, port and path.
    pub(super) fn hostname(&self, database: &NamespaceName) -> String {
        self.app.names.hostname(database.as_str(), &self.reach)
    }

    /// Where databases are said to be.
    pub(super) fn region(&self) -> &'static str {
        self.reach.region()
    }

    /// The database that the URL names, which must exist for the operator.
    pub(super) fn database(&self, operator: &Operator) -> Result<Record> {
        operator.database(&self.app, &NamespaceName::parse(self.param("database"))?)
    }

    /// The group that the URL names, which must exist for the operator.
    pub(super) fn group(&self, operator: &Operator) -> Result<Group> {
        operator.group(&self.app, &GroupName::parse(self.param("group"))?)
    }
}
