//! Who asks the platform API: the owner of the server, or somebody with a token that the owner has minted.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use uuid::Uuid;

use crate::auth::{ApiToken, Scope, Scopes};
use crate::catalog::{ApiTokenRecord, Group, GroupName, NamespaceName, Record};
use crate::error::{Error, ErrorKind, Result};
use crate::http::App;
use crate::http::caller::bearer;
use crate::namespace::{database_not_found, group_not_found};
use crate::sqlite::block;

/// A caller of the platform API. What it may do is asked for each thing that it does.
pub(crate) struct Operator {
    rights: ApiToken,
    /// Of the token that the owner has minted; none for the owner's own.
    token: Option<Uuid>,
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let token = bearer(&parts.headers);
        if let Some(text) = token.filter(|text| ApiToken::is_one(text)) {
            // Looked up each time, so that a revoked token is worth nothing from then on.
            let record = block(|| app.catalog.api_token(&ApiToken::hash(text)))?;
            if let Some(record) = record {
                return Ok(Operator { rights: rights(&record)?, token: Some(record.id) });
            }
        }
        app.gate.platform(token)?;
        Ok(Operator { rights: ApiToken { scopes: None, group: None }, token: None })
    }
}

/// What a token may do, as the catalog has noted it.
fn rights(record: &ApiTokenRecord) -> Result<ApiToken> {
    let scopes = record.scopes.as_deref().map(|names| Scopes::parse(names.split_whitespace()));
    Ok(ApiToken { scopes: scopes.transpose()?, group: record.group.as_ref().map(|(id, _)| *id) })
}

impl Operator {
    /// A group, if it is there for this operator: with a token for one group there is no other.
    pub(super) fn group(&self, app: &App, name: &GroupName) -> Result<Group> {
        let group = block(|| app.catalog.group(name))?.filter(|group| self.knows(group));
        group.ok_or_else(|| group_not_found(name))
    }

    /// A database, likewise.
    pub(super) fn database(&self, app: &App, name: &NamespaceName) -> Result<Record> {
        let record = app.namespaces.find(name)?;
        if self.knows(&record.group) { Ok(record) } else { Err(database_not_found(name)) }
    }

    /// Whether a group is there for this operator, whatever may be done to it.
    pub(super) fn knows(&self, group: &Group) -> bool {
        self.rights.group.is_none_or(|own| own == group.id)
    }

    /// The only group whose databases are to be seen; none if that is all of them.
    pub(super) fn only_group(&self) -> Option<Uuid> {
        self.rights.group
    }

    /// Fails unless the operator may do this to the databases of a group.
    pub(super) fn may(&self, scope: Scope, group: &Group) -> Result<()> {
        self.check(scope, self.rights.allows(scope, Some(group.id)))
    }

    /// Fails unless the operator may do this to the whole organization.
    pub(super) fn may_everywhere(&self, scope: Scope) -> Result<()> {
        self.check(scope, self.rights.allows(scope, None))
    }

    /// Fails unless the operator may do this to some databases at least.
    pub(super) fn may_somewhere(&self, scope: Scope) -> Result<()> {
        self.check(scope, self.rights.allows(scope, self.rights.group))
    }

    /// By which token the operator came: what one has left here is for nobody else.
    pub(super) fn token(&self) -> Option<Uuid> {
        self.token
    }

    /// Fails unless the operator may do everything.
    pub(super) fn may_everything(&self) -> Result<()> {
        match self.rights {
            ApiToken { scopes: None, group: None } => Ok(()),
            _ => Err(Error::new(
                ErrorKind::Unauthorized,
                "Unauthorized: this needs a token with full access to the organization",
            )),
        }
    }

    /// Whether a group and its databases are to be seen at all.
    pub(super) fn sees(&self, group: &Group) -> bool {
        self.rights.allows(Scope::Read, Some(group.id))
    }

    /// Not 403: upon that the CLI forgets its organization.
    fn check(&self, scope: Scope, is_allowed: bool) -> Result<()> {
        if is_allowed {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Unauthorized,
            format!("Unauthorized: the token lacks the scope {} here", scope.name()),
        ))
    }
}
