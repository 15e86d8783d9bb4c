//! Installs the policy in a connection and remembers what it said.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization, TransactionOperation};

use super::policy::{self, Phase, Verdict};
use crate::auth::Access;
use crate::error::{Error, ErrorKind, Result};

/// What kind of statement the authorizer was asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reads or writes rows, and nothing else.
    Rows,
    /// BEGIN or COMMIT.
    Transaction,
    Rollback,
    /// Changes the schema, is a pragma, maintains the file.
    #[default]
    Other,
}

/// What the authorizer was asked while a statement was prepared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) kind: Kind,
    pub(super) has_pragma: bool,
}

/// The side of the policy that a connection and its authorizer share.
pub(super) struct Regulator {
    running: AtomicBool,
    /// The server itself is asking.
    trusted: AtomicBool,
    tainted: AtomicBool,
    state: Mutex<State>,
}

struct State {
    access: Access,
    seen: Option<Seen>,
    reason: Option<String>,
}

impl Regulator {
    /// Makes SQLite ask the policy about all SQL of `db` from now on.
    pub(super) fn install(db: &mut rusqlite::Connection, access: Access) -> Result<Arc<Self>> {
        let regulator = Arc::new(Regulator {
            running: AtomicBool::new(false),
            trusted: AtomicBool::new(false),
            tainted: AtomicBool::new(false),
            state: Mutex::new(State { access, seen: None, reason: None }),
        });
        let asked = Arc::clone(&regulator);
        db.authorizer(Some(move |context: AuthContext<'_>| asked.answer(&context)))
            .map_err(|error| Error::internal("install the SQL policy", error))?;
        Ok(regulator)
    }

    fn answer(&self, context: &AuthContext<'_>) -> Authorization {
        if self.trusted.load(Relaxed) {
            return Authorization::Allow;
        }
        let mut state = self.lock();
        state.seen = Some(notice(state.seen, &context.action));
        let phase = if self.running.load(Relaxed) { Phase::Run } else { Phase::Prepare };
        match policy::judge(&state.access, phase, context) {
            Verdict::Allow => Authorization::Allow,
            Verdict::Taint => {
                self.tainted.store(true, Relaxed);
                Authorization::Allow
            }
            Verdict::Deny(reason) => {
                state.reason = Some(reason);
                Authorization::Deny
            }
        }
    }

    /// Sets the rights. Returns whether they are others than before: statements that were prepared then were
    /// judged by those, so drop them.
    pub(super) fn set_access(&self, access: &Access) -> bool {
        let mut state = self.lock();
        let is_other = state.access != *access;
        if is_other {
            state.access = access.clone();
        }
        is_other
    }

    /// Prepares something, and says what was in it.
    pub(super) fn prepare<T>(&self, prepare: impl FnOnce() -> Result<T>) -> Result<(T, Seen)> {
        self.lock().seen = None;
        let prepared = prepare().map_err(|error| self.explain(error))?;
        Ok((prepared, self.lock().seen.unwrap_or_default()))
    }

    /// Runs something that was prepared.
    pub(super) fn run<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
        self.running.store(true, Relaxed);
        let result = run();
        self.running.store(false, Relaxed);
        result.map_err(|error| self.explain(error))
    }

    /// Does something of the server's own, whatever the rights of the stream.
    pub(super) fn trust<T>(&self, work: impl FnOnce() -> T) -> T {
        self.trusted.store(true, Relaxed);
        let result = work();
        self.trusted.store(false, Relaxed);
        result
    }

    /// Replaces SQLite's "not authorized" by the policy's reason.
    fn explain(&self, error: Error) -> Error {
        match self.lock().reason.take() {
            Some(reason) => Error::new(ErrorKind::Denied, format!("not authorized: {reason}")),
            None => error,
        }
    }

    pub(super) fn is_tainted(&self) -> bool {
        self.tainted.load(Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds an action to what was seen of a statement before. One action that is not about rows makes the whole
/// statement something else: a table made from a query reads rows too.
fn notice(before: Option<Seen>, action: &AuthAction<'_>) -> Seen {
    let kind = match action {
        AuthAction::Select
        | AuthAction::Recursive
        | AuthAction::Function { .. }
        | AuthAction::Read { .. }
        | AuthAction::Insert { .. }
        | AuthAction::Update { .. }
        | AuthAction::Delete { .. } => before.map_or(Kind::Rows, |seen| seen.kind),
        AuthAction::Transaction { operation: TransactionOperation::Rollback } => Kind::Rollback,
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => Kind::Transaction,
        _ => Kind::Other,
    };
    let is_pragma = matches!(action, AuthAction::Pragma { .. });
    Seen { kind, has_pragma: is_pragma || before.is_some_and(|seen| seen.has_pragma) }
}
