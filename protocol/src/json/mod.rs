//! JSON: entry points, and the few shapes that serde does not derive.

mod escape;
mod value;
mod writer;

pub(crate) use value::write_value;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::DecodeError;

/// Decodes one JSON text. The error says line, column and what was expected.
pub fn decode<T: DeserializeOwned>(text: &[u8]) -> Result<T, DecodeError> {
    Ok(match std::str::from_utf8(text) {
        // Found out once for all, it need not be found out for each string.
        Ok(text) => serde_json::from_str(text)?,
        Err(_) => serde_json::from_slice(text)?,
    })
}

/// Appends the JSON text of `message` to `out`.
pub fn encode<T: Serialize>(message: &T, out: &mut Vec<u8>) {
    message.serialize(writer::Writer(out)).expect("a Vec takes every write and keys are strings");
}

/// JSON that is taken as it is, by [`encode`] and nobody else.
pub(crate) struct Verbatim<'a>(pub(crate) &'a [u8]);

impl Serialize for Verbatim<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// 64-bit integers as strings; on reading, a number is taken too.
pub(crate) mod optional_i64 {
    use std::fmt;

    use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
    use serde::ser::Serializer;

    pub(crate) fn serialize<S: Serializer>(
        value: &Option<i64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_str(itoa::Buffer::new().format(*value)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<i64>, D::Error> {
        Ok(Option::<Integer>::deserialize(deserializer)?.map(|Integer(value)| value))
    }

    struct Integer(i64);

    impl<'de> Deserialize<'de> for Integer {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(IntegerVisitor)
        }
    }

    struct IntegerVisitor;

    impl Visitor<'_> for IntegerVisitor {
        type Value = Integer;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a 64-bit signed integer, as a string of digits")
        }

        fn visit_i64<E>(self, value: i64) -> Result<Integer, E> {
            Ok(Integer(value))
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<Integer, E> {
            let invalid = |_| E::invalid_value(Unexpected::Unsigned(value), &self);
            value.try_into().map(Integer).map_err(invalid)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Integer, E> {
            let invalid = |_| E::invalid_value(Unexpected::Str(text), &self);
            text.parse().map(Integer).map_err(invalid)
        }
    }
}

/// `Arc<[T]>` as an array.
pub(crate) mod shared_slice {
    use std::sync::Arc;

    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        value: &Arc<[T]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<[T]>, D::Error> {
        Ok(Vec::<T>::deserialize(deserializer)?.into())
    }
}
