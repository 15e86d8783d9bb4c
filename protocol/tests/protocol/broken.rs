//! No input at all makes decoding panic.

use crate::common::{AnyMessage, Decoded, all_vectors, from_hex};
use crate::random::Random;

type Decode = fn(&[u8]) -> Decoded;
type Encode = fn(&dyn AnyMessage) -> Vec<u8>;

/// What was decoded from broken input must be as good as any other message.
fn check(decode: Decode, encode: Encode, input: &[u8]) {
    if let Ok(message) = decode(input) {
        let again = decode(&encode(&*message)).unwrap_or_else(|error| {
            panic!("{input:x?} is {}, which does not decode: {error}", message.rust())
        });
        assert_eq!(again.rust(), message.rust(), "{input:x?}");
    }
}

fn to_json(message: &dyn AnyMessage) -> Vec<u8> {
    message.json().into_bytes()
}

fn to_proto(message: &dyn AnyMessage) -> Vec<u8> {
    message.proto().expect("what was read from Protobuf has it")
}

/// Calls `test` with every input of the vectors, its decoder and its encoder.
fn each_input(mut test: impl FnMut(Decode, Encode, Vec<u8>)) {
    for vector in all_vectors() {
        for (key, text) in &vector.lines {
            match (key.as_str(), vector.codec.from_proto) {
                ("json" | "also json", _) => {
                    test(vector.codec.from_json, to_json, text.clone().into_bytes());
                }
                ("proto" | "also proto", Some(decode)) => test(decode, to_proto, from_hex(text)),
                _ => {}
            }
        }
    }
}

#[test]
fn truncated_input_does_not_panic() {
    each_input(|decode, encode, input| {
        for end in 0..input.len() {
            check(decode, encode, &input[..end]);
        }
    });
}

#[test]
fn changed_input_does_not_panic() {
    let random = &mut Random(3);
    each_input(|decode, encode, input| {
        for _ in 0..300 {
            let mut changed = input.clone();
            for _ in 0..=random.below(4) {
                change(random, &mut changed);
            }
            check(decode, encode, &changed);
        }
    });
}

/// Overwrites, inserts, removes or doubles something.
fn change(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() + 1);
    let end = at + random.below(bytes.len() + 1 - at).min(16);
    match random.below(5) {
        0 => bytes.insert(at, random.next() as u8),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        3 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        _ if at < bytes.len() => bytes[at] = random.next() as u8,
        _ => {}
    }
}
