//! What is not a message, and how the error says so, in `vectors/refused.txt`.
//!
//! `UPDATE_EXPECT=1` rewrites the messages; what changes is for a human to judge.

use crate::common::{codec, from_hex, path};

#[test]
fn every_refusal_has_its_recorded_message() {
    let text = std::fs::read_to_string(path("refused.txt")).expect("it is in the repository");
    let mut found = String::new();
    let mut message = None;
    for line in text.lines() {
        match line.strip_prefix('=') {
            Some(_) => {
                let message: String = message.take().expect("a message comes after its input");
                found += format!("= {message}\n").as_str();
            }
            None => {
                found += &format!("{line}\n");
                message = refusal(line);
            }
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path("refused.txt"), found).expect("the file can be written");
        return;
    }
    for (found, recorded) in found.lines().zip(text.lines()) {
        assert_eq!(found, recorded);
    }
}

/// The message for `json Type input` or `proto Type input`; `None` for any other line.
fn refusal(line: &str) -> Option<String> {
    let mut words = line.splitn(3, ' ');
    let (encoding, kind) = (words.next()?, words.next()?);
    let input = words.next().unwrap_or_default();
    let decoded = match encoding {
        "json" => (codec(kind).from_json)(input.replace('⏎', "\n").as_bytes()),
        "proto" => (codec(kind).from_proto?)(&from_hex(input)),
        _ => return None,
    };
    match decoded {
        Err(error) => Some(error.to_string()),
        Ok(message) => panic!("{line}\nis not refused: {}", message.rust()),
    }
}
