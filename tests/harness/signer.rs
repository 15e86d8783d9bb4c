//! Somebody else who signs tokens: an identity provider, or the owner of a key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

pub(crate) struct Signer {
    kid: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
    /// The public key, in the form of a JWKS document.
    pub(crate) jwk: Value,
}

impl Signer {
    pub(crate) fn eddsa(kid: &'static str) -> Self {
        let mut bytes = [7; 32];
        bytes[..kid.len()].copy_from_slice(kid.as_bytes());
        let key = ed25519_dalek::SigningKey::from_bytes(&bytes);
        let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let key = EncodingKey::from_ed_der(key.to_pkcs8_der().unwrap().as_bytes());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x });
        Signer { kid, algorithm: Algorithm::EdDSA, key, jwk }
    }

    pub(crate) fn es256(kid: &'static str) -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        let (x, y) = pair.public_key_raw()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y, "use": "sig" });
        Signer { kid, algorithm: Algorithm::ES256, key, jwk }
    }

    pub(crate) fn rs256(kid: &'static str) -> Self {
        let key = STANDARD.decode(RSA_KEY.replace(' ', "")).unwrap();
        let key = EncodingKey::from_rsa_der(&key);
        let jwk =
            json!({ "kty": "RSA", "alg": "RS256", "kid": kid, "n": RSA_MODULUS, "e": "AQAB" });
        Signer { kid, algorithm: Algorithm::RS256, key, jwk }
    }

    /// A token that names its key.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.to_owned()), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }

    /// A token as sqld's users sign them.
    pub(crate) fn token_without_kid(&self, claims: &Value) -> String {
        jsonwebtoken::encode(&Header::new(self.algorithm), claims, &self.key).unwrap()
    }

    /// The public Ed25519 key in sqld's form.
    pub(crate) fn text(&self) -> &str {
        self.jwk["x"].as_str().unwrap()
    }
}

pub(crate) fn jwks(signers: &[&Signer]) -> String {
    let keys: Vec<_> = signers.iter().map(|signer| &signer.jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// Made for these tests; opens nothing. To make one takes long.
const RSA_MODULUS: &str = "nk94SkXqHt5QEUc05j_oKd9bjjheh7Eu4AFqkSOVRz-2TYphYIhn56B89NsPbzyucbAdy_Oh8IaBf1jLwOxigfZV_sXsYBUXGWzqC3gYLVEMtnrZ5yJyml-NkXDSgw71aD-0xJD5GRbppqXXVcywnjRpxGxOiZEChGBXBaJ0qWD7bJd93ir4IU2-HqVdZPFGxS0qfMANz-p6ev3MfYyeDS3x7RNpaUZtjDfTzuiu0JbiEizRQxJqZTCiFvimzaCWD_udYIcmJ_0Re5gPh98foVU7DWBK2zO1Nq1-cAOaSrlf-RjqxuejeMg6n11JjyCw3YBg7THoXo4bsNegp4YP7w";
const RSA_KEY: &str = "MIIEowIBAAKCAQEAnk94SkXqHt5QEUc05j/oKd9bjjheh7Eu4AFqkSOVRz+2TYphYIhn56B89NsPbzyucbAdy/Oh8I \
     aBf1jLwOxigfZV/sXsYBUXGWzqC3gYLVEMtnrZ5yJyml+NkXDSgw71aD+0xJD5GRbppqXXVcywnjRpxGxOiZEChGBX \
     BaJ0qWD7bJd93ir4IU2+HqVdZPFGxS0qfMANz+p6ev3MfYyeDS3x7RNpaUZtjDfTzuiu0JbiEizRQxJqZTCiFvimza \
     CWD/udYIcmJ/0Re5gPh98foVU7DWBK2zO1Nq1+cAOaSrlf+RjqxuejeMg6n11JjyCw3YBg7THoXo4bsNegp4YP7wID \
     AQABAoIBADksEhEgtrB3MQtMX/pXUgztMS9nhBwVDQyw9j98Tkjw5XGTbB9ko8Gu3/G9uxE9JPLB28DwN6eZq+LFuq \
     /trpWo1N2xtO/uLe1svAlwUarr/l9YdqFWe3Ts1T+VMzFJka8Ycrwabxt0fuVEN0QxLAe2fgwF4UclK3eLI2JRjTgt \
     0KWfIwxjhEdoFVieQSc5ZsuWGcRiu7GYIJetpV8dPj+Kt7GFTLLlkfVfYC0PG1mEtdaHh4SiR87CJMzVWU9fkh2FaO \
     qP1IRqeTEkMfnhSw9SFT3p6MjHzM3u/Uww9/9bv1fbBqcEoTiCfY29Hw+T2MD12Gd6Ul9koZ7dlFZ4COECgYEAz4is \
     vuqajBEWX4xIzRUyW87XDiiI3Azp7InWD4mmop3qZcfikUJ+Q6ZpUwq5IM3Dd+Vu9tz9MqE5F0yQaHRWUD34Zhum9E \
     AX+dV/cgq1y4gYGhLqDnip3RvHyAKH9o5pU2AggPxtRWEr8eRRJLtiN5/rjvJD4yFGGa5va1q2jdsCgYEAw0f93KLu \
     8wTgfB0/QQiiKvvoaze94MQK3wXl9rQY4/n2J4IG8I0JRLvIIFLWuhdrXnVIUqGCgDkxyCbXdIJLxVqxPswoahrJIC \
     0cmunwHy277tWFyDtroMAK7dDhvkv/w1qZgW9TeDZJ4oktUdC6L8+Suo82mXKCGh0RKtRQJH0CgYEAgXWu3QGYGtvl \
     6wClwVkBqweiW7CpfyuHGQj6wYKKslJ0D73a9eZWwXijpyu/RFlXIAm9aL1+LQEpjgEy7BX2aePeekOxqBf7XNvzvn \
     4z3Z0t+8Xkv9ZBkC5uN7RsgD9iMKJ8ZDoTJ/5v3VshyxohMLXPycIS2zK8efS4iG10B5UCgYBLGP1sgxAnTuHReSHh \
     LaPHqfZ4fQg9Tsbre4YzOJE14uOhz+RBT8uXritJGvJOwEDfI3U7qbbY/qXBVgaXXKAs9jKhdru4CjL8d7y/amWYZ+ \
     sU7vIyzX8XY6MQT7rwhqOGCepsl1ZfLWl+f8h45S8kwcuoiPizTBDyX+lBMkLbtQKBgB7cMu/u+ejj6efWO8QTEXih \
     tSAdahKaRAjmAUOc+7GKnxnhoMjr+9kZfRnhl0e+1O43Jg1lJCZBmiFWDcq4RA3zeqA89zLmethUPvoaknVUvM+m6D \
     PQBULDFLnGOHWW3vK9vDYY63+twgnaxsenOfCHcenahmHObHw0j3lnJcZq";
