//! A serializer that knows what the messages are made of.
//!
//! Names of fields need no escaping, and neither do most texts, which [`escape`] finds out fast. The output is that of
//! `serde_json`, byte for byte.

use std::fmt;

use serde::ser::{self, Serialize};
use serde_json::Error;

use super::escape::escape;

/// Appends JSON to a vector.
pub(super) struct Writer<'a>(pub(super) &'a mut Vec<u8>);

/// The elements of an array or an object.
pub(super) struct Elements<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
    end: &'static [u8],
}

impl<'a> Writer<'a> {
    fn elements(self, begin: &'static [u8], end: &'static [u8]) -> Elements<'a> {
        self.0.extend_from_slice(begin);
        Elements { out: self.0, is_first: true, end }
    }

    /// An enum's variant around its content, as serde has it where no tag is named.
    fn variant(
        self,
        variant: &'static str,
        begin: &'static [u8],
        end: &'static [u8],
    ) -> Elements<'a> {
        self.0.push(b'{');
        name(self.0, variant);
        self.0.push(b':');
        self.elements(begin, end)
    }

    fn decimal(self, number: impl itoa::Integer) -> Result<(), Error> {
        self.0.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        Ok(())
    }
}

macro_rules! decimals {
    ($($method:ident: $type:ty),*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), Error> {
            self.decimal(value)
        }
    )*};
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Elements<'a>;
    type SerializeMap = Elements<'a>;
    type SerializeStruct = Elements<'a>;
    type SerializeStructVariant = Elements<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    decimals!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    decimals!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        serde_json::to_writer(self.0, &value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        serde_json::to_writer(self.0, &value)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.0.push(b'"');
        escape(value, self.0);
        self.0.push(b'"');
        Ok(())
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.0.push(b'"');
        fmt::Write::write_fmt(&mut Escaped(self.0), format_args!("{value}"))
            .map_err(ser::Error::custom)?;
        self.0.push(b'"');
        Ok(())
    }

    /// Of [`super::Verbatim`]; no message has bytes.
    fn serialize_bytes(self, json: &[u8]) -> Result<(), Error> {
        self.0.extend_from_slice(json);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        name(self.0, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let elements = self.variant(variant, b"", b"}");
        value.serialize(Writer(elements.out))?;
        elements.finish()
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Elements<'a>, Error> {
        Ok(self.elements(b"[", b"]"))
    }

    fn serialize_tuple(self, len: usize) -> Result<Elements<'a>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Elements<'a>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Elements<'a>, Error> {
        Ok(self.variant(variant, b"[", b"]}"))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Elements<'a>, Error> {
        Ok(self.elements(b"{", b"}"))
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<Elements<'a>, Error> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Elements<'a>, Error> {
        Ok(self.variant(variant, b"{", b"}}"))
    }
}

impl Elements<'_> {
    #[inline]
    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(b',');
        }
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.separate();
        value.serialize(Writer(self.out))
    }

    #[inline(always)]
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.separate();
        name(self.out, key);
        self.out.push(b':');
        value.serialize(Writer(self.out))
    }

    fn finish(self) -> Result<(), Error> {
        self.out.extend_from_slice(self.end);
        Ok(())
    }
}

/// What serde calls one after the other, with names or without.
macro_rules! compound {
    ($trait:ident, $method:ident($($name:ident)?) by $own:ident) => {
        impl ser::$trait for Elements<'_> {
            type Ok = ();
            type Error = Error;

            // So that the name is known where it is written.
            #[inline(always)]
            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), Error> {
                self.$own($($name,)? value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    };
}

compound!(SerializeSeq, serialize_element() by element);
compound!(SerializeTuple, serialize_element() by element);
compound!(SerializeTupleStruct, serialize_field() by element);
compound!(SerializeTupleVariant, serialize_field() by element);
compound!(SerializeStruct, serialize_field(name) by field);
compound!(SerializeStructVariant, serialize_field(name) by field);

impl ser::SerializeMap for Elements<'_> {
    type Ok = ();
    type Error = Error;

    /// Fails for a key that is not a string; no message has such.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.separate();
        let begin = self.out.len();
        key.serialize(Writer(self.out))?;
        if self.out.get(begin) != Some(&b'"') {
            return Err(ser::Error::custom("key must be a string"));
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

/// The name of a field or a variant, which is a word of Rust's and has nothing to escape.
#[inline(always)]
fn name(out: &mut Vec<u8>, name: &'static str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}

/// Escapes what `Display` writes.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(text, self.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::Writer;

    #[derive(Serialize)]
    enum Shape {
        Unit,
        Newtype(u8),
        Tuple(i8, bool),
        Struct { a: char, b: Option<()> },
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Pair(f32, f64);

    fn assert_same(value: &impl Serialize) {
        let mut own = Vec::new();
        value.serialize(Writer(&mut own)).unwrap();
        assert_eq!(String::from_utf8(own).unwrap(), serde_json::to_string(value).unwrap());
    }

    #[test]
    fn every_shape_is_written_as_serde_json_writes_it() {
        let shapes = [
            Shape::Unit,
            Shape::Newtype(255),
            Shape::Tuple(-128, true),
            Shape::Struct { a: '"', b: None },
            Shape::Struct { a: '水', b: Some(()) },
        ];
        assert_same(&shapes);
        assert_same(&(Unit, Pair(0.1, 1e300), f64::NAN, [0_u16; 0], i16::MIN, u32::MAX));
        assert_same(&BTreeMap::from([("a", u64::MAX), ("\n", 0)]));
        assert_same(&serde_json::json!({ "a": [null, 1.5, -1, { "b": "c" }], "d": {} }));
        assert_same(&format_args!("{}{}", "\u{1}\"", 1));
    }

    #[test]
    fn a_key_that_is_not_a_string_is_refused() {
        let map = BTreeMap::from([(1, 2)]);
        assert!(map.serialize(Writer(&mut Vec::new())).is_err());
    }
}
