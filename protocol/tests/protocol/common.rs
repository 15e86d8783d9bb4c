//! What the tests share: every message type by its name, and the files of vectors.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use hrana_protocol::http::{CursorReqBody, CursorRespBody, PipelineReqBody, PipelineRespBody, v1};
use hrana_protocol::ws::{ClientMsg, ServerMsg};
use hrana_protocol::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A decoded message of any type.
pub(crate) trait AnyMessage {
    /// The Debug form. Messages are compared by it: unlike `==` it tells -0.0 from 0.0 and finds
    /// NaN equal to itself.
    fn rust(&self) -> String;
    fn json(&self) -> String;
    /// `None` if the type is not in the Protobuf schema.
    fn proto(&self) -> Option<Vec<u8>>;
}

pub(crate) type Decoded = Result<Box<dyn AnyMessage>, DecodeError>;

/// How to read one type.
#[derive(Clone, Copy)]
pub(crate) struct Codec {
    pub(crate) name: &'static str,
    pub(crate) from_json: fn(&[u8]) -> Decoded,
    pub(crate) from_proto: Option<fn(&[u8]) -> Decoded>,
}

struct Both<T>(T);

impl<T: Debug + Serialize + protobuf::Encode> AnyMessage for Both<T> {
    fn rust(&self) -> String {
        format!("{:?}", self.0)
    }

    fn json(&self) -> String {
        json_text(&self.0)
    }

    fn proto(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        protobuf::encode(&self.0, &mut bytes);
        Some(bytes)
    }
}

struct JsonOnly<T>(T);

impl<T: Debug + Serialize> AnyMessage for JsonOnly<T> {
    fn rust(&self) -> String {
        format!("{:?}", self.0)
    }

    fn json(&self) -> String {
        json_text(&self.0)
    }

    fn proto(&self) -> Option<Vec<u8>> {
        None
    }
}

fn json_text<T: Serialize>(message: &T) -> String {
    let mut text = Vec::new();
    json::encode(message, &mut text);
    String::from_utf8(text).expect("JSON is UTF-8")
}

fn both<T>(name: &'static str) -> Codec
where
    T: Debug + Serialize + DeserializeOwned + protobuf::Message + 'static,
{
    Codec {
        name,
        from_json: |text| Ok(Box::new(Both(json::decode::<T>(text)?))),
        from_proto: Some(|bytes| Ok(Box::new(Both(protobuf::decode::<T>(bytes)?)))),
    }
}

fn json_only<T: Debug + Serialize + DeserializeOwned + 'static>(name: &'static str) -> Codec {
    Codec {
        name,
        from_json: |text| Ok(Box::new(JsonOnly(json::decode::<T>(text)?))),
        from_proto: None,
    }
}

/// Every type that has an encoding of its own.
pub(crate) fn codecs() -> Vec<Codec> {
    vec![
        both::<Value>("Value"),
        both::<Stmt>("Stmt"),
        both::<StmtResult>("StmtResult"),
        both::<DescribeResult>("DescribeResult"),
        both::<Error>("Error"),
        both::<BatchCond>("BatchCond"),
        both::<Batch>("Batch"),
        both::<BatchResult>("BatchResult"),
        both::<CursorEntry>("CursorEntry"),
        both::<StreamRequest>("StreamRequest"),
        both::<StreamResponse>("StreamResponse"),
        both::<StreamResult>("StreamResult"),
        both::<PipelineReqBody>("PipelineReqBody"),
        both::<PipelineRespBody>("PipelineRespBody"),
        both::<CursorReqBody>("CursorReqBody"),
        both::<CursorRespBody>("CursorRespBody"),
        json_only::<v1::ExecuteReqBody>("v1::ExecuteReqBody"),
        json_only::<v1::ExecuteRespBody>("v1::ExecuteRespBody"),
        json_only::<v1::BatchReqBody>("v1::BatchReqBody"),
        json_only::<v1::BatchRespBody>("v1::BatchRespBody"),
        both::<ClientMsg>("ClientMsg"),
        both::<ServerMsg>("ServerMsg"),
    ]
}

pub(crate) fn codec(name: &str) -> Codec {
    let found = codecs().into_iter().find(|codec| codec.name == name);
    found.unwrap_or_else(|| panic!("no message type is called {name}"))
}

/// One message in all its forms. A file holds one per paragraph:
///
/// ```text
/// [what it is] Type
/// json: its JSON text
/// json out: the JSON text that is written, where that is not read back as the same
/// proto: its Protobuf bytes in hexadecimal
/// debug: its Rust form
/// also json: another text that is read as the same
/// also proto: other bytes that are read as the same
/// ```
pub(crate) struct Vector {
    /// File and name, for messages.
    pub(crate) place: String,
    pub(crate) codec: Codec,
    /// Key and text of every line below the first, without comments.
    pub(crate) lines: Vec<(String, String)>,
}

impl Vector {
    /// The first line with this key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.lines.iter().find(|line| line.0 == key).map(|line| line.1.as_str())
    }
}

pub(crate) const FILES: [&str; 6] =
    ["value.txt", "statement.txt", "batch.txt", "cursor.txt", "http.txt", "ws.txt"];

/// The fuzz targets, which have a package of their own below this one, read the files too.
pub(crate) fn path(file: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places = here.ancestors().map(|place| place.join("tests/vectors").join(file));
    places.find(|place| place.exists()).expect("the file is in the repository")
}

/// All vectors of a file. Lines before a `[name]` belong to no vector.
pub(crate) fn read(file: &str) -> Vec<Vector> {
    let text = std::fs::read_to_string(path(file)).expect("the file is in the repository");
    let mut vectors: Vec<Vector> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix('[') {
            let (name, kind) = title.split_once("] ").expect("`[name] Type`");
            let place = format!("{file}: {name}");
            vectors.push(Vector { place, codec: codec(kind), lines: Vec::new() });
        } else if let Some(vector) = vectors.last_mut()
            && let Some((key, text)) = line.split_once(':')
            && !line.starts_with('#')
        {
            vector.lines.push((key.to_owned(), text.trim().to_owned()));
        }
    }
    vectors
}

pub(crate) fn all_vectors() -> Vec<Vector> {
    FILES.into_iter().flat_map(read).collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Spaces between the digits are allowed.
pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let byte = |pair: &[u8]| {
        let pair = str::from_utf8(pair).expect("hexadecimal digits are ASCII");
        u8::from_str_radix(pair, 16).expect("two hexadecimal digits")
    };
    digits.chunks(2).map(byte).collect()
}
