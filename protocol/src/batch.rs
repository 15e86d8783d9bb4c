//! Batches, their conditions and results (*Batches* in the specification).

use serde::{Deserialize, Serialize};

use crate::error::{DecodeError, Error, present};
use crate::stmt::{Stmt, StmtResult};

/// Statements executed in order, each under an optional condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Named by their index from 0, in conditions and in results.
    pub steps: Vec<BatchStep>,
}

/// One statement of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchStep {
    /// `None`: always executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<BatchCond>,
    pub stmt: Stmt,
}

/// When a step is executed. Steps are named by their index from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "BatchCondFields")]
pub enum BatchCond {
    /// The step was executed and succeeded.
    Ok { step: u32 },
    /// The step did not succeed: it failed, or it was skipped.
    ///
    /// The Hrana 3 specification calls this false for a skipped step; `sqld`, the newer
    /// `serverless/PROTOCOL.md` and its conformance suite read it as "not ok", and so does this
    /// crate.
    Error { step: u32 },
    /// The opposite.
    Not { cond: Box<BatchCond> },
    /// All of them; true if there are none.
    And { conds: Vec<BatchCond> },
    /// Any of them; false if there are none.
    Or { conds: Vec<BatchCond> },
    /// The stream is outside a transaction; from Hrana 3 on.
    IsAutocommit,
}

/// The fields of every condition; read in one pass, where a tagged enum would copy what is nested
/// once per level.
#[derive(Deserialize)]
#[serde(expecting = "struct BatchCond")]
struct BatchCondFields {
    #[serde(rename = "type")]
    kind: BatchCondKind,
    step: Option<u32>,
    cond: Option<Box<BatchCond>>,
    conds: Option<Vec<BatchCond>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum BatchCondKind {
    Ok,
    Error,
    Not,
    And,
    Or,
    IsAutocommit,
}

impl TryFrom<BatchCondFields> for BatchCond {
    type Error = DecodeError;

    fn try_from(fields: BatchCondFields) -> Result<Self, DecodeError> {
        let BatchCondFields { kind, step, cond, conds } = fields;
        Ok(match kind {
            BatchCondKind::Ok => BatchCond::Ok { step: present(step, "ok", "step")? },
            BatchCondKind::Error => BatchCond::Error { step: present(step, "error", "step")? },
            BatchCondKind::Not => BatchCond::Not { cond: present(cond, "not", "cond")? },
            BatchCondKind::And => BatchCond::And { conds: present(conds, "and", "conds")? },
            BatchCondKind::Or => BatchCond::Or { conds: present(conds, "or", "conds")? },
            BatchCondKind::IsAutocommit => BatchCond::IsAutocommit,
        })
    }
}

/// What became of an earlier step, as far as conditions ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It was executed and has a result.
    Ok,
    /// It was executed and has an error.
    Error,
    /// It was not executed, because its condition was false.
    Skipped,
}

impl BatchCond {
    /// Evaluates the condition for the next step, given the outcomes of all steps before it.
    ///
    /// # Panics
    /// If the condition names a step that is not before this one: see [`Batch::check`].
    pub fn eval(&self, outcomes: &[StepOutcome], is_autocommit: bool) -> bool {
        match self {
            BatchCond::Ok { step } => outcomes[*step as usize] == StepOutcome::Ok,
            BatchCond::Error { step } => outcomes[*step as usize] != StepOutcome::Ok,
            BatchCond::Not { cond } => !cond.eval(outcomes, is_autocommit),
            BatchCond::And { conds } => conds.iter().all(|c| c.eval(outcomes, is_autocommit)),
            BatchCond::Or { conds } => conds.iter().any(|c| c.eval(outcomes, is_autocommit)),
            BatchCond::IsAutocommit => is_autocommit,
        }
    }

    /// The highest step that the condition names.
    fn last_step(&self) -> Option<u32> {
        match self {
            BatchCond::Ok { step } | BatchCond::Error { step } => Some(*step),
            BatchCond::Not { cond } => cond.last_step(),
            BatchCond::And { conds } | BatchCond::Or { conds } => {
                conds.iter().filter_map(BatchCond::last_step).max()
            }
            BatchCond::IsAutocommit => None,
        }
    }
}

impl Batch {
    /// Checks that conditions look only backwards. `Err` holds the index of the first step that
    /// does not.
    pub fn check(&self) -> Result<(), usize> {
        let looks_ahead = |(index, step): (usize, &BatchStep)| {
            let last = step.condition.as_ref().and_then(BatchCond::last_step)?;
            (last as usize >= index).then_some(index)
        };
        match self.steps.iter().enumerate().find_map(looks_ahead) {
            Some(index) => Err(index),
            None => Ok(()),
        }
    }
}

/// Results and errors by step; a skipped step has neither.
///
/// Protobuf holds the two as maps without the number of steps: decoded from there, both vectors end
/// with the last step that was not skipped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchResult {
    /// One item per step; `Some` where it succeeded.
    pub step_results: Vec<Option<StmtResult>>,
    /// One item per step; `Some` where it failed.
    pub step_errors: Vec<Option<Error>>,
}
