//! `Batch`, `BatchCond` and `BatchResult`.

use std::collections::BTreeMap;

use prost::encoding::uint32;

use super::each::{Each, read_fields};
use super::stmt::{Error, Stmt, StmtResult};
use super::{Encode, read_as, variant, write};
use crate::error::{DecodeError, present};

/// How many steps a result may have: as many as the server takes. The maps name steps by number, so
/// that a few bytes could otherwise ask for a vector of 2³² items.
const MAX_STEPS: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Batch {
    steps: Each<crate::BatchStep>,
}

read_fields!(Batch { 1 => steps: each of BatchStep });

#[derive(prost::Message)]
struct BatchStep {
    #[prost(message, optional, tag = "1")]
    condition: Option<BatchCond>,
    #[prost(message, optional, tag = "2")]
    stmt: Option<Stmt>,
}

#[derive(prost::Message)]
struct BatchCond {
    #[prost(oneof = "BatchCondOneof", tags = "1, 2, 3, 4, 5, 6")]
    cond: Option<BatchCondOneof>,
}

#[derive(prost::Oneof)]
enum BatchCondOneof {
    #[prost(uint32, tag = "1")]
    StepOk(u32),
    #[prost(uint32, tag = "2")]
    StepError(u32),
    #[prost(message, boxed, tag = "3")]
    Not(Box<BatchCond>),
    #[prost(message, tag = "4")]
    And(CondList),
    #[prost(message, tag = "5")]
    Or(CondList),
    #[prost(message, tag = "6")]
    IsAutocommit(()),
}

#[derive(Debug, Default)]
struct CondList {
    conds: Each<crate::BatchCond>,
}

read_fields!(CondList { 1 => conds: each of BatchCond });

#[derive(prost::Message)]
pub(super) struct BatchResult {
    #[prost(btree_map = "uint32, message", tag = "1")]
    step_results: BTreeMap<u32, StmtResult>,
    #[prost(btree_map = "uint32, message", tag = "2")]
    step_errors: BTreeMap<u32, Error>,
}

read_as! {
    Batch => crate::Batch,
    BatchCond => crate::BatchCond,
    BatchResult => crate::BatchResult,
}

impl TryFrom<Batch> for crate::Batch {
    type Error = DecodeError;

    fn try_from(message: Batch) -> Result<Self, DecodeError> {
        Ok(crate::Batch { steps: message.steps.into_items()? })
    }
}

impl TryFrom<BatchStep> for crate::BatchStep {
    type Error = DecodeError;

    fn try_from(message: BatchStep) -> Result<Self, DecodeError> {
        Ok(crate::BatchStep {
            condition: message.condition.map(crate::BatchCond::try_from).transpose()?,
            stmt: present(message.stmt, "BatchStep", "stmt")?.try_into()?,
        })
    }
}

impl TryFrom<BatchCond> for crate::BatchCond {
    type Error = DecodeError;

    fn try_from(message: BatchCond) -> Result<Self, DecodeError> {
        Ok(match variant(message.cond, "BatchCond")? {
            BatchCondOneof::StepOk(step) => crate::BatchCond::Ok { step },
            BatchCondOneof::StepError(step) => crate::BatchCond::Error { step },
            BatchCondOneof::Not(cond) => {
                crate::BatchCond::Not { cond: Box::new((*cond).try_into()?) }
            }
            BatchCondOneof::And(list) => crate::BatchCond::And { conds: list.conds.into_items()? },
            BatchCondOneof::Or(list) => crate::BatchCond::Or { conds: list.conds.into_items()? },
            BatchCondOneof::IsAutocommit(()) => crate::BatchCond::IsAutocommit,
        })
    }
}

/// The maps do not say how many steps there were: a batch whose last steps were skipped seems
/// shorter.
impl TryFrom<BatchResult> for crate::BatchResult {
    type Error = DecodeError;

    fn try_from(message: BatchResult) -> Result<Self, DecodeError> {
        let BatchResult { step_results, step_errors } = message;
        let last = step_results.last_key_value().map(|(step, _)| *step);
        let last = last.max(step_errors.last_key_value().map(|(step, _)| *step));
        let len = last.map_or(0, |step| step as usize + 1);
        if len > MAX_STEPS {
            return Err(DecodeError::new(format!(
                "`BatchResult` names step {}, but a batch has at most {MAX_STEPS} steps",
                len - 1
            )));
        }
        Ok(crate::BatchResult {
            step_results: by_step(step_results, len, "step_results")?,
            step_errors: by_step(step_errors, len, "step_errors")?,
        })
    }
}

fn by_step<A, B>(
    map: BTreeMap<u32, A>,
    len: usize,
    field: &str,
) -> Result<Vec<Option<B>>, DecodeError>
where
    B: TryFrom<A, Error = DecodeError>,
{
    let mut steps: Vec<Option<B>> = (0..len).map(|_| None).collect();
    for (step, item) in map {
        let item = B::try_from(item)
            .map_err(|error| DecodeError::new(format!("{field}[{step}]: {error}")))?;
        steps[step as usize] = Some(item);
    }
    Ok(steps)
}

impl Encode for crate::Batch {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        self.steps.iter().for_each(|step| write::message(1, step, out));
    }
}

impl Encode for crate::BatchStep {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        if let Some(condition) = &self.condition {
            write::message(1, condition, out);
        }
        write::message(2, &self.stmt, out);
    }
}

impl Encode for crate::BatchCond {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        let list = |conds: &[crate::BatchCond], out: &mut Vec<u8>| {
            conds.iter().for_each(|cond| write::message(1, cond, out));
        };
        match self {
            crate::BatchCond::Ok { step } => uint32::encode(1, step, out),
            crate::BatchCond::Error { step } => uint32::encode(2, step, out),
            crate::BatchCond::Not { cond } => write::message(3, &**cond, out),
            crate::BatchCond::And { conds } => write::nested(4, out, |out| list(conds, out)),
            crate::BatchCond::Or { conds } => write::nested(5, out, |out| list(conds, out)),
            crate::BatchCond::IsAutocommit => write::empty(6, out),
        }
    }
}

impl Encode for crate::BatchResult {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        write_by_step(1, &self.step_results, out);
        write_by_step(2, &self.step_errors, out);
    }
}

/// A map from step to item, in the order of steps.
fn write_by_step<T: Encode>(tag: u32, steps: &[Option<T>], out: &mut Vec<u8>) {
    for (step, item) in (0u32..).zip(steps) {
        if let Some(item) = item {
            write::nested(tag, out, |out| {
                uint32::encode(1, &step, out);
                write::message(2, item, out);
            });
        }
    }
}
