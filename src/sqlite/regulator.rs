//! Installs the policy in a connection and remembers what it said.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization, TransactionOperation};

use super::policy::{self, Phase, Verdict};
use crate::auth::Access;
use crate::error::{Error, ErrorKind, Result};

/// The side of the policy that a connection and its authorizer share.
pub(super) struct Regulator {
    running: AtomicBool,
    tainted: AtomicBool,
    saw_pragma: AtomicBool,
    saw_rollback: AtomicBool,
    access: Mutex<Access>,
    reason: Mutex<Option<String>>,
}

/// What the authorizer was asked about a statement.
pub(super) struct Seen {
    pub(super) pragma: bool,
    pub(super) rollback: bool,
}

impl Regulator {
    /// Makes SQLite ask the policy about all SQL of `db` from now on.
    pub(super) fn install(db: &mut rusqlite::Connection, access: Access) -> Result<Arc<Self>> {
        let regulator = Arc::new(Regulator {
            running: AtomicBool::new(false),
            tainted: AtomicBool::new(false),
            saw_pragma: AtomicBool::new(false),
            saw_rollback: AtomicBool::new(false),
            access: Mutex::new(access),
            reason: Mutex::new(None),
        });
        let asked = Arc::clone(&regulator);
        db.authorizer(Some(move |context: AuthContext<'_>| asked.answer(&context)))
            .map_err(|error| Error::internal("install the SQL policy", error))?;
        Ok(regulator)
    }

    fn answer(&self, context: &AuthContext<'_>) -> Authorization {
        match context.action {
            AuthAction::Pragma { .. } => self.saw_pragma.store(true, Relaxed),
            AuthAction::Transaction { operation: TransactionOperation::Rollback } => {
                self.saw_rollback.store(true, Relaxed);
            }
            _ => {}
        }
        let phase = if self.running.load(Relaxed) { Phase::Run } else { Phase::Prepare };
        match policy::judge(self.access(), phase, context) {
            Verdict::Allow => Authorization::Allow,
            Verdict::Taint => {
                self.tainted.store(true, Relaxed);
                Authorization::Allow
            }
            Verdict::Deny(reason) => {
                *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
                Authorization::Deny
            }
        }
    }

    pub(super) fn access(&self) -> Access {
        *self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the rights. Statements prepared before were judged by the old ones: drop them.
    pub(super) fn set_access(&self, access: Access) {
        *self.access.lock().unwrap_or_else(PoisonError::into_inner) = access;
    }

    /// Prepares something, and says what was in it.
    pub(super) fn prepare<T>(&self, prepare: impl FnOnce() -> Result<T>) -> Result<(T, Seen)> {
        self.saw_pragma.store(false, Relaxed);
        self.saw_rollback.store(false, Relaxed);
        let prepared = prepare().map_err(|error| self.explain(error))?;
        let seen = Seen {
            pragma: self.saw_pragma.load(Relaxed),
            rollback: self.saw_rollback.load(Relaxed),
        };
        Ok((prepared, seen))
    }

    /// Runs something that was prepared.
    pub(super) fn run<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
        self.running.store(true, Relaxed);
        let result = run();
        self.running.store(false, Relaxed);
        result.map_err(|error| self.explain(error))
    }

    /// Replaces SQLite's "not authorized" by the policy's reason.
    fn explain(&self, error: Error) -> Error {
        match self.reason.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(reason) => Error::new(ErrorKind::Denied, format!("not authorized: {reason}")),
            None => error,
        }
    }

    pub(super) fn is_tainted(&self) -> bool {
        self.tainted.load(Relaxed)
    }
}
