//! Cursor entries: a batch result in small pieces (*Cursor entries* in the specification).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::stmt::Col;
use crate::value::Value;

/// One piece of the result of a batch. A skipped step produces none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CursorEntry {
    StepBegin {
        step: u32,
        #[serde(with = "crate::json::shared_slice")]
        cols: Arc<[Col]>,
    },
    Row {
        row: Vec<Value>,
    },
    StepEnd {
        affected_row_count: u64,
        /// A string in JSON, as the specification and the TypeScript client want it.
        #[serde(default, with = "crate::json::optional_i64")]
        last_insert_rowid: Option<i64>,
    },
    StepError {
        step: u32,
        error: Error,
    },
    /// The whole batch failed; always the last entry.
    Error {
        error: Error,
    },
}
