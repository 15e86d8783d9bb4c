//! What a statement is without executing it (*Result of describing a statement*).

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribeResult {
    /// One entry per parameter index from 1 on.
    pub params: Vec<DescribeParam>,
    pub cols: Vec<DescribeCol>,
    pub is_explain: bool,
    pub is_readonly: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribeParam {
    /// With its prefix (`?5`, `:a`, `@a`, `$a`); `None` for `?` and for an index that is not used.
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribeCol {
    pub name: String,
    pub decltype: Option<String>,
}
