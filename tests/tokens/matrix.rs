//! What a token claims, what is asked with it, and over what: one table.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::Method;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{Outcome, WAYS, attempt, mint, rotate};
use crate::harness::TestServer;
use crate::harness::signer::Signer;

/// What is asked of the database `shop`. `$` is another number each time.
const OPERATIONS: [(&str, &str); 4] = [
    ("read", "SELECT count(*) FROM t"),
    ("add", "INSERT INTO t VALUES (1)"),
    ("delete", "DELETE FROM t"),
    ("schema", "CREATE TABLE made_$ (a)"),
];

const ALL: &str = "read add delete schema";

/// The token may be good, but not for this database. It is as if there were none.
const ELSEWHERE: &str = "elsewhere";

/// The token opens nothing at all.
const WRONG: &str = "wrong";

type Row = (&'static str, String, &'static str);

/// Tokens that the server has made, and what they are good for.
async fn own(server: &TestServer) -> Vec<Row> {
    let (shop, group) = ("databases/shop", "groups/default");
    let old_of_group = mint(server, group, "", Value::Null).await;
    rotate(server, group).await;
    let old = mint(server, shop, "", Value::Null).await;
    rotate(server, shop).await;
    let expired = mint(server, shop, "expiration=1s", Value::Null).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let tables = |tables: Value| json!({ "fine_grained_permissions": tables });
    let reader = tables(json!([{ "t": ["t"], "a": ["data_read"] }]));
    let adder = tables(json!([{ "t": null, "a": ["data_read", "data_add"] }]));
    let other = tables(json!([{ "t": ["other"], "a": ["data_read", "data_add"] }]));
    vec![
        ("its owner's", server.token.clone(), ALL),
        ("of the database", mint(server, shop, "", Value::Null).await, ALL),
        ("for a day", mint(server, shop, "expiration=1d", Value::Null).await, ALL),
        ("read-only", mint(server, shop, "authorization=read-only", Value::Null).await, "read"),
        ("reads one table", mint(server, shop, "", reader).await, "read"),
        ("reads and adds", mint(server, shop, "", adder).await, "read add"),
        ("for another table", mint(server, shop, "", other).await, ""),
        ("of the group", mint(server, group, "", Value::Null).await, ALL),
        (
            "read-only of the group",
            mint(server, group, "authorization=read-only", Value::Null).await,
            "read",
        ),
        ("of another database", mint(server, "databases/blog", "", Value::Null).await, ELSEWHERE),
        ("of another group", mint(server, "groups/team", "", Value::Null).await, ELSEWHERE),
        ("rotated", old, WRONG),
        ("rotated with the group", old_of_group, WRONG),
        ("expired", expired, WRONG),
    ]
}

/// Tokens in the form of sqld, by the key that was set up.
fn foreign(signer: &Signer) -> Vec<Row> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let of = |claims: Value| signer.token_without_kid(&claims);
    let good = of(json!({ "a": "rw" }));
    let [head, claims, signature]: [&str; 3] =
        good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let encode = |json: &str| BASE64_URL_SAFE_NO_PAD.encode(json);
    let stranger = Signer::eddsa("stranger");
    vec![
        ("a: rw", good.clone(), ALL),
        ("a: ro", of(json!({ "a": "ro" })), "read"),
        ("id", of(json!({ "id": "shop", "a": "rw" })), ALL),
        ("id, a: ro", of(json!({ "id": "shop", "a": "ro" })), "read"),
        ("id of another", of(json!({ "id": "blog" })), ELSEWHERE),
        ("p: rw", of(json!({ "p": { "rw": { "ns": ["shop"] } } })), ALL),
        ("p: ro", of(json!({ "p": { "ro": { "ns": ["shop"] } } })), "read"),
        ("p of another", of(json!({ "p": { "rw": { "ns": ["blog"] } } })), ELSEWHERE),
        ("not yet", of(json!({ "a": "rw", "nbf": now + 600 })), WRONG),
        ("no more", of(json!({ "a": "rw", "exp": now - 600 })), WRONG),
        ("an unknown right", of(json!({ "a": "root" })), WRONG),
        ("an unknown claim", of(json!({ "a": "rw", "admin": true })), WRONG),
        ("a group's", of(json!({ "a": "rw", "gid": "default" })), WRONG),
        ("by another key", stranger.token_without_kid(&json!({ "a": "rw" })), WRONG),
        ("alg: none", format!("{}.{claims}.", encode(r#"{"alg":"none"}"#)), WRONG),
        ("alg: HS256", format!("{}.{claims}.{signature}", encode(r#"{"alg":"HS256"}"#)), WRONG),
        ("with other claims", format!("{head}.{}.{signature}", encode("{}")), WRONG),
        ("without its signature", format!("{head}.{claims}."), WRONG),
        ("cut off", good[..good.len() - 4].to_owned(), WRONG),
        ("no token", "secret".to_owned(), WRONG),
        ("nothing", String::new(), WRONG),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_claims_is_what_it_opens_over_every_transport() {
    let signer = Signer::eddsa("provider");
    let key = NamedTempFile::new().unwrap();
    std::fs::write(key.path(), signer.text()).unwrap();
    let flags = ["--auth", "required", "--auth-key", key.path().to_str().unwrap()];
    let server = TestServer::start_with(&flags).await;
    let team = json!({ "name": "team", "location": "local" });
    assert_eq!(server.platform(Method::POST, "/v1/groups", team).await.status, 200);
    for name in ["shop", "blog"] {
        server.create_database(name).await;
    }
    for sql in ["CREATE TABLE t (a)", "CREATE TABLE other (a)"] {
        assert_eq!(attempt(&server, WAYS[0], "shop", &server.token, sql).await, Outcome::Done);
    }
    let mut number = 0;
    for (what, token, expected) in own(&server).await.into_iter().chain(foreign(&signer)) {
        for way in WAYS {
            // Whoever is not let in need not say what for.
            let operations = if [WRONG, ELSEWHERE].contains(&expected) { 1 } else { 4 };
            for (operation, sql) in &OPERATIONS[..operations] {
                number += 1;
                let sql = &sql.replace('$', &number.to_string());
                let found = attempt(&server, way, "shop", &token, sql).await;
                let case = format!("token: {what}; {operation} over {way:?}: {found:?}");
                match (expected, found) {
                    (WRONG, Outcome::Stranger(why)) => {
                        assert!(why.contains("Unauthorized"), "{case}");
                    }
                    // The same is said of a database that was never there.
                    (ELSEWHERE, found @ Outcome::Stranger(_)) => {
                        let none = attempt(&server, way, "none", &token, sql).await;
                        let Outcome::Stranger(why) = none else { panic!("{case}") };
                        let same = Outcome::Stranger(why.replace("none", "shop"));
                        assert_eq!(found, same, "{case}");
                    }
                    (WRONG | ELSEWHERE, _) | (_, Outcome::Stranger(_)) => panic!("{case}"),
                    (allowed, found) => {
                        let is_allowed = allowed.split(' ').any(|one| one == *operation);
                        assert_eq!(found == Outcome::Done, is_allowed, "{case}");
                    }
                }
            }
        }
    }
    server.stop().await;
}
