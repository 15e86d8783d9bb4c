//! Writes the vectors down as files, for the fuzzer to begin with.

use std::fs;
use std::path::PathBuf;

use hrana_protocol::cursor::write_entry;
use hrana_protocol::{CursorEntry, Encoding, json};

use crate::Form;
use crate::common::{Vector, all_vectors, codecs, from_hex};

fn write(target: &str, inputs: Vec<Vec<u8>>) {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&directory).expect("the directory can be made");
    for (number, input) in inputs.iter().enumerate() {
        fs::write(directory.join(format!("vector-{number}")), input)
            .expect("a file can be written");
    }
}

/// The messages of a vector in one form.
fn messages(vector: &Vector, form: Form) -> Vec<Vec<u8>> {
    let of = |keys: [&str; 2]| {
        let is_one = move |line: &&(String, String)| keys.contains(&line.0.as_str());
        vector.lines.iter().filter(is_one).map(|line| line.1.clone()).collect::<Vec<_>>()
    };
    match form {
        Form::Json => of(["json", "also json"]).into_iter().map(String::into_bytes).collect(),
        Form::Protobuf => of(["proto", "also proto"]).iter().map(|text| from_hex(text)).collect(),
    }
}

/// Seeds that begin with the number of the message type; with two forms, that doubled, plus the form.
pub fn write_seeds(target: &str, forms: &[Form]) {
    let names: Vec<_> = codecs().iter().map(|codec| codec.name).collect();
    let mut inputs = Vec::new();
    for vector in all_vectors() {
        let number = names.iter().position(|name| *name == vector.codec.name).expect("it is one");
        for (index, form) in forms.iter().enumerate() {
            let first = u8::try_from(number * forms.len() + index).expect("there are few types");
            let message = |message: Vec<u8>| [vec![first], message].concat();
            inputs.extend(messages(&vector, *form).into_iter().map(message));
        }
    }
    write(target, inputs);
}

/// Bodies of all entries, cut in the middle.
pub fn write_bodies(target: &str) {
    let is_entry = |vector: &Vector| vector.codec.name == "CursorEntry";
    let texts = all_vectors().into_iter().filter(is_entry).flat_map(|v| messages(&v, Form::Json));
    let entries: Vec<CursorEntry> = texts.filter_map(|text| json::decode(&text).ok()).collect();
    let mut inputs = Vec::new();
    for (number, encoding) in [(128, Encoding::Json), (129, Encoding::Protobuf)] {
        for group in [1, 3, entries.len()] {
            for some in entries.chunks(group) {
                let mut input = vec![number];
                some.iter().for_each(|entry| write_entry(encoding, entry, &mut input));
                inputs.push(input);
            }
        }
    }
    write(target, inputs);
}
