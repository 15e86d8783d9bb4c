//! Installs the policy in a connection and remembers what it said.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization, TransactionOperation};

use super::policy::{self, Condition, Phase, SchemaChange, Verdict};
use super::statement::Watch;
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::limits;

/// What kind of statement the authorizer was asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reads or writes rows, and nothing else.
    Rows,
    Begin,
    Commit,
    Rollback,
    /// SAVEPOINT, RELEASE or ROLLBACK TO.
    Savepoint,
    /// Changes the schema, is a pragma, maintains the file.
    #[default]
    Other,
}

/// What the authorizer was asked while a statement was prepared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) kind: Kind,
    pub(super) has_pragma: bool,
    /// It changes the connection and not the file.
    pub(super) sets_connection: bool,
    pub(super) schema: Option<SchemaChange>,
}

/// The side of the policy that a connection and its authorizer share.
pub(super) struct Regulator {
    pub(super) watch: Watch,
    connecting: AtomicBool,
    /// SQLite has prepared a statement again that was judged before.
    prepared_anew: AtomicBool,
    /// The server itself is asking.
    trusted: AtomicBool,
    /// The SQL is a dump's.
    importing: AtomicBool,
    /// The SQL is to become a migration.
    rehearsing: AtomicBool,
    tainted: AtomicBool,
    state: Mutex<State>,
}

struct State {
    access: Access,
    seen: Option<Seen>,
    reason: Option<String>,
    conditions: Vec<Condition>,
}

/// Something that was prepared, and what the policy has to say of it.
pub(super) struct Judged<T> {
    pub(super) prepared: T,
    pub(super) seen: Seen,
    /// What it may be executed on.
    pub(super) conditions: Vec<Condition>,
}

