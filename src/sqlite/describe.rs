//! What a statement is, without executing it.

use hrana_protocol::{Col, DescribeCol, DescribeParam, DescribeResult};

use super::connection::Connection;
use super::execution::{no_statement, refuse_nul};
use crate::error::Result;
use crate::limits;

impl Connection {
    /// Prepares the first statement of `sql` and tells about it: the Rust client describes a whole text, and executes
    /// its first statement then. SQLite runs some pragmas while it prepares them; the policy has
    /// its say about those as well.
    pub fn describe(&mut self, sql: &str) -> Result<DescribeResult> {
        let result = self.describe_active(sql);
        self.abandon();
        result
    }

    fn describe_active(&mut self, sql: &str) -> Result<DescribeResult> {
        self.interruption().allow(limits::OWN_STATEMENT);
        refuse_nul(sql)?;
        self.abandon();
        self.refresh_schema()?;
        let (statement, _) = self.prepare_anew(sql)?;
        let statement = statement.ok_or_else(no_statement)?;
        let name =
            |index| DescribeParam { name: statement.parameter_name(index).map(str::to_owned) };
        let params = (1..=statement.parameter_count()).map(name).collect();
        let (is_explain, is_readonly) = (statement.is_explain, statement.is_readonly);
        let describe_col = |col: &Col| DescribeCol {
            name: col.name.clone().unwrap_or_default(),
            decltype: col.decltype.clone(),
        };
        let cols = self.cols().iter().map(describe_col).collect();
        Ok(DescribeResult { params, cols, is_explain, is_readonly })
    }
}
