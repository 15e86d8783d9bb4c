//! Texts in JSON. Few hold anything to escape, so they are looked through many bytes at a time.

/// Appends `text` as it stands between the quotes of a JSON string.
#[inline]
pub(super) fn escape(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(plain) = find_special(rest) {
        out.extend_from_slice(&rest[..plain]);
        escape_byte(rest[plain], out);
        rest = &rest[plain + 1..];
    }
    out.extend_from_slice(rest);
}

/// Where the first byte is that may not stand in a string of JSON as it is.
#[inline]
fn find_special(bytes: &[u8]) -> Option<usize> {
    if bytes.len() >= 16 { find_in_chunks::<16>(bytes) } else { find_in_chunks::<8>(bytes) }
}

#[inline]
fn find_in_chunks<const BYTES: usize>(bytes: &[u8]) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<BYTES>();
    let place = match chunks.iter().position(has_special) {
        Some(chunk) => chunk * BYTES,
        // The last chunk looks again at some that have been looked at.
        None if bytes.last_chunk::<BYTES>().is_some_and(|chunk| !has_special(chunk)) => {
            return None;
        }
        None => bytes.len() - rest.len(),
    };
    let found = bytes[place..].iter().position(|byte| is_special(*byte))?;
    Some(place + found)
}

/// Whether any byte of a chunk is special. It looks at all, as the compiler makes a few vector instructions of that.
#[inline]
fn has_special<const BYTES: usize>(chunk: &[u8; BYTES]) -> bool {
    chunk.iter().fold(false, |found, byte| found | is_special(*byte))
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

#[cold]
fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\x08' => b'b',
        b'\x0c' => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let digit = |nibble: u8| DIGITS[usize::from(nibble & 0xf)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn every_character_at_every_place_is_escaped_as_serde_json_does() {
        for special in (0..=255_u8).map(char::from) {
            for before in 0..40 {
                let text = format!("{}{special}{special}{}", "x".repeat(before), "é".repeat(20));
                let mut own = Vec::new();
                escape(&text, &mut own);
                let expected = serde_json::to_string(&text).unwrap();
                assert_eq!(format!("\"{}\"", String::from_utf8(own).unwrap()), expected);
            }
        }
    }
}
