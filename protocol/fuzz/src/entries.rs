//! Bodies of HTTP cursors.

use hrana_protocol::cursor::read_entry;
use hrana_protocol::{CursorEntry, Encoding};

use crate::{bounded, split};

/// What arrives in two pieces is read as what arrives in one.
pub fn check_entries(input: &[u8]) {
    let Some((number, body)) = split(input) else { return };
    let encoding = if number % 2 == 0 { Encoding::Json } else { Encoding::Protobuf };
    let whole = read(encoding, &[body]);
    let cut = body.len() * (number / 2) / 128;
    let (first, second) = body.split_at(cut);
    assert_eq!(read(encoding, &[first, second]), whole, "{encoding:?} cut at {cut}");
}

/// The entries, the last of which may say why there are no more; and how much was left.
fn read(encoding: Encoding, pieces: &[&[u8]]) -> (Vec<String>, usize) {
    let (mut waiting, mut entries) = (Vec::new(), Vec::new());
    for piece in pieces {
        waiting.extend_from_slice(piece);
        let mut rest = waiting.as_slice();
        loop {
            let length = rest.len();
            let next =
                bounded("CursorEntry", length, || read_entry::<CursorEntry>(encoding, &mut rest));
            match next {
                Ok(Some(entry)) => entries.push(format!("{entry:?}")),
                Ok(None) => break,
                Err(error) => {
                    entries.push(error.to_string());
                    return (entries, 0);
                }
            }
            assert!(rest.len() < length, "an entry takes bytes");
        }
        let rest = rest.to_vec();
        waiting = rest;
    }
    (entries, waiting.len())
}
