//! The tokens as tables: what is claimed, of which database, and what comes of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use uuid::Uuid;

use super::{Authority, ForeignKey, Grant, Issuer, SigningKey, Target};
use crate::error::ErrorKind;
use crate::limits;

const NOW: u64 = 1_800_000_000;
const SHOP: Uuid = Uuid::from_u128(0xa1);
const BLOG: Uuid = Uuid::from_u128(0xa2);
const GROUP: Uuid = Uuid::from_u128(0xb1);
const OTHER_GROUP: Uuid = Uuid::from_u128(0xb2);

fn shop() -> Target<'static> {
    Target {
        name: "shop",
        id: SHOP,
        generation: 2,
        group: GROUP,
        group_name: "default",
        group_generation: 3,
        is_child: false,
        has_own_keys: false,
    }
}

/// Another database of the same group, and one of another group.
fn blog() -> Target<'static> {
    Target { name: "blog", id: BLOG, ..shop() }
}

fn elsewhere() -> Target<'static> {
    Target { group: OTHER_GROUP, group_name: "other", ..blog() }
}

fn child() -> Target<'static> {
    Target { is_child: true, ..shop() }
}

/// A server, its own key, and a foreign one that is believed for `issuer`.
struct Server {
    authority: Authority,
    own: SigningKey,
    foreign: SigningKey,
}

impl Server {
    fn new(issuer: Issuer) -> Self {
        let own = SigningKey::from_bytes(&[1; 32]);
        let foreign = SigningKey::from_bytes(&[2; 32]);
        let authority = Authority::new(&own).unwrap();
        let key = super::VerifyingKey { kid: None, ..foreign.verifying_key() };
        authority.set_foreign_keys(vec![ForeignKey { issuer, key }]);
        Server { authority, own, foreign }
    }

    /// What a token is worth: rights, `none`, or why it is refused.
    fn worth(&self, token: &str, target: &Target<'_>) -> String {
        match self.authority.verify(token, || Some(target.id), NOW) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
                error.message().to_owned()
            }
            Ok(claims) => match claims.access_to(target) {
                None => "none".to_owned(),
                Some(access) => {
                    let limited = if access.tables.is_some() { " limited" } else { "" };
                    let rights = match (access.write, access.ddl) {
                        (true, true) => "full",
                        (true, false) => "rows",
                        (false, false) => "read",
                        (false, true) => "impossible",
                    };
                    format!("{rights}{limited}")
                }
            },
        }
    }

    fn own(&self, claims: &str) -> String {
        let head = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, self.own.kid());
        signed(&self.own, &head, claims)
    }

    fn foreign(&self, claims: &str) -> String {
        signed(&self.foreign, r#"{"alg":"EdDSA","typ":"JWT"}"#, claims)
    }
}

