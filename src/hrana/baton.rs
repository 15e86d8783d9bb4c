//! Batons: single-use keys to a stream of Hrana over HTTP.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};

/// Names a stream and proves that its holder got the last reply of that stream: 24 random bytes of which
/// 16 are new with every reply, 32 characters as text. Nothing in it can be guessed or computed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Baton {
    pub stream: u64,
    pub nonce: u128,
}

const BYTES: usize = 24;

impl Baton {
    /// A baton for a new stream.
    pub fn new() -> Result<Self> {
        let bytes: [u8; BYTES] = random()?;
        let baton = Baton::from_bytes(bytes);
        // 0 says "no stream" elsewhere.
        Ok(Baton { stream: baton.stream.max(1), ..baton })
    }

    /// The next baton of the same stream.
    pub fn next(self) -> Result<Self> {
        Ok(Baton { nonce: u128::from_be_bytes(random()?), ..self })
    }

    /// Reads a baton; `None` if the text cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Baton::from_bytes(bytes.try_into().ok()?))
    }

    fn from_bytes(bytes: [u8; BYTES]) -> Self {
        let (mut stream, mut nonce) = ([0; 8], [0; 16]);
        stream.copy_from_slice(&bytes[..8]);
        nonce.copy_from_slice(&bytes[8..]);
        Baton { stream: u64::from_be_bytes(stream), nonce: u128::from_be_bytes(nonce) }
    }

    pub fn to_text(self) -> String {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&self.stream.to_be_bytes());
        bytes[8..].copy_from_slice(&self.nonce.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal("get random bytes", error))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::Baton;

    #[test]
    fn survives_its_text_and_differs_each_time() {
        let first = Baton::new().unwrap();
        let second = first.next().unwrap();
        assert!(Baton::parse(&first.to_text()) == Some(first));
        assert!(second.stream == first.stream && second.nonce != first.nonce);
    }

    #[test]
    fn other_texts_are_no_batons() {
        let padded = format!("{}=", Baton::new().unwrap().to_text());
        for text in ["", "x", "AAAA", "ä", &padded] {
            assert!(Baton::parse(text).is_none(), "{text:?}");
        }
    }
}
