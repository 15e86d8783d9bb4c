//! What SQL may do: a pure function from an action of SQLite's authorizer to a verdict.
//!
//! SQLite itself says what a statement does (`sqlite.org/c3ref/c_alter_table.html`), so nothing here parses
//! SQL. The authorizer is asked while a statement is prepared, and again while it runs for the statements
//! that SQLite prepares inside it.

use rusqlite::ffi;
use rusqlite::hooks::{AuthAction, AuthContext};

use super::pragma::{self, Use};
use super::table_policy;
use crate::auth::{Access, TableAction};
use crate::error::{Error, ErrorKind, Result};

/// The answer to one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allow,
    If(Condition),
    /// Allowed, but the connection will not be the same afterwards: it must not serve another stream.
    Taint,
    /// The reason, for the client.
    Deny(String),
}

/// What the authorizer is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// The file has no table or view of this name: it is a part of the statement, or a function.
    Absent { table: String },
    /// Rows are added or changed, and none is replaced by that.
    NotReplacing { table: String },
}

impl Condition {
    /// Whether it depends on more than the text.
    pub(super) fn can_change(&self) -> bool {
        matches!(self, Condition::Absent { .. })
    }

    /// The reason for denying what does not fulfil it.
    pub(super) fn reason(&self) -> String {
        match self {
            Condition::Absent { table } => table_policy::lacks(TableAction::DataRead, table),
            Condition::NotReplacing { table } => {
                let lacks = table_policy::lacks(TableAction::DataDelete, table);
                format!("{lacks}, which REPLACE needs")
            }
        }
    }
}

/// What a statement does to the schema of the file, by the first of its actions that is about that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaChange {
    /// Makes something, which may be filled from a SELECT of the client's.
    Create,
    /// Makes an index, which is of one table alone.
    Index,
    /// Alters or drops something.
    Existing,
}

/// When the authorizer was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// About the client's own text.
    Prepare,
    /// About a text that will not be executed, and SQL that virtual tables prepare when they are named first.
    Connect,
    /// About SQL that SQLite runs inside a statement already allowed.
    Run,
}

/// Virtual tables that keep their data in the tenant's own file.
const MODULES: [&str; 7] = ["fts3", "fts4", "fts5", "fts5vocab", "geopoly", "rtree", "rtree_i32"];

/// Why temporary objects are refused on a schema database.
pub(super) const TEMPORARY_REFUSED: &str =
    "a schema database has no temporary objects: what is changed here is changed in its children";

/// Functions that reach outside the database, or write in a SELECT (`optimize` of FTS3 and FTS4; there is
/// `INSERT INTO f(f) VALUES('optimize')` for that).
const FUNCTIONS_DENIED: [&str; 3] = ["load_extension", "fts3_tokenizer", "optimize"];

