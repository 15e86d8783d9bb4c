//! Rights on single tables, as the CLI's `--permissions` writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a client may do to single tables: the union of all rules. Its JSON is that of the CLI,
/// `[{"t":["comments"],"a":["data_read"]},{"t":null,"a":["schema_add"]}]`. Without a rule nothing is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TablePermissions {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// Names of tables or views; `None` is all of them.
    #[serde(rename = "t")]
    tables: Option<Vec<String>>,
    #[serde(rename = "a")]
    actions: Actions,
}

/// Something done to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableAction {
    DataRead,
    DataAdd,
    DataUpdate,
    DataDelete,
    /// Creates the table, or an index of it.
    SchemaAdd,
    /// Alters the table. Who may rename a table may give it the name of any other one.
    SchemaUpdate,
    /// Drops the table, or an index or trigger of it.
    SchemaDelete,
}

impl TableAction {
    pub const ALL: [TableAction; 7] = [
        TableAction::DataRead,
        TableAction::DataAdd,
        TableAction::DataUpdate,
        TableAction::DataDelete,
        TableAction::SchemaAdd,
        TableAction::SchemaUpdate,
        TableAction::SchemaDelete,
    ];

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for TableAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TableAction::DataRead => "data_read",
            TableAction::DataAdd => "data_add",
            TableAction::DataUpdate => "data_update",
            TableAction::DataDelete => "data_delete",
            TableAction::SchemaAdd => "schema_add",
            TableAction::SchemaUpdate => "schema_update",
            TableAction::SchemaDelete => "schema_delete",
        })
    }
}

/// A set of actions; in JSON a list of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<TableAction>", into = "Vec<TableAction>")]
struct Actions(u8);

impl From<Vec<TableAction>> for Actions {
    fn from(actions: Vec<TableAction>) -> Self {
        Actions(actions.into_iter().fold(0, |set, action| set | action.bit()))
    }
}

impl From<Actions> for Vec<TableAction> {
    fn from(actions: Actions) -> Self {
        TableAction::ALL.into_iter().filter(|action| actions.0 & action.bit() != 0).collect()
    }
}

impl TablePermissions {
    /// Whether a rule allows `action` on `table`. SQLite's names know no case in ASCII.
    pub fn allows(&self, action: TableAction, table: &str) -> bool {
        self.rules.iter().any(|rule| {
            rule.actions.0 & action.bit() != 0
                && rule
                    .tables
                    .as_ref()
                    .is_none_or(|names| names.iter().any(|name| name.eq_ignore_ascii_case(table)))
        })
    }

    /// Whether the rules name no table and leave out no action, which is as good as having none.
    pub fn is_everything(&self) -> bool {
        let of_all = self.rules.iter().filter(|rule| rule.tables.is_none());
        let actions = of_all.fold(0, |set, rule| set | rule.actions.0);
        TableAction::ALL.iter().all(|action| actions & action.bit() != 0)
    }

    /// Whether there is no rule at all. The CLI sends such a list where it means "no restriction".
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{TableAction, TablePermissions};

    fn parse(json: &str) -> TablePermissions {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_the_cli_sends_is_understood_and_written_again() {
        for json in [
            "[]",
            r#"[{"t":null,"a":["data_read"]}]"#,
            r#"[{"t":["comments"],"a":["data_read","data_add"]},{"t":null,"a":["schema_add"]}]"#,
            r#"[{"t":["a","b"],"a":["data_read","data_add","data_update","data_delete","schema_add","schema_update","schema_delete"]}]"#,
        ] {
            assert_eq!(serde_json::to_string(&parse(json)).unwrap(), json);
        }
        for json in [
            r#"[{"t":null,"a":["data_write"]}]"#,
            r#"[{"t":"comments","a":["data_read"]}]"#,
            r#"[{"t":null,"a":"data_read"}]"#,
            r#"[{"t":null}]"#,
            r#"[{"t":null,"a":["data_read"],"x":1}]"#,
            r#"{"t":null,"a":["data_read"]}"#,
        ] {
            assert!(serde_json::from_str::<TablePermissions>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn rules_add_up_and_nothing_else_is_allowed() {
        let some = parse(
            r#"[{"t":["Comments"],"a":["data_add"]},{"t":null,"a":["data_read"]},{"t":[],"a":["data_delete"]}]"#,
        );
        for (action, table, allowed) in [
            (TableAction::DataRead, "users", true),
            (TableAction::DataAdd, "comments", true),
            (TableAction::DataAdd, "users", false),
            (TableAction::DataDelete, "comments", false),
            (TableAction::SchemaAdd, "comments", false),
        ] {
            assert_eq!(some.allows(action, table), allowed, "{action} {table}");
        }
        assert!(!parse("[]").allows(TableAction::DataRead, "t"));
    }

    #[test]
    fn everything_is_every_action_on_all_tables() {
        let halves = r#"[{"t":null,"a":["data_read","data_add","data_update","data_delete"]},{"t":null,"a":["schema_add","schema_update","schema_delete"]}]"#;
        let of_one = r#"[{"t":["t"],"a":["data_read","data_add","data_update","data_delete","schema_add","schema_update","schema_delete"]}]"#;
        for (json, is_everything) in [(halves, true), (of_one, false), ("[]", false)] {
            assert_eq!(parse(json).is_everything(), is_everything, "{json}");
        }
    }
}
