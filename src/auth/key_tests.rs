//! Keys in the forms in which others give them. The tokens here were signed by keys that nobody has any more.

use serde_json::{Value, json};

use super::{Authority, ForeignKey, Issuer, SigningKey, Target, VerifyingKey};

const JWKS: &str = r#"{"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "r", "n": "uRTRODuGuUBOLtLX3nGCHEFKRLlfGJXP4gSb7wBb28FHfH2FhAE0gwJbUES3XXS9_uCc5ENnPPOAUqxzLhqmN3AB79ULHOI-PXYDBocmqQLDq06bCz3Dgxw4ZQC_1wji2TPbF3B7KK0mZ_8DRZrfQah0JRqGwPQ0SA-Q0y8NZ_-gYqSkjtS1xriBVY9A7KNGOQxKNs09MX14Om8rbVk8T3_xXqx_ShP6fCrCzu4ru1kbSDQJsbHdrwvnVIvkWsYu5Z0jwvfqX0WHTBYP0KjNJKIz2CI1NMs4Rq8idHC6aacRFet6I3uIhfXULDWhbBl4DuAar2G9aHm9847egSLSrQ", "e": "AQAB"}, {"kty": "EC", "crv": "P-256", "kid": "e", "x": "F0qLvgDaw0_jnhTff14dOqe1BX7arMa99bAW8LYjaLs", "y": "vmYEhGoynpG7TC4mCUrcHHjFLTLLBxU7eABBJTbhMIM"}]}"#;
const RS256: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InIiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJzdWIiOiJ1c2VyXzEiLCJhIjoicm8iLCJpZCI6InNob3AifQ.NzgVOkAQc5F8JJTOAs_rYtjYG-f9QK297KIjS_JG067HPE6NYiapT81O-AdNP_-d0jN-OvfKE798XAelp060H3B3ncxu8_UOg86vGXnWPhHUGrX0mV-32-YsAv4FwJIkRKZmNBhdFeAo_mcay8EZCJ1bG7C7i3u448GSsO8Ikr3pjwdwF_HxDaUmeqgpJFyAzNQXjfWSHBXai8XI0hF-1dLyHIr8f2jcketOa8wHvY3LIxz8gOIdKDUt11fapUH8mz1THN-iTbc86Bq9Yr_wafzYaVoL1NRU0UJzQZwR9xt5mEKjdybCTz1UUuZ_WrpRPhAUYwqYh1whSpC_p8W5aA";
const ES256: &str = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImUiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJzdWIiOiJ1c2VyXzEiLCJhIjoicm8iLCJpZCI6InNob3AifQ.0LIYAj3x9JEkTAdS349qI9ICjmPhUWQDgUVamzuXeO-dkOjPzzAL4vS1iJ0YKdgb1eB9sv7vUsiqs5SmwK6AaA";
/// A login of an identity provider, which says nothing of databases.
const LOGIN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InIiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJzdWIiOiJ1c2VyXzEiLCJleHAiOjQwMDAwMDAwMDB9.FSqFeEahqjqxhDMb0lH-S6yk20fDKzngXhmRTIAuo1Ogz-6oCEA6DJ5AY_y4C_D7Yoq9mmmtCCKHD_cEtQhW4iXLyrQvkTDWwq4l2xatIbMYuJOMIAGPXSyjaQI0Tf2Dz0NtTO9E-zV-31snH1OM3hCuzEYH2Yt4tYarrGHHPEswVKPtZTKYKhGWbw46tW8m8d_q-DVOus5mMjI-qeGh66YGiS_N7kLZ86VRTNEbv5abZ2vuBxGysizMzDDSSifh07w6tSQk2LaILE8NKaVtqwqenszB2lpkD_g7l_QLxu0Lrxt6FJIFd0fpLuPLY6JE-jUZDN9WuTjlOaiWbHkxKg";

fn keys(text: &str) -> Vec<VerifyingKey> {
    VerifyingKey::parse(text).unwrap()
}

fn refusal(text: &str) -> String {
    VerifyingKey::parse(text).expect_err(text).message().to_owned()
}

fn believing(keys: Vec<VerifyingKey>) -> Authority {
    let authority = Authority::new(&SigningKey::generate().unwrap()).unwrap();
    let foreign = keys.into_iter().map(|key| ForeignKey { issuer: Issuer::Server, key });
    authority.set_foreign_keys(foreign.collect());
    authority
}

#[test]
fn the_keys_of_an_identity_provider_verify_its_tokens() {
    let authority = believing(keys(JWKS));
    for token in [RS256, ES256] {
        let claims = authority.verify(token, || None, 0).unwrap();
        let target = |name| Target {
            name,
            id: uuid::Uuid::nil(),
            generation: 0,
            group: uuid::Uuid::nil(),
            group_name: "default",
            group_generation: 0,
            is_child: false,
            has_own_keys: false,
        };
        assert!(claims.access_to(&target("shop")).is_some_and(|access| !access.write));
        assert!(claims.access_to(&target("blog")).is_none());
    }
    let error = authority.verify(LOGIN, || None, 0).unwrap_err();
    assert!(error.message().contains("neither the claim `a` nor `p`"), "{error}");
}

