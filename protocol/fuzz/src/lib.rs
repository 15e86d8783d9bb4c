//! What the targets check, and the inputs that they begin with: the vectors of the tests.
//!
//! The first byte of an input says which message type is meant, or how to read; the rest is the message.

#[path = "../../tests/protocol/common.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod common;
mod entries;
#[path = "../../tests/protocol/memory.rs"]
mod memory;
mod seeds;

use common::{AnyMessage, Codec, Decoded, codecs};

pub use entries::check_entries;
pub use seeds::{write_bodies, write_seeds};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Protobuf,
}

impl Form {
    const BOTH: [Form; 2] = [Form::Json, Form::Protobuf];

    /// Decodes, within bounds of memory. `None` if the type does not exist in this encoding.
    fn decode(self, codec: &Codec, input: &[u8]) -> Option<Decoded> {
        let decode = match self {
            Form::Json => codec.from_json,
            Form::Protobuf => codec.from_proto?,
        };
        Some(bounded(codec.name, input.len(), || decode(input)))
    }

    fn encode(self, message: &dyn AnyMessage) -> Vec<u8> {
        match self {
            Form::Json => message.json().into_bytes(),
            Form::Protobuf => message.proto().expect("the type has it"),
        }
    }
}

/// Runs `decode` and checks that it took no more than its share of memory.
fn bounded<T>(kind: &str, input: usize, decode: impl FnOnce() -> T) -> T {
    // In Protobuf a batch result names its steps by number: a few bytes make a vector of many skipped ones.
    const SKIPPED_STEPS: usize = 32 * 1024 * 1024;
    let has_steps = ["BatchRes", "StreamRes", "PipelineResp", "ServerMsg"];
    let skipped = has_steps.iter().any(|part| kind.contains(part));
    let (decoded, taken) = memory::measured(decode);
    let bound = memory::share(kind, input) + if skipped { SKIPPED_STEPS } else { 0 };
    assert!(taken <= bound, "{kind} of {input} bytes took {taken} bytes of memory");
    decoded
}

/// Splits an input into its first byte and the message.
fn split(input: &[u8]) -> Option<(usize, &[u8])> {
    let (first, message) = input.split_first()?;
    Some((usize::from(*first), message))
}

fn codec(number: usize) -> Codec {
    let codecs = codecs();
    codecs[number % codecs.len()]
}

/// What was decoded is written as something that decodes to the same.
pub fn check_stable(form: Form, input: &[u8]) {
    let Some((number, input)) = split(input) else { return };
    let codec = codec(number);
    if let Some(Ok(message)) = form.decode(&codec, input) {
        let again = decode_own(form, &codec, &form.encode(&*message), &*message);
        assert_eq!(again.rust(), message.rust(), "{}", codec.name);
    }
}

/// What was decoded from one encoding can be written in the other, and is the same there.
pub fn check_crossing(input: &[u8]) {
    let Some((number, input)) = split(input) else { return };
    let codec = codec(number / 2);
    let [from, to] = if number % 2 == 0 { Form::BOTH } else { [Form::Protobuf, Form::Json] };
    if codec.from_proto.is_none() {
        return;
    }
    if let Some(Ok(message)) = from.decode(&codec, input) {
        let written = to.encode(&*message);
        let crossed = decode_own(to, &codec, &written, &*message);
        // Not compared as they are: JSON has no infinity, Protobuf no skipped steps at a batch's end.
        assert_eq!(to.encode(&*crossed), written, "{} {}", codec.name, message.rust());
    }
}

fn decode_own(
    form: Form,
    codec: &Codec,
    written: &[u8],
    message: &dyn AnyMessage,
) -> Box<dyn AnyMessage> {
    let decoded = form.decode(codec, written).expect("it has just been written in this form");
    decoded.unwrap_or_else(|error| {
        panic!("{} {} does not decode as {form:?}: {error}", codec.name, message.rust())
    })
}