impl Regulator {
    /// Makes SQLite ask the policy about all SQL of `db` from now on.
    pub(super) fn install(db: &mut rusqlite::Connection, access: Access) -> Result<Arc<Self>> {
        let regulator = Arc::new(Regulator {
            watch: Watch::default(),
            connecting: AtomicBool::new(false),
            prepared_anew: AtomicBool::new(false),
            trusted: AtomicBool::new(false),
            importing: AtomicBool::new(false),
            rehearsing: AtomicBool::new(false),
            tainted: AtomicBool::new(false),
            state: Mutex::new(State { access, seen: None, reason: None, conditions: Vec::new() }),
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
        let phase = self.phase();
        let before = state.seen.unwrap_or_default();
        if phase != Phase::Run {
            state.seen = Some(notice(state.seen, context));
            if self.watch.is_stepping() {
                self.prepared_anew.store(true, Relaxed);
            }
        }
        if self.importing.load(Relaxed) && policy::is_of_dump(&context.action) {
            return Authorization::Allow;
        }
        match policy::judge(&state.access, phase, before.schema, context) {
            Verdict::Allow => Authorization::Allow,
            Verdict::If(condition) => self.note(&mut state, condition),
            Verdict::Taint => {
                let is_pragma = matches!(context.action, AuthAction::Pragma { .. });
                if self.rehearsing.load(Relaxed) && !is_pragma {
                    state.reason = Some(policy::TEMPORARY_REFUSED.to_owned());
                    return Authorization::Deny;
                }
                if let Some(seen) = state.seen.as_mut().filter(|_| is_pragma) {
                    seen.sets_connection = true;
                }
                self.tainted.store(true, Relaxed);
                Authorization::Allow
            }
            Verdict::Deny(reason) => {
                state.reason = Some(reason);
                Authorization::Deny
            }
        }
    }

    fn phase(&self) -> Phase {
        if self.watch.is_executing() {
            Phase::Run
        } else if self.connecting.load(Relaxed) {
            Phase::Connect
        } else {
            Phase::Prepare
        }
    }

    /// Leaves a condition to those who prepare. When SQLite prepares a statement anew by itself nobody does, but
    /// its text is the same.
    fn note(&self, state: &mut State, condition: Condition) -> Authorization {
        let is_known = state.conditions.contains(&condition);
        match condition {
            Condition::NotReplacing { .. } if self.watch.is_stepping() => Authorization::Allow,
            _ if is_known => Authorization::Allow,
            condition
                if self.watch.is_stepping() || state.conditions.len() >= limits::CONDITIONS_MAX =>
            {
                state.reason = Some(condition.reason());
                Authorization::Deny
            }
            condition => {
                state.conditions.push(condition);
                Authorization::Allow
            }
        }
    }

    /// Whether there is something that SQL in this database may do and this access may not.
    pub(super) fn is_limited(&self) -> bool {
        let state = self.lock();
        state.access.tables.is_some() || !state.access.write
    }

    /// Whether the rights are those of single tables.
    pub(super) fn has_table_rights(&self) -> bool {
        self.lock().access.tables.is_some()
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
    pub(super) fn prepare<T>(&self, prepare: impl FnOnce() -> Result<T>) -> Result<Judged<T>> {
        self.forget();
        let prepared = prepare().map_err(|error| self.explain(error))?;
        let mut state = self.lock();
        let (seen, conditions) =
            (state.seen.take().unwrap_or_default(), std::mem::take(&mut state.conditions));
        Ok(Judged { prepared, seen, conditions })
    }

    /// Prepares something that will not be executed, so that SQLite connects the virtual tables that it names.
    pub(super) fn connect<T>(&self, prepare: impl FnOnce() -> Result<T>) {
        self.forget();
        self.connecting.store(true, Relaxed);
        // What it fails by is told when it is prepared for being executed.
        let _ = prepare();
        self.connecting.store(false, Relaxed);
        self.forget();
    }

    fn forget(&self) {
        let mut state = self.lock();
        (state.seen, state.reason) = (None, None);
        state.conditions.clear();
    }

    /// To be called when the execution of a statement ends: what it did excuses nothing in the next one.
    pub(super) fn end(&self) {
        if self.prepared_anew.load(Relaxed) {
            self.prepared_anew.store(false, Relaxed);
            self.forget();
        }
    }

    /// Runs something that was prepared.
    pub(super) fn run<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
        run().map_err(|error| self.explain(error))
    }

    /// Does something of the server's own, whatever the rights of the stream.
    pub(super) fn trust<T>(&self, work: impl FnOnce() -> T) -> T {
        self.trusted.store(true, Relaxed);
        let result = work();
        self.trusted.store(false, Relaxed);
        result
    }

    /// Lets SQL do what only dumps do, from now on.
    pub(super) fn allow_dump(&self) {
        self.importing.store(true, Relaxed);
    }

    /// Refuses what cannot become part of a migration, from now on.
    pub(super) fn forbid_temporary(&self) {
        self.rehearsing.store(true, Relaxed);
    }

    /// Replaces SQLite's "not authorized" by the policy's reason.
    fn explain(&self, error: Error) -> Error {
        match self.lock().reason.take() {
            Some(reason) => policy::denied(&reason),
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
fn notice(before: Option<Seen>, context: &AuthContext<'_>) -> Seen {
    let action = &context.action;
    let kind = match action {
        AuthAction::Select
        | AuthAction::Recursive
        | AuthAction::Function { .. }
        | AuthAction::Read { .. }
        | AuthAction::Insert { .. }
        | AuthAction::Update { .. }
        | AuthAction::Delete { .. } => before.map_or(Kind::Rows, |seen| seen.kind),
        AuthAction::Transaction { operation } => match operation {
            TransactionOperation::Begin => Kind::Begin,
            TransactionOperation::Rollback => Kind::Rollback,
            _ => Kind::Commit,
        },
        AuthAction::Savepoint { .. } => Kind::Savepoint,
        _ => Kind::Other,
    };
    let is_pragma = matches!(action, AuthAction::Pragma { .. });
    let schema = before.and_then(|seen| seen.schema);
    Seen {
        kind,
        has_pragma: is_pragma || before.is_some_and(|seen| seen.has_pragma),
        sets_connection: before.is_some_and(|seen| seen.sets_connection),
        schema: schema.or_else(|| policy::schema_change(context)),
    }
}
