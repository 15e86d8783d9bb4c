//! Arguments of a statement, and which parameter each of them belongs to.

use hrana_protocol::{NamedArg, Value};

use super::statement::Statement;
use crate::error::{Error, ErrorKind, Result};

/// What a client gives to be bound (*Statements* in the Hrana specification).
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    pub positional: Vec<Value>,
    pub named: Vec<NamedArg>,
}

impl Arguments {
    /// Finds for each parameter its argument.
    ///
    /// Both kinds in one statement are refused: the Hrana specification leaves that open, Turso's
    /// *SQL over HTTP* demands it.
    fn assign<'a>(&'a self, statement: &Statement) -> Result<Vec<&'a Value>> {
        if !self.positional.is_empty() && !self.named.is_empty() {
            return Err(invalid("give them all by position or all by name, not both"));
        }
        let count = statement.parameter_count();
        if self.positional.len() > count {
            let given = self.positional.len();
            return Err(invalid(&format!("too many: {given} are given, {count} are expected")));
        }
        let mut assigned: Vec<Option<&Value>> = self.positional.iter().map(Some).collect();
        assigned.resize(count, None);
        for argument in &self.named {
            let is_meant = |index: &usize| {
                let name = statement.parameter_name(*index);
                name.is_some_and(|name| name == argument.name || name[1..] == argument.name)
            };
            let index = (1..=count).find(is_meant).ok_or_else(|| {
                invalid(&format!("there is no parameter called `{}`", argument.name))
            })?;
            assigned[index - 1] = Some(&argument.value);
        }
        let or_missing = |(index, value): (usize, Option<&'a Value>)| match value {
            Some(value) => Ok(value),
            // EXPLAIN shows the plan for any value.
            None if statement.is_explain => Ok(&Value::Null),
            None => Err(match statement.parameter_name(index + 1) {
                Some(name) => invalid(&format!("the parameter {name} has no value")),
                None => invalid(&format!("parameter {} has no value", index + 1)),
            }),
        };
        assigned.into_iter().enumerate().map(or_missing).collect()
    }

    /// How much there is to copy.
    pub(super) fn bytes(&self) -> usize {
        let named = self.named.iter().map(|argument| &argument.value);
        let size = |value: &Value| match value {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            Value::Null | Value::Integer(_) | Value::Float(_) => 0,
        };
        self.positional.iter().chain(named).map(size).sum()
    }

    /// Binds the arguments to a statement of `db`.
    pub(super) fn bind(&self, db: &rusqlite::Connection, statement: &mut Statement) -> Result<()> {
        // As almost always.
        if self.named.is_empty() && self.positional.len() == statement.parameter_count() {
            return Self::bind_each(db, statement, self.positional.iter());
        }
        let assigned = self.assign(statement)?;
        Self::bind_each(db, statement, assigned.into_iter())
    }

    fn bind_each<'a>(
        db: &rusqlite::Connection,
        statement: &mut Statement,
        values: impl Iterator<Item = &'a Value>,
    ) -> Result<()> {
        for (index, value) in values.enumerate() {
            statement.bind(db, index + 1, value)?;
        }
        Ok(())
    }
}

fn invalid(what: &str) -> Error {
    Error::new(
        ErrorKind::ArgsInvalid,
        format!("the arguments do not match the parameters of the statement: {what}"),
    )
}