/// `change` is what an action before did to the schema, so that SQLite now does what belongs to that.
pub(super) fn judge(
    access: &Access,
    phase: Phase,
    change: Option<SchemaChange>,
    context: &AuthContext<'_>,
) -> Verdict {
    let is_temp = is_temp(context);
    match context.action {
        AuthAction::Select
        | AuthAction::Recursive
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
        AuthAction::Read { .. }
        | AuthAction::Insert { .. }
        | AuthAction::Update { .. }
        | AuthAction::Delete { .. }
        | AuthAction::Reindex { .. } => rows(access, phase, change, context),
        AuthAction::Analyze { .. } => write(access).and(|| all_tables(access, "ANALYZE")),
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
            if is_temp { Verdict::Taint } else { schema(access, phase, &context.action) }
        }
        AuthAction::AlterTable { .. } => {
            if is_temp {
                Verdict::Taint
            } else {
                schema(access, phase, &context.action)
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

/// Whether dumps may do something that nobody else may: the tool `sqlite3` dumps a virtual table as the row that it
/// has in the schema, and with the tables in which it keeps its data.
pub(super) fn is_of_dump(action: &AuthAction<'_>) -> bool {
    matches!(action, AuthAction::Pragma { pragma_name, .. }
        if pragma_name.eq_ignore_ascii_case("writable_schema"))
}

/// The error of a statement that was denied.
pub(super) fn denied(reason: &str) -> Error {
    Error::new(ErrorKind::Denied, format!("not authorized: {reason}"))
}

/// What an action does to the schema of the file.
pub(super) fn schema_change(context: &AuthContext<'_>) -> Option<SchemaChange> {
    let change = match context.action {
        AuthAction::CreateIndex { .. } => SchemaChange::Index,
        AuthAction::CreateTable { .. }
        | AuthAction::CreateTrigger { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::CreateVtable { .. } => SchemaChange::Create,
        AuthAction::DropIndex { .. }
        | AuthAction::DropTable { .. }
        | AuthAction::DropTrigger { .. }
        | AuthAction::DropView { .. }
        | AuthAction::DropVtable { .. }
        | AuthAction::AlterTable { .. } => SchemaChange::Existing,
        _ => return None,
    };
    (!is_temp(context)).then_some(change)
}

fn is_temp(context: &AuthContext<'_>) -> bool {
    match context.action {
        AuthAction::AlterTable { database_name, .. } => database_name == "temp",
        _ => context.database_name == Some("temp"),
    }
}

impl Verdict {
    /// What else there is to say where this alone would allow it.
    fn and(self, other: impl FnOnce() -> Verdict) -> Verdict {
        if self == Verdict::Allow { other() } else { self }
    }
}

fn deny(reason: &str) -> Verdict {
    Verdict::Deny(reason.to_owned())
}

/// The reason for denying what concerns tables that it does not name.
pub(super) fn needs_all(what: &str) -> String {
    format!("{what} needs all rights on all tables; this access has those of some only")
}

/// Fails if something that concerns the whole file is asked for with the rights of some tables only.
pub fn check_whole(access: &Access, what: &str) -> Result<()> {
    if access.tables.is_none() { Ok(()) } else { Err(denied(&needs_all(what))) }
}

fn all_tables(access: &Access, what: &str) -> Verdict {
    if access.tables.is_none() { Verdict::Allow } else { Verdict::Deny(needs_all(what)) }
}

/// Rows are read and written. What SQLite does for something else that was allowed needs the base right only.
fn rows(
    access: &Access,
    phase: Phase,
    change: Option<SchemaChange>,
    context: &AuthContext<'_>,
) -> Verdict {
    let is_inner = phase == Phase::Run || change.is_some();
    let judge = |action, table| write(access).and(|| table_policy::change(access, action, table));
    match context.action {
        // The schema of `temp` is such a table too, and the only sign of `CREATE TRIGGER temp.x`.
        AuthAction::Insert { .. } if is_temp(context) => Verdict::Taint,
        _ if is_temp(context) || phase == Phase::Connect => Verdict::Allow,
        AuthAction::Read { .. } if phase == Phase::Run => Verdict::Allow,
        AuthAction::Read { table_name, column_name } => {
            table_policy::read(access, change, table_name, column_name)
        }
        _ if is_inner => write(access),
        AuthAction::Insert { table_name } => judge(TableAction::DataAdd, table_name),
        AuthAction::Update { table_name, .. } => judge(TableAction::DataUpdate, table_name),
        AuthAction::Delete { table_name } => judge(TableAction::DataDelete, table_name),
        _ => write(access).and(|| all_tables(access, "REINDEX")),
    }
}

fn schema(access: &Access, phase: Phase, action: &AuthAction<'_>) -> Verdict {
    // Nobody but ANALYZE can make these, and what it finds out is about rows.
    if matches!(action, AuthAction::CreateTable { table_name } if is_statistics(table_name)) {
        return write(access).and(|| table_policy::schema(access, action));
    }
    ddl(access).and(|| match phase {
        Phase::Run => Verdict::Allow,
        _ => table_policy::schema(access, action),
    })
}

fn is_statistics(table: &str) -> bool {
    matches!(table, "sqlite_stat1" | "sqlite_stat4")
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
        (true, false) => match &access.schema {
            Some(schema) => Verdict::Deny(format!(
                "the schema of this database is that of the schema database {schema}; change it there"
            )),
            None => deny("this access may not change the schema"),
        },
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
    // What it reads is in other tables, and it reads that by the right of the server.
    let what = "CREATE VIRTUAL TABLE";
    if is_temp {
        all_tables(access, what).and(|| Verdict::Taint)
    } else {
        ddl(access).and(|| all_tables(access, what))
    }
}

/// ATTACH reaches files by name. VACUUM attaches a nameless temporary file while it runs, and VACUUM INTO
/// a file with a name.
fn attach(access: &Access, phase: Phase, filename: &str) -> Verdict {
    match phase {
        Phase::Run if filename.is_empty() => ddl(access).and(|| all_tables(access, "VACUUM")),
        Phase::Run => deny("VACUUM INTO is not available: it writes a file on the server"),
        Phase::Prepare | Phase::Connect => deny(
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
        (Use::Maintain, _) => write(access).and(|| all_tables(access, name)),
        (Use::Write(shape) | Use::Connection(shape), Some(argument)) if !shape.fits(argument) => {
            Verdict::Deny(format!(
                "PRAGMA {name} cannot be set to '{argument}' here, only to {}",
                shape.describe()
            ))
        }
        // What migration tools keep there belongs to the schema, which a child has from elsewhere.
        (Use::Write(_), Some(_)) if access.schema.is_some() => ddl(access),
        (Use::Write(_), Some(_)) => write(access).and(|| all_tables(access, name)),
        (Use::Connection(_), Some(_)) => Verdict::Taint,
    }
}
