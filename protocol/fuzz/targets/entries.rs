//! The bodies of HTTP cursors: structures one after the other, of which the last may be cut short.

#![no_main]

use hrana_protocol_fuzz::{check_entries, write_bodies};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: write_bodies("entries"), |input: &[u8]| check_entries(input));
