//! Request bodies of the platform API.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Reads the fields of a body, whatever its content type, with their names in any case: the CLI writes `Name`
/// where the SDKs write `name`. No body at all has no fields. Fields that `T` does not have are passed over.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    let fields: Map<String, Value> = match body.trim_ascii() {
        [] => Map::new(),
        text => hrana_protocol::json::decode(text)?,
    };
    let fields: Map<String, Value> =
        fields.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let place = error.path().to_string();
        let why = error.into_inner();
        match place.as_str() {
            "." => Error::bad_request(format!("the request body could not be read: {why}")),
            field => Error::bad_request(format!("the field `{field}` could not be read: {why}")),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::decode;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Fields {
        name: String,
        limit: Option<u64>,
    }

    #[test]
    fn names_are_read_in_any_case() {
        for body in ["{\"Name\":\"a\",\"other\":[1]}", " {\"NAME\":\"a\",\"limit\":null}\n"] {
            let fields: Fields = decode(body.as_bytes()).unwrap();
            assert_eq!(fields, Fields { name: "a".to_owned(), limit: None });
        }
        assert_eq!(decode::<Fields>(b"").unwrap(), Fields::default());
        for (body, expected) in [
            ("{\"name\":7}", "the field `name` could not be read: invalid type: integer `7`"),
            ("[]", "could not be read"),
            ("{", "could not be read"),
        ] {
            let error = decode::<Fields>(body.as_bytes()).unwrap_err();
            assert!(error.message().contains(expected), "{error}");
        }
    }
}
