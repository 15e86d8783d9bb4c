//! What a statement is without executing it (*Result of describing a statement*).

use serde::{Deserialize, Serialize};

/// The answer to `describe`; from Hrana 2 on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribeResult {
    /// One entry per parameter index from 1 on.
    pub params: Vec<DescribeParam>,
    /// One entry per column of the result.
    pub cols: Vec<DescribeCol>,
    /// It begins with `EXPLAIN`.
    pub is_explain: bool,
    /// It does not change the database.
    pub is_readonly: bool,
}

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribeParam {
    /// With its prefix (`?5`, `:a`, `@a`, `$a`); `None` for `?` and for an index that is not used.
    pub name: Option<String>,
}

/// A column of the result of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribeCol {
    /// As given by `AS`; whatever SQLite makes of the expression otherwise.
    pub name: String,
    /// The type in the table's declaration; `None` for an expression.
    pub decltype: Option<String>,
}
