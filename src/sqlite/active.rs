//! The statement in execution.

use super::preparation;
use super::regulator::Regulator;
use super::statement::{Statement, Step};
use crate::error::{ErrorKind, Result};

pub(super) struct Active {
    /// Its text, where that will be needed again.
    pub(super) sql: Box<str>,
    pub(super) statement: Statement,
    pub(super) is_cacheable: bool,
    pub(super) begins_read_transaction: bool,
    /// SQLite may have to prepare it anew before its first row, and virtual tables with it.
    pub(super) may_reconnect: bool,
}

impl Active {
    /// Executes up to the next row or the end.
    pub(super) fn step(
        &mut self,
        db: &rusqlite::Connection,
        regulator: &Regulator,
    ) -> Result<Step> {
        let step = regulator.run(|| self.statement.step(db, &regulator.watch));
        let is_first = std::mem::take(&mut self.may_reconnect);
        match &step {
            Err(error) if is_first && error.kind() == ErrorKind::Denied => {
                preparation::connect(db, regulator, &self.sql)?;
                regulator.run(|| self.statement.step(db, &regulator.watch))
            }
            _ => step,
        }
    }

    /// Goes back to the beginning with the same arguments.
    pub(super) fn rewind(&mut self) {
        self.statement.rewind();
        self.may_reconnect = !self.sql.is_empty();
    }
}
