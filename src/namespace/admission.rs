//! Which database a caller gets, and with which rights.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use uuid::Uuid;

use super::lifecycle::not_awaited;
use super::{Namespace, Namespaces, database_not_found};
use crate::auth::{Access, Identity, Target};
use crate::catalog::{self, NamespaceName, Record};
use crate::error::{Error, ErrorKind, Result};

/// The databases that a request may mean.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// The first of these that exists.
    Named(Vec<NamespaceName>),
    /// None was named: the one that the token is for, or else the one called `default`.
    Unnamed,
}

/// A caller that was let in.
#[derive(Clone)]
pub struct Admission {
    pub namespace: Arc<Namespace>,
    pub access: Access,
    identity: Identity,
}

impl Namespaces {
    /// Which database is meant, by somebody of whom it is not known yet who that is.
    pub fn id_of(&self, wanted: &Wanted) -> Option<Uuid> {
        let namespace = match wanted {
            Wanted::Named(names) => self.first(names),
            Wanted::Unnamed => self.get(&NamespaceName::default_name()),
        };
        namespace.ok().map(|namespace| namespace.id())
    }

    /// Lets a caller in. A database that the caller may not use is answered for as if it did not exist.
    pub fn admit(&self, wanted: &Wanted, identity: Identity) -> Result<Admission> {
        let admission = self.admit_to_any(wanted, identity)?;
        if admission.namespace.record().awaits_upload {
            return Err(Error::new(
                ErrorKind::AwaitsUpload,
                format!("database {} awaits the upload of its file", admission.namespace.name()),
            ));
        }
        Ok(admission)
    }

    /// Lets somebody in who is about to upload the file of a database that awaits it. Needs all rights.
    pub fn admit_upload(&self, wanted: &Wanted, identity: Identity) -> Result<Arc<Namespace>> {
        let Admission { namespace, access, .. } = self.admit_to_any(wanted, identity)?;
        if access != Access::FULL {
            let message = "not authorized: the upload of a database needs all rights on it";
            return Err(Error::new(ErrorKind::Denied, message));
        }
        if namespace.record().awaits_upload {
            Ok(namespace)
        } else {
            Err(not_awaited(namespace.name()))
        }
    }

    fn admit_to_any(&self, wanted: &Wanted, identity: Identity) -> Result<Admission> {
        let namespace = match (wanted, &identity) {
            (Wanted::Named(names), Identity::Owner) => self.first(names)?,
            (Wanted::Named(names), Identity::Token(_)) => self.first_for_token(names)?,
            (Wanted::Unnamed, Identity::Token(claims)) if claims.database().is_some() => {
                self.of_id(claims.database().unwrap_or_default())?
            }
            (Wanted::Unnamed, _) => self.get(&NamespaceName::default_name())?,
        };
        let record = namespace.record();
        let access =
            access(&identity, &record).ok_or_else(|| refuse(wanted, &identity, &record))?;
        if record.settings.block_reads {
            return Err(blocked("all access", &record));
        }
        Ok(Admission { namespace, access, identity })
    }

    /// Like [`first`](Namespaces::first), but what is not there is told as what the token is not for.
    fn first_for_token(&self, names: &[NamespaceName]) -> Result<Arc<Namespace>> {
        self.first(names).map_err(|error| match names.first() {
            Some(name) if error.kind() == ErrorKind::DatabaseNotFound => not_for_token(name),
            _ => error,
        })
    }
}

impl Admission {
    /// Fails once what was granted is not so any more: the database was deleted or blocked, the token has expired
    /// or was made invalid. `now` is in seconds since 1970.
    pub fn check(&self, now: u64) -> Result<()> {
        self.namespace.check()?;
        let record = self.namespace.record();
        if self.expires_at().is_some_and(|expires_at| expires_at <= now) {
            return Err(Error::new(
                ErrorKind::Unauthorized,
                "Unauthorized: the token has expired; get another one",
            ));
        }
        if record.settings.block_reads {
            return Err(blocked("all access", &record));
        }
        match access(&self.identity, &record) {
            Some(access) if access == self.access => Ok(()),
            _ => Err(Error::new(
                ErrorKind::Unauthorized,
                "Unauthorized: what the token was allowed has changed; connect again, with a new token if need be",
            )),
        }
    }

    /// Waits until [`check`](Admission::check) fails, and says why. `revisions` are those of the databases.
    pub async fn ended(&self, mut revisions: watch::Receiver<()>) -> Error {
        loop {
            let now = catalog::now();
            if let Err(error) = self.check(now) {
                return error;
            }
            let left = self.expires_at().map(|at| Duration::from_secs(at.saturating_sub(now)));
            let expiry = async {
                match left {
                    Some(left) => sleep(left).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Ok(()) = revisions.changed() => {}
                () = expiry => {}
            }
        }
    }

    /// Whether both are to the same database with the same rights.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.namespace, &other.namespace) && self.access == other.access
    }

    /// When the token stops being valid, in seconds since 1970.
    pub fn expires_at(&self) -> Option<u64> {
        match &self.identity {
            Identity::Owner => None,
            Identity::Token(claims) => claims.expires_at(),
        }
    }
}

/// The rights that somebody has on a database now; `None` is none at all.
fn access(identity: &Identity, record: &Record) -> Option<Access> {
    let mut access = match identity {
        // Children get their schema from elsewhere, whoever asks.
        Identity::Owner => Access { ddl: record.role.schema().is_none(), ..Access::FULL },
        Identity::Token(claims) => claims.access_to(&target(record))?,
    };
    access.schema = record.role.schema().map(|schema| schema.name.as_str().into());
    if record.settings.block_writes && access.write {
        access.write = false;
        access.blocked = Some(blocked("writing", record).message().into());
    }
    Some(access)
}

/// For those who have no rights. Only to somebody who had some the database is known to exist.
fn refuse(wanted: &Wanted, identity: &Identity, record: &Record) -> Error {
    match identity {
        Identity::Token(claims) if claims.was_revoked_for(&target(record)) => Error::new(
            ErrorKind::Unauthorized,
            "Unauthorized: the token was invalidated by its owner; get another one",
        ),
        _ => match wanted {
            // What is said if none of them exists.
            Wanted::Named(names) => not_for_token(names.first().unwrap_or(&record.name)),
            Wanted::Unnamed => not_for_token(&record.name),
        },
    }
}

/// The same whether there is such a database or not.
fn not_for_token(name: &NamespaceName) -> Error {
    let error = database_not_found(name);
    Error::new(error.kind(), format!("{}, or the token is not for it", error.message()))
}

fn target(record: &Record) -> Target<'_> {
    Target {
        name: record.name.as_str(),
        id: record.id,
        generation: record.generation,
        group: record.group.id,
        group_name: record.group.name.as_str(),
        group_generation: record.group.generation,
        is_child: record.role.schema().is_some(),
        has_own_keys: record.has_own_keys,
    }
}

fn blocked(what: &str, record: &Record) -> Error {
    let reason = record.settings.block_reason.as_deref().unwrap_or("no reason was given");
    let message = format!("{what} of database {} is blocked by its owner: {reason}", record.name);
    Error::new(ErrorKind::Blocked, message)
}
