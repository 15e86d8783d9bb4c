//! The recorded form of every message in both encodings, in `vectors/*.txt`.
//!
//! `UPDATE_EXPECT=1` rewrites the recorded forms from the first JSON text of each vector (from its
//! Protobuf bytes where there is none); what changes is for a human to judge.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::common::{self, Vector, all_vectors, codecs, from_hex, to_hex};

#[test]
fn every_vector_has_its_recorded_forms() {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        common::FILES.into_iter().for_each(update);
    }
    let failures: Vec<String> = all_vectors().iter().flat_map(check).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_type_has_a_vector() {
    let all = all_vectors();
    let seen: BTreeSet<&str> = all.iter().map(|vector| vector.codec.name).collect();
    let missing: Vec<&str> =
        codecs().iter().map(|codec| codec.name).filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "no vector for {missing:?}");
}

/// Everything that is wrong with one vector.
fn check(vector: &Vector) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(debug) = vector.get("debug") else {
        return vec![format!("{}: no line `debug`", vector.place)];
    };
    let mut same = |what: &str, found: &str, recorded: &str| {
        if found != recorded {
            let place = &vector.place;
            wrong.push(format!("{place}: {what}\n   found: {found}\nrecorded: {recorded}\n"));
        }
    };
    for (key, text) in &vector.lines {
        let decoded = match key.as_str() {
            "json" | "also json" => (vector.codec.from_json)(text.as_bytes()),
            "proto" | "also proto" => match vector.codec.from_proto {
                Some(decode) => decode(&from_hex(text)),
                None => panic!("{}: the type has no Protobuf form", vector.place),
            },
            "json out" | "debug" => continue,
            _ => panic!("{}: what is `{key}`?", vector.place),
        };
        let message = match decoded {
            Ok(message) => message,
            Err(error) => {
                same(&format!("decoding {text}"), &error.to_string(), debug);
                continue;
            }
        };
        same(&format!("decoding {text}"), &message.rust(), debug);
        let json = vector.get("json").or(vector.get("json out")).unwrap_or("a line `json`");
        same(&format!("JSON of {text}"), &message.json(), json);
        if let Some(bytes) = message.proto() {
            let proto = vector.get("proto").unwrap_or("a line `proto`");
            same(&format!("Protobuf of {text}"), &to_hex(&bytes), proto);
        }
    }
    wrong
}

fn update(file: &str) {
    let text = std::fs::read_to_string(common::path(file)).expect("the file is in the repository");
    let mut out = String::new();
    let mut vectors = common::read(file).into_iter();
    for line in text.lines() {
        match line.split_once(':') {
            // These follow the title, below.
            Some(("json" | "json out" | "proto" | "debug", _)) => {}
            _ => writeln!(out, "{line}").expect("a String takes every write"),
        }
        if line.starts_with('[') {
            let vector = vectors.next().expect("as many vectors as titles");
            out.push_str(&recorded_lines(&vector));
        }
    }
    std::fs::write(common::path(file), out).expect("the file can be written");
}

fn recorded_lines(vector: &Vector) -> String {
    let (key, decoded) = match (vector.get("json"), vector.get("proto"), vector.codec.from_proto) {
        (Some(text), _, _) => ("json", (vector.codec.from_json)(text.as_bytes())),
        (None, Some(hex), Some(decode)) => ("json out", decode(&from_hex(hex))),
        _ => panic!("{}: neither `json` nor `proto` to update from", vector.place),
    };
    let message = decoded.unwrap_or_else(|error| panic!("{}: {error}", vector.place));
    let mut lines = format!("{key}: {}\n", message.json());
    if let Some(bytes) = message.proto() {
        lines += format!("proto: {}", to_hex(&bytes)).trim_end();
        lines.push('\n');
    }
    lines += &format!("debug: {}\n", message.rust());
    lines
}
