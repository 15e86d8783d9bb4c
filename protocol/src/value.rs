//! SQLite values on the wire (*Values* in the specification).
//!
//! In JSON an integer is a string, because many JSON readers hold numbers as 64-bit floats, and a
//! blob is base64 without padding. A float that JSON cannot express (an infinity) is written as
//! `null`.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

/// One SQLite value, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Integer(i64),
    Float(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// One SQLite value, borrowed; what every encoder takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    Null,
    Integer(i64),
    Float(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl Value {
    /// The same value, borrowed.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Float(value) => ValueRef::Float(*value),
            Value::Text(value) => ValueRef::Text(value),
            Value::Blob(value) => ValueRef::Blob(value),
        }
    }
}

impl ValueRef<'_> {
    /// A copy of the value.
    pub fn to_owned(self) -> Value {
        match self {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Integer(value),
            ValueRef::Float(value) => Value::Float(value),
            ValueRef::Text(value) => Value::Text(value.to_owned()),
            ValueRef::Blob(value) => Value::Blob(value.to_owned()),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}

impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Value", 2)?;
        match *self {
            ValueRef::Null => fields.serialize_field("type", &Kind::Null)?,
            ValueRef::Integer(value) => {
                fields.serialize_field("type", &Kind::Integer)?;
                fields.serialize_field("value", itoa::Buffer::new().format(value))?;
            }
            ValueRef::Float(value) => {
                fields.serialize_field("type", &Kind::Float)?;
                fields.serialize_field("value", &value)?;
            }
            ValueRef::Text(value) => {
                fields.serialize_field("type", &Kind::Text)?;
                fields.serialize_field("value", value)?;
            }
            ValueRef::Blob(value) => {
                fields.serialize_field("type", &Kind::Blob)?;
                let text = base64::display::Base64Display::new(value, &STANDARD_NO_PAD);
                fields.serialize_field("base64", &Shown(text))?;
            }
        }
        fields.end()
    }
}

/// Serializes as the string that `Display` gives, without allocating it.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Null,
    Integer,
    Float,
    Text,
    Blob,
}

/// The fields that any kind of value may have; read in one pass, in any order.
#[derive(serde::Deserialize)]
#[serde(expecting = "struct Value")]
struct Fields<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default, borrow)]
    value: Scalar<'a>,
    #[serde(default, borrow)]
    base64: Option<Cow<'a, str>>,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        match (fields.kind, fields.value) {
            (Kind::Null, _) => Ok(Value::Null),
            (Kind::Integer, Scalar::Text(text)) => text
                .parse()
                .map(Value::Integer)
                .map_err(|_| de::Error::custom(format!("`{text}` is not a 64-bit signed integer"))),
            (Kind::Integer, _) => Err(de::Error::custom(
                "the `value` of an integer is a string of digits, so that 64 bits survive JSON",
            )),
            (Kind::Float, Scalar::Number(value)) => Ok(Value::Float(value)),
            (Kind::Float, Scalar::Null) => Ok(Value::Float(f64::NAN)),
            (Kind::Float, _) => Err(de::Error::custom("the `value` of a float is a number")),
            (Kind::Text, Scalar::Text(text)) => Ok(Value::Text(text.into_owned())),
            (Kind::Text, _) => Err(de::Error::custom("the `value` of a text is a string")),
            (Kind::Blob, _) => {
                let text = fields.base64.ok_or_else(|| de::Error::missing_field("base64"))?;
                STANDARD_NO_PAD
                    .decode(text.trim_end_matches('='))
                    .map(Value::Blob)
                    .map_err(|error| de::Error::custom(format!("invalid base64: {error}")))
            }
        }
    }
}

#[derive(Default)]
enum Scalar<'a> {
    #[default]
    Missing,
    Null,
    Number(f64),
    Text(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }
}
