//! Protobuf bytes of every message type.

#![no_main]

use hrana_protocol_fuzz::{Form, check_stable, write_seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: write_seeds("protobuf", &[Form::Protobuf]), |input: &[u8]| {
    check_stable(Form::Protobuf, input);
});
