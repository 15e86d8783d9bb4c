//! Messages that are read in one encoding and written in the other.

#![no_main]

use hrana_protocol_fuzz::{Form, check_crossing, write_seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: write_seeds("crossing", &[Form::Json, Form::Protobuf]), |input: &[u8]| {
    check_crossing(input);
});
