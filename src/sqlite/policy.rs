//! What SQL may do: a pure function from an action of SQLite's authorizer to a verdict.
//!
//! SQLite itself says what a statement does (`sqlite.org/c3ref/c_alter_table.html`), so nothing here parses
//! SQL. The authorizer is asked while a statement is prepared, and again while it runs for the statements
//! that SQLite prepares inside it.

use rusqlite::ffi;
use rusqlite::hooks::{AuthAction, AuthContext};

use super::pragma::{self, Use};
use crate::auth::Access;

/// The answer to one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allow,
    /// Allowed, but the connection will not be the same afterwards: it must not serve another stream.
    Taint,
    /// The reason, for the client.
    Deny(String),
}

/// When the authorizer was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// About the client's own text.
    Prepare,
    /// About SQL that SQLite runs inside a statement already allowed.
    Run,
}

/// Virtual tables that keep their data in the tenant's own file.
const MODULES: [&str; 7] = ["fts3", "fts4", "fts5", "fts5vocab", "geopoly", "rtree", "rtree_i32"];

/// Functions that reach outside the database, or write in a SELECT (`optimize` of FTS3 and FTS4; there is
/// `INSERT INTO f(f) VALUES('optimize')` for that).
const FUNCTIONS_DENIED: [&str; 3] = ["load_extension", "fts3_tokenizer", "optimize"];

pub(super) fn judge(access: &Access, phase: Phase, context: &AuthContext<'_>) -> Verdict {
    let is_temp = context.database_name == Some("temp");
    match context.action {
        AuthAction::Select
        | AuthAction::Recursive
        | AuthAction::Read { .. }
        | AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. } => Verdict::Allow,
        AuthAction::Function { function_name } => function(function_name),
        AuthAction::Pragma { pragma_name, pragma_value } => {
            match pragma_use(access, pragma_name, pragma_value) {
                // As a table it is within a SELECT, which has to be what it looks like.
                _ if phase == Phase::Run && changes(pragma_name, pragma_value) => Verdict::Deny(
                    format!("PRAGMA {pragma_name} cannot be used as a table; it changes something"),
                ),
                verdict => verdict,
            }
        }
        // The schema of `temp` is such a table too, and the only sign of `CREATE TRIGGER temp.x`.
        AuthAction::Insert { .. } if is_temp => Verdict::Taint,
        AuthAction::Update { .. } | AuthAction::Delete { .. } if is_temp => Verdict::Allow,
        AuthAction::Insert { .. } | AuthAction::Update { .. } | AuthAction::Delete { .. } => {
            write(access)
        }
        AuthAction::Reindex { .. } | AuthAction::Analyze { .. } => write(access),
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::DropTempIndex { .. }
        | AuthAction::DropTempTable { .. }
        | AuthAction::DropTempTrigger { .. }
        | AuthAction::DropTempView { .. } => Verdict::Taint,
        AuthAction::CreateIndex { .. }
        | AuthAction::CreateTable { .. }
        | AuthAction::CreateTrigger { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::DropIndex { .. }
        | AuthAction::DropTable { .. }
        | AuthAction::DropTrigger { .. }
        | AuthAction::DropView { .. }
        | AuthAction::DropVtable { .. } => {
            // `CREATE TABLE temp.x` comes here, not to CreateTempTable.
            if is_temp { Verdict::Taint } else { ddl(access) }
        }
        AuthAction::AlterTable { database_name, .. } => {
            if database_name == "temp" {
                Verdict::Taint
            } else {
                ddl(access)
            }
        }
        AuthAction::CreateVtable { module_name, .. } => virtual_table(access, is_temp, module_name),
        AuthAction::Attach { filename } => attach(access, phase, filename),
        AuthAction::Detach { .. } if phase == Phase::Run => Verdict::Allow,
        AuthAction::Detach { .. } => deny("DETACH is not available: nothing can be attached"),
        // Without a file name where that is an expression.
        AuthAction::Unknown { code: ffi::SQLITE_ATTACH, .. } => attach(access, phase, "?"),
        ref other => Verdict::Deny(format!("this is not allowed here: {other:?}")),
    }
}

fn deny(reason: &str) -> Verdict {
    Verdict::Deny(reason.to_owned())
}

fn write(access: &Access) -> Verdict {
    match &access.blocked {
        _ if access.write => Verdict::Allow,
        Some(reason) => deny(reason),
        None => deny("this access is read-only"),
    }
}

fn ddl(access: &Access) -> Verdict {
    match (access.write, access.ddl) {
        (true, true) => Verdict::Allow,
        (false, _) => write(access),
        (true, false) => deny("this access may not change the schema"),
    }
}

fn function(name: &str) -> Verdict {
    if FUNCTIONS_DENIED.iter().any(|denied| name.eq_ignore_ascii_case(denied)) {
        return Verdict::Deny(format!("the function {name}() is not available on this server"));
    }
    Verdict::Allow
}

fn virtual_table(access: &Access, is_temp: bool, module: &str) -> Verdict {
    if !MODULES.iter().any(|known| module.eq_ignore_ascii_case(known)) {
        return Verdict::Deny(format!(
            "virtual tables of the module {module} are not available; there are: {}",
            MODULES.join(", ")
        ));
    }
    if is_temp { Verdict::Taint } else { ddl(access) }
}

/// ATTACH reaches files by name. VACUUM attaches a nameless temporary file while it runs, and VACUUM INTO
/// a file with a name.
fn attach(access: &Access, phase: Phase, filename: &str) -> Verdict {
    match phase {
        Phase::Run if filename.is_empty() => ddl(access),
        Phase::Run => deny("VACUUM INTO is not available: it writes a file on the server"),
        Phase::Prepare => deny(
            "ATTACH is not available, neither of files nor of databases by name; open a stream on the other \
             database",
        ),
    }
}

/// Whether a pragma does more than tell something.
fn changes(name: &str, argument: Option<&str>) -> bool {
    match pragma::find(name) {
        Some(Use::Ask | Use::AskOf) => false,
        Some(Use::Write(_) | Use::Connection(_)) => argument.is_some(),
        Some(Use::Maintain) | None => true,
    }
}

fn pragma_use(access: &Access, name: &str, argument: Option<&str>) -> Verdict {
    let Some(allowed) = pragma::find(name) else {
        return Verdict::Deny(format!("PRAGMA {name} is not available on this server"));
    };
    match (allowed, argument) {
        (Use::Ask | Use::AskOf | Use::Write(_) | Use::Connection(_), None)
        | (Use::AskOf, Some(_)) => Verdict::Allow,
        (Use::Ask, Some(_)) => Verdict::Deny(format!(
            "PRAGMA {name} is set by the server; it can be read, without an argument"
        )),
        (Use::Maintain, _) => write(access),
        (Use::Write(shape) | Use::Connection(shape), Some(argument)) if !shape.fits(argument) => {
            Verdict::Deny(format!(
                "PRAGMA {name} cannot be set to '{argument}' here, only to {}",
                shape.describe()
            ))
        }
        (Use::Write(_), Some(_)) => write(access),
        (Use::Connection(_), Some(_)) => Verdict::Taint,
    }
}