pub(super) fn signed(key: &SigningKey, head: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    let key = key.encoding_key().unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

fn check(table: &[(&str, Target<'_>, &str)], token: impl Fn(&str) -> String, server: &Server) {
    for (claims, target, expected) in table {
        let claims = claims
            .replace("$SHOP", &SHOP.to_string())
            .replace("$BLOG", &BLOG.to_string())
            .replace("$GROUP", &GROUP.to_string())
            .replace("$OTHER", &OTHER_GROUP.to_string());
        let found = server.worth(&token(&claims), target);
        let is_expected = found == *expected || expected.len() > 10 && found.contains(expected);
        assert!(is_expected, "{claims}\n{target:?}\nexpected {expected}\nfound    {found}");
    }
}

#[test]
fn own_tokens_open_what_they_name() {
    let server = Server::new(Issuer::Server);
    let group = r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3"}"#;
    let group_read = r#"{"iat":1,"a":"ro","gid":"$GROUP","rid":"3"}"#;
    let one = r#"{"iat":1,"a":"rw","gid":"$GROUP","id":"$SHOP","rid":"3.2"}"#;
    let one_read = r#"{"iat":1,"a":"ro","gid":"$GROUP","id":"$SHOP","rid":"3.2"}"#;
    let limited = r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","perm":[{"t":null,"a":["data_read"]}],"attach":["$BLOG"]}"#;
    let nothing = r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","perm":[]}"#;
    let everything = r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","perm":[{"t":null,"a":["data_read","data_add","data_update","data_delete","schema_add","schema_update","schema_delete"]}]}"#;
    let child_ddl = r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","ddl":true}"#;
    let rotated_group = Target { group_generation: 4, ..shop() };
    let rotated_database = Target { generation: 3, ..shop() };
    let table = [
        (group, shop(), "full"),
        (group, blog(), "full"),
        (group, elsewhere(), "none"),
        (group, child(), "rows"),
        (group, rotated_group, "none"),
        (group, Target { group_generation: 2, ..shop() }, "none"),
        (group, rotated_database, "full"),
        (group_read, shop(), "read"),
        (group_read, child(), "read"),
        (one, shop(), "full"),
        (one, blog(), "none"),
        (one, child(), "rows"),
        (one, Target { group: OTHER_GROUP, ..shop() }, "none"),
        (one, rotated_group, "none"),
        (one, rotated_database, "none"),
        (one_read, shop(), "read"),
        (limited, shop(), "full limited"),
        (nothing, shop(), "full limited"),
        (everything, shop(), "full"),
        (child_ddl, child(), "full"),
        (r#"{"iat":1,"a":"ro","gid":"$GROUP","rid":"3","ddl":true}"#, child(), "read"),
        // A group's token with a database's generation, and the other way round.
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3.2"}"#, shop(), "none"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","id":"$SHOP","rid":"3"}"#, shop(), "none"),
        (r#"{"iat":1,"a":"rw","gid":"$OTHER","rid":"3"}"#, shop(), "none"),
        (r#"{"iat":1,"exp":1800000001,"a":"rw","gid":"$GROUP","rid":"3"}"#, shop(), "full"),
    ];
    check(&table, |claims| server.own(claims), &server);
}

#[test]
fn own_tokens_are_closed() {
    let server = Server::new(Issuer::Server);
    for (claims, expected) in [
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","admin":true}"#, "unknown field `admin`"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","a":"ro"}"#, "duplicate field `a`"),
        (r#"{"iat":1,"a":"root","gid":"$GROUP","rid":"3"}"#, "unknown variant `root`"),
        (r#"{"iat":1,"gid":"$GROUP","rid":"3"}"#, "missing field `a`"),
        (r#"{"iat":1,"a":"rw","rid":"3"}"#, "missing field `gid`"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP"}"#, "missing field `rid`"),
        (r#"{"a":"rw","gid":"$GROUP","rid":"3"}"#, "missing field `iat`"),
        (r#"{"iat":1,"a":"rw","gid":"default","rid":"3"}"#, "of its claims"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","id":null,"rid":"3"}"#, "of its claims"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","perm":null}"#, "of its claims"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","exp":null}"#, "of its claims"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","exp":"never"}"#, "of its claims"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","exp":-1}"#, "of its claims"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":3}"#, "of its claims"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"+3"}"#, "not a rotation"),
        (r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3."}"#, "not a rotation"),
        (
            r#"{"iat":1,"a":"rw","gid":"$GROUP","rid":"3","perm":[{"t":null,"a":["all"]}]}"#,
            "unknown variant `all`",
        ),
        (r#"{"iat":1,"exp":1799999940,"a":"rw","gid":"$GROUP","rid":"3"}"#, "expired 60 seconds"),
        (r#"{"iat":1,"exp":1800000000,"a":"rw","gid":"$GROUP","rid":"3"}"#, "expired 0 seconds"),
        ("[]", "of its claims"),
        ("", "of its claims"),
    ] {
        check(&[(claims, shop(), expected)], |claims| server.own(claims), &server);
    }
}

#[test]
fn foreign_tokens_have_the_form_of_sqld() {
    let server = Server::new(Issuer::Server);
    let table = [
        ("{}", shop(), "full"),
        ("{}", child(), "rows"),
        (r#"{"a":"rw"}"#, elsewhere(), "full"),
        (r#"{"a":"ro"}"#, shop(), "read"),
        (r#"{"a":"roa"}"#, shop(), "read"),
        (r#"{"a":"rwa"}"#, shop(), "unknown variant `rwa`"),
        (r#"{"id":"shop"}"#, shop(), "full"),
        (r#"{"id":"$SHOP","a":"ro"}"#, shop(), "read"),
        (r#"{"id":"shop"}"#, blog(), "none"),
        (r#"{"id":null}"#, shop(), "of its claims"),
        (r#"{"id":7}"#, shop(), "of its claims"),
        (r#"{"p":{}}"#, shop(), "none"),
        (r#"{"p":null}"#, shop(), "of its claims"),
        (r#"{"p":{},"id":"shop","a":"rw"}"#, shop(), "none"),
        (r#"{"p":{"ro":{"ns":["shop"]}}}"#, shop(), "read"),
        (r#"{"p":{"roa":{"ns":["shop"]}}}"#, shop(), "read"),
        (r#"{"p":{"rw":{"ns":["shop"]}}}"#, shop(), "full"),
        (r#"{"p":{"rwa":{"ns":["$SHOP"]}}}"#, shop(), "full"),
        (r#"{"p":{"rw":{"ns":["shop"]}}}"#, blog(), "none"),
        (r#"{"p":{"rw":{"ns":["shop"]}}}"#, child(), "rows"),
        (r#"{"p":{"ddl":{"ns":["shop"]}}}"#, child(), "full"),
        (r#"{"p":{"ro":{"tags":["default"]},"rw":{"ns":["blog"]}}}"#, shop(), "read"),
        (r#"{"p":{"ro":{"tags":["default"]},"rw":{"ns":["blog"]}}}"#, blog(), "full"),
        (r#"{"p":{"rw":{"tags":["$GROUP"]}}}"#, shop(), "full"),
        (r#"{"p":{"rw":{"tags":["$GROUP"]}}}"#, elsewhere(), "none"),
        (r#"{"p":{"rw":{"tags":["shop"]}}}"#, shop(), "none"),
        (r#"{"p":{"all":{"ns":["shop"]}}}"#, shop(), "unknown field `all`"),
        (r#"{"p":{"rw":{"names":["shop"]}}}"#, shop(), "unknown field `names`"),
        (r#"{"a":"ro","gid":"$GROUP"}"#, shop(), "unknown field `gid`"),
        (r#"{"a":"ro","aud":"somebody"}"#, shop(), "unknown field `aud`"),
        (r#"{"a":"ro","iss":"x","sub":"y","iat":1.5,"jti":"z","azp":"w"}"#, shop(), "read"),
        // A minute is left to the clocks.
        (r#"{"a":"ro","exp":1799999941}"#, shop(), "read"),
        (r#"{"a":"ro","exp":1799999940}"#, shop(), "expired 0 seconds ago"),
        (r#"{"a":"ro","nbf":1800000060}"#, shop(), "read"),
        (
            r#"{"a":"ro","nbf":1800000061}"#,
            shop(),
            "it will be in 61 seconds by this server's clock (its claim `nbf`)",
        ),
        (r#"{"a":"ro","exp":18446744073709551615}"#, shop(), "read"),
    ];
    check(&table, |claims| server.foreign(claims), &server);
}

#[test]
fn a_foreign_key_opens_what_it_is_for() {
    let of = |issuer, target: Target<'_>, expected| {
        let server = Server::new(issuer);
        let found = server.worth(&server.foreign("{}"), &target);
        assert!(found.contains(expected), "{issuer:?} {target:?}: {found}");
    };
    of(Issuer::Server, elsewhere(), "full");
    of(Issuer::Group(GROUP), shop(), "full");
    of(Issuer::Group(GROUP), elsewhere(), "none");
    of(Issuer::Database(SHOP), shop(), "full");
    of(
        Issuer::Database(SHOP),
        blog(),
        "Unauthorized: the token is not valid here: no key of this server has signed it; get another one",
    );
    // A database with keys of its own is opened by those alone.
    let own = |target| Target { has_own_keys: true, ..target };
    of(Issuer::Database(SHOP), own(shop()), "full");
    of(Issuer::Group(GROUP), own(shop()), "none");
    of(Issuer::Server, own(shop()), "none");
    // Whoever sets one up as the server's own gets nothing by it.
    let server = Server::new(Issuer::Own);
    assert!(server.worth(&server.foreign("{}"), &shop()).contains("no key of this server"));
}

#[test]
fn what_is_not_signed_as_it_should_be_is_refused() {
    let server = Server::new(Issuer::Server);
    let claims = format!(r#"{{"iat":1,"a":"rw","gid":"{GROUP}","rid":"3"}}"#);
    let good = server.own(&claims);
    assert_eq!(server.worth(&good, &shop()), "full");
    let parts: Vec<_> = good.split('.').collect();
    let raised = URL_SAFE_NO_PAD.encode(claims.replace("\"3\"", "\"4\""));
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let kid = server.own.kid();
    let (stranger, other) = (SigningKey::from_bytes(&[9; 32]), SigningKey::generate().unwrap());
    let head = |alg: &str| format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
    let unsigned = "no key of this server has signed it";
    for (token, expected) in [
        (format!("{}.{raised}.{}", parts[0], parts[2]), unsigned),
        (
            format!("{}.{}.{}", parts[0], parts[1], parts[2].replace(&parts[2][..4], "AAAA")),
            unsigned,
        ),
        (format!("{}.{}.", parts[0], parts[1]), unsigned),
        (format!("{none}.{}.", parts[1]), "the algorithm 'none', which is not accepted"),
        (signed(&server.own, &head("HS256"), &claims), "the algorithm 'HS256'"),
        (signed(&server.own, &head("none"), &claims), "the algorithm 'none'"),
        (signed(&server.own, &head("eddsa"), &claims), "the algorithm 'eddsa'"),
        (signed(&server.own, &head("RS256"), &claims), unsigned),
        (signed(&stranger, &head("EdDSA"), &claims), unsigned),
        (signed(&other, r#"{"alg":"EdDSA"}"#, "{}"), unsigned),
        // The server's own key signs its own form only, and only by name; the foreign one cannot sign that.
        (signed(&server.own, r#"{"alg":"EdDSA"}"#, &claims), unsigned),
        (signed(&server.own, &head("EdDSA"), "{}"), "missing field"),
        (server.foreign(&claims), "unknown field `gid`"),
        (signed(&server.foreign, &head("EdDSA"), &claims), "unknown field `gid`"),
        (
            signed(
                &server.own,
                &format!(r#"{{"alg":"EdDSA","kid":"{kid}","crit":["b64"]}}"#),
                &claims,
            ),
            "extensions that are not known here",
        ),
        (String::new(), "it is not a JWT"),
        ("..".to_owned(), "it is not a JWT"),
        (good.replace('.', ""), "it is not a JWT"),
        (format!("{good}.x"), unsigned),
        (format!(" {good}"), "it is not a JWT"),
        ("a".repeat(limits::TOKEN_BYTES_MAX + 1), "it is too long"),
    ] {
        let found = server.worth(&token, &shop());
        assert!(found.contains(expected), "{token}\nexpected {expected}\nfound    {found}");
    }
}

#[test]
fn minted_tokens_say_what_they_were_minted_for() {
    let server = Server::new(Issuer::Server);
    let all = Grant {
        group: GROUP,
        group_generation: 3,
        database: None,
        write: true,
        child_ddl: false,
        tables: None,
        attach: Vec::new(),
        issued_at: NOW,
        expires_at: None,
    };
    let one = Grant { database: Some((SHOP, 2)), expires_at: Some(NOW + 5), ..all.clone() };
    let tables = serde_json::from_str(r#"[{"t":["t"],"a":["data_read"]}]"#).ok();
    for (grant, target, expected) in [
        (all.clone(), blog(), "full"),
        (all.clone(), elsewhere(), "none"),
        (Grant { write: false, ..all.clone() }, shop(), "read"),
        (Grant { child_ddl: true, ..all.clone() }, child(), "full"),
        (Grant { tables, attach: vec![BLOG], ..all.clone() }, shop(), "full limited"),
        (one.clone(), shop(), "full"),
        (one.clone(), blog(), "none"),
        (Grant { expires_at: Some(NOW), ..all.clone() }, shop(), "expired"),
    ] {
        let token = server.authority.mint(&grant).unwrap();
        let found = server.worth(&token, &target);
        assert!(found.contains(expected), "{grant:?}\nexpected {expected}\nfound    {found}");
    }
    let token = server.authority.mint(&one).unwrap();
    let claims = server.authority.verify(&token, || None, NOW).unwrap();
    assert_eq!((claims.database(), claims.expires_at()), (Some(SHOP), Some(NOW + 5)));
    let many = Grant { attach: vec![SHOP; 1000], ..all };
    assert!(server.authority.mint(&many).unwrap_err().message().contains("name fewer tables"));
}

#[test]
fn what_a_key_has_signed_goes_on_as_long_as_the_key_stays() {
    let server = Server::new(Issuer::Server);
    let keys = |issuer: Issuer, bytes: &[u8]| -> Vec<_> {
        let key = |byte: &u8| SigningKey::from_bytes(&[*byte; 32]).verifying_key();
        bytes.iter().map(|byte| ForeignKey { issuer, key: key(byte) }).collect()
    };
    let head = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, server.foreign.kid());
    let token = signed(&server.foreign, &head, "{}");
    for (next, goes_on) in [
        (keys(Issuer::Server, &[3, 2]), true),
        (keys(Issuer::Server, &[3]), false),
        (keys(Issuer::Group(GROUP), &[2]), false),
    ] {
        server.authority.set_foreign_keys(keys(Issuer::Server, &[2]));
        let claims = server.authority.verify(&token, || None, NOW).unwrap();
        server.authority.set_foreign_keys(next);
        assert_eq!(claims.access_to(&shop()).is_some(), goes_on);
    }
    assert!(!server.authority.has_met_unknown_key());
    server.authority.set_foreign_keys(Vec::new());
    assert!(server.authority.verify(&token, || None, NOW).is_err());
    assert!(server.authority.has_met_unknown_key() && !server.authority.has_met_unknown_key());
}

#[test]
fn remembered_tokens_expire_and_go_with_their_keys() {
    let server = Server::new(Issuer::Server);
    let token = server.foreign(&format!(r#"{{"a":"ro","exp":{NOW}}}"#));
    for seconds in [0, 0, 59] {
        assert!(server.authority.verify(&token, || None, NOW + seconds).is_ok(), "{seconds}");
    }
    assert!(server.authority.verify(&token, || None, NOW + 60).is_err());
    let lasting = server.foreign("{}");
    assert!(server.authority.verify(&lasting, || None, NOW).is_ok());
    server.authority.set_foreign_keys(Vec::new());
    assert!(server.authority.verify(&lasting, || None, NOW).is_err());
}