#[test]
fn a_key_verifies_only_what_names_it_and_its_algorithm() {
    let swap = |from: &str, to: &str| JWKS.replace(from, to);
    for (document, rs, es) in [
        (swap(r#""kid": "r""#, r#""kid": "q""#), false, true),
        (swap(r#""kid": "r", "#, ""), true, true),
        (swap(r#""use": "sig""#, r#""use": "enc""#), false, true),
        (swap(r#""use": "sig""#, r#""key_ops": ["encrypt"]"#), false, true),
        (swap(r#""alg": "RS256""#, r#""alg": "RS512""#), false, true),
        (swap(r#""alg": "RS256""#, r#""alg": "HS256""#), false, true),
        (swap(r#""crv": "P-256""#, r#""crv": "P-384""#), true, false),
        (swap(r#""kty": "EC""#, r#""kty": "OKP""#), true, false),
        (swap(r#""x": "F0"#, r#""x": ""#), true, false),
        // Not on the curve.
        (swap(r#""x": "F0"#, r#""x": "A0"#), true, false),
    ] {
        let authority = believing(keys(&document));
        assert_eq!(authority.verify(RS256, || None, 0).is_ok(), rs, "{document}");
        assert_eq!(authority.verify(ES256, || None, 0).is_ok(), es, "{document}");
    }
}

#[test]
fn the_forms_of_sqld_are_read() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let head = r#"{"alg":"EdDSA"}"#;
    let token = super::token_tests::signed(&key, head, "{}");
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=\n-----END PUBLIC KEY-----\n";
    let raw = "6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw";
    let jwk = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": raw}]}).to_string();
    for (text, count) in [
        (pem.to_owned(), 1),
        (format!("\n{pem}{pem}"), 2),
        (pem.replace('\n', "\r\n"), 1),
        (raw.to_owned(), 1),
        (format!("{raw}=\n"), 1),
    ] {
        let keys = keys(&text);
        assert_eq!(keys.len(), count, "{text}");
        assert!(believing(keys).verify(&token, || None, 0).is_ok(), "{text}");
    }
    // The same key as an identity provider's: `{}` names no rights.
    assert!(believing(keys(&jwk)).verify(&token, || None, 0).is_err());
}

#[test]
fn what_is_no_key_of_use_is_refused() {
    let of = |key: Value| json!({"keys": [key]}).to_string();
    let pem = SigningKey::from_bytes(&[7; 32]).to_pem().unwrap();
    let small = "1lZ3P4xRxQrwxEHKhwSn1_zklQcbgSDpvI5SQZb7O0A0CUkw8zVgCeoPHwVoLX-f3chGzlPQ9j1oKCUatDieMxCB9RPchYKgndmVZDRWKg8cJmIqnsIXEB8QaoOTV4YCq4cqjkZYjzjYdDPhoKt_tFG7RPIkKS46NxHgnSZHeDs";
    for (text, expected) in [
        (String::new(), "this is not a key; there are:"),
        ("secret".to_owned(), "this is not a key"),
        ("A".repeat(43), "this is not a key"),
        (pem.clone(), "this is a private key"),
        ("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----".to_owned(), "not an Ed25519"),
        ("-----BEGIN".to_owned(), "this is not an Ed25519 public key"),
        ("{".to_owned(), "this is not a JWKS document"),
        ("{}".to_owned(), "this is not a JWKS document"),
        (r#"{"keys":[]}"#.to_owned(), "has no key"),
        (of(json!({"kty": "oct", "k": "c2VjcmV0"})), "has no key"),
        (of(json!({"kty": "RSA", "n": small, "e": "AQAB"})), "has no key"),
        (of(json!({"kty": "RSA", "n": "", "e": ""})), "has no key"),
        (of(json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"})), "has no key"),
        (of(json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)})), "has no key"),
        (of(json!({"kty": "OKP", "crv": "Ed448", "x": "AAAA"})), "has no key"),
        (of(json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"})), "has no key"),
        (of(json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"})), "this is a private key"),
        (of(json!(7)), "has no key"),
        (json!({"keys": vec![json!({"kty": "OKP", "crv": "Ed25519", "x": "6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw"}); 33]}).to_string(), "more than 32 keys"),
    ] {
        let found = refusal(&text);
        assert!(found.contains(expected), "{text}\nexpected {expected}\nfound    {found}");
    }
}

#[test]
fn the_own_key_is_kept_and_read_again() {
    let key = SigningKey::generate().unwrap();
    let again = SigningKey::from_bytes(&key.to_bytes());
    let from_pem = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
    assert!(key.kid() == again.kid() && key.to_bytes() == from_pem.to_bytes());
    assert_ne!(key.kid(), SigningKey::generate().unwrap().kid());
    assert!(
        SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")
            .is_err()
    );
}
