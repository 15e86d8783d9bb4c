//! The part of the policy that is about single tables: what an access with [`TablePermissions`] may do to which.
//!
//! Everything that a statement touches needs a right of its own: also what is behind a view, what triggers and
//! foreign keys do, and the table that REPLACE deletes from.
//!
//! [`TablePermissions`]: crate::auth::TablePermissions

use rusqlite::hooks::AuthAction;

use super::policy::{Condition, SchemaChange, Verdict, needs_all};
use crate::auth::{Access, TableAction};

/// Table-valued functions that tell nothing of a table's rows. A table of one's own may have such a name.
const FUNCTIONS: [&str; 4] = ["json_each", "json_tree", "jsonb_each", "jsonb_tree"];
const PRAGMAS: &str = "pragma_";

/// The schema itself, which everybody may read. SQLite lets nobody write to it but itself.
const SCHEMAS: [&str; 4] =
    ["sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"];

/// Where SQLite keeps what it has to change with a table.
const OWN_TABLES: [&str; 3] = ["sqlite_sequence", "sqlite_stat1", "sqlite_stat4"];

pub(super) fn lacks(action: TableAction, table: &str) -> String {
    format!("this access has no right {action} on the table {table}")
}

fn demand(access: &Access, action: TableAction, table: &str) -> Verdict {
    if access.allows(action, table) { Verdict::Allow } else { Verdict::Deny(lacks(action, table)) }
}

fn is_schema(table: &str) -> bool {
    SCHEMAS.iter().any(|name| table.eq_ignore_ascii_case(name))
}

/// Without a column SQLite names whatever stands behind FROM, as the client calls it, if no value of it is used;
/// that may be a table of the file, but also one of WITH, a temporary one, or a function.
pub(super) fn read(
    access: &Access,
    change: Option<SchemaChange>,
    table: &str,
    column: &str,
) -> Verdict {
    let is_of_change = match change {
        Some(SchemaChange::Index) => true,
        Some(SchemaChange::Existing) => OWN_TABLES.contains(&table),
        Some(SchemaChange::Create) | None => false,
    };
    if access.tables.is_none()
        || is_of_change
        || is_schema(table)
        || access.allows(TableAction::DataRead, table)
    {
        return Verdict::Allow;
    }
    let is_function = FUNCTIONS.iter().any(|name| table.eq_ignore_ascii_case(name))
        || table.get(..PRAGMAS.len()).is_some_and(|start| start.eq_ignore_ascii_case(PRAGMAS));
    if column.is_empty() || is_function {
        Verdict::If(Condition::Absent { table: table.to_owned() })
    } else {
        Verdict::Deny(lacks(TableAction::DataRead, table))
    }
}

/// A change of rows.
pub(super) fn change(access: &Access, action: TableAction, table: &str) -> Verdict {
    if access.tables.is_none() || is_schema(table) {
        return Verdict::Allow;
    }
    let may_replace =
        action == TableAction::DataDelete || access.allows(TableAction::DataDelete, table);
    match demand(access, action, table) {
        Verdict::Allow if !may_replace => {
            Verdict::If(Condition::NotReplacing { table: table.to_owned() })
        }
        verdict => verdict,
    }
}

/// A change of the schema; indexes and triggers are a part of their table.
pub(super) fn schema(access: &Access, action: &AuthAction<'_>) -> Verdict {
    if access.tables.is_none() {
        return Verdict::Allow;
    }
    let (action, table) = match *action {
        AuthAction::CreateTable { table_name }
        | AuthAction::CreateView { view_name: table_name }
        | AuthAction::CreateIndex { table_name, .. } => (TableAction::SchemaAdd, table_name),
        AuthAction::AlterTable { table_name, .. } => (TableAction::SchemaUpdate, table_name),
        AuthAction::DropTable { table_name }
        | AuthAction::DropVtable { table_name, .. }
        | AuthAction::DropView { view_name: table_name }
        | AuthAction::DropIndex { table_name, .. }
        | AuthAction::DropTrigger { table_name, .. } => (TableAction::SchemaDelete, table_name),
        // It acts by the rights of whoever sets it off later.
        AuthAction::CreateTrigger { .. } => return Verdict::Deny(needs_all("CREATE TRIGGER")),
        ref other => return Verdict::Deny(format!("this is not allowed here: {other:?}")),
    };
    // Nobody but SQLite itself can name it so: it keeps the numbers of AUTOINCREMENT.
    if action == TableAction::SchemaAdd && table.eq_ignore_ascii_case("sqlite_sequence") {
        return Verdict::Allow;
    }
    demand(access, action, table)
}
