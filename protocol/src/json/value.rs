//! Values, written straight: results have many, and serde would ask for each of their parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::escape::escape;
use crate::value::ValueRef;

/// Appends the JSON of `value`, as [`super::encode`] does.
#[inline]
pub(crate) fn write_value(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => out.extend_from_slice(br#"{"type":"null"}"#),
        ValueRef::Integer(value) => {
            out.extend_from_slice(br#"{"type":"integer","value":""#);
            out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            out.extend_from_slice(br#""}"#);
        }
        ValueRef::Float(value) => {
            out.extend_from_slice(br#"{"type":"float","value":"#);
            super::encode(&value, out);
            out.push(b'}');
        }
        ValueRef::Text(value) => {
            out.extend_from_slice(br#"{"type":"text","value":""#);
            escape(value, out);
            out.extend_from_slice(br#""}"#);
        }
        ValueRef::Blob(value) => {
            out.extend_from_slice(br#"{"type":"blob","base64":""#);
            write_base64(value, out);
            out.extend_from_slice(br#""}"#);
        }
    }
}

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    // Four characters for each three bytes, and as many as are needed for the rest.
    out.resize(begin + (bytes.len() * 4).div_ceil(3), 0);
    let written = STANDARD_NO_PAD.encode_slice(bytes, &mut out[begin..]);
    debug_assert_eq!(written.ok(), Some(out.len() - begin));
}

#[cfg(test)]
mod tests {
    use super::write_value;
    use crate::value::ValueRef;

    #[test]
    fn a_value_is_written_as_serde_writes_it() {
        let bytes: Vec<_> = (0..=255).collect();
        let blobs = (0..5).chain([255, 256]).map(|length| ValueRef::Blob(&bytes[..length]));
        let texts = ["", "a", "\"", "a\\\n\u{1}b", "ünïcödé 水", "longer than one word \u{7f}"];
        let values = [
            ValueRef::Null,
            ValueRef::Integer(0),
            ValueRef::Integer(i64::MIN),
            ValueRef::Integer(i64::MAX),
            ValueRef::Float(0.1),
            ValueRef::Float(-1e300),
            ValueRef::Float(f64::INFINITY),
        ];
        for value in values.into_iter().chain(texts.map(ValueRef::Text)).chain(blobs) {
            let mut written = b"before".to_vec();
            write_value(value, &mut written);
            let expected = format!("before{}", serde_json::to_string(&value).unwrap());
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }
}
