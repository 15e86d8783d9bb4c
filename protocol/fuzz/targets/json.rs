//! JSON texts of every message type.

#![no_main]

use hrana_protocol_fuzz::{Form, check_stable, write_seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: write_seeds("json", &[Form::Json]), |input: &[u8]| {
    check_stable(Form::Json, input);
});
