//! Keys of identity providers, published by a server in the test: what their tokens open, and until when.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::signer::{Signer, jwks};
use crate::harness::socket::Socket;
use crate::harness::{Answer, TestServer, eventually};
use crate::program;

const JWKS: &str = "/v2/organizations/local/jwks";

/// An identity provider.
struct Provider {
    address: SocketAddr,
    answer: Arc<Mutex<String>>,
    asked: Arc<Mutex<usize>>,
}

impl Provider {
    fn start(document: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let provider = Provider { address, answer: Arc::default(), asked: Arc::default() };
        provider.publish(document);
        let (answer, asked) = (Arc::clone(&provider.answer), Arc::clone(&provider.asked));
        // Ends with the process.
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let _ = socket.read(&mut [0; 4096]);
                *asked.lock().unwrap() += 1;
                let answer = answer.lock().unwrap().clone();
                let _ = socket.write_all(answer.as_bytes());
            }
        });
        provider
    }

    fn url(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    fn publish(&self, document: &str) {
        self.say("200 OK", "content-type: application/json", document);
    }

    fn say(&self, status: &str, header: &str, body: &str) {
        let length = body.len();
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 {status}\r\n{header}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

async fn execute(server: &TestServer, database: &str, token: &str, sql: &str) -> Answer {
    let body = json!({ "stmt": { "sql": sql } }).to_string();
    let headers = [("authorization", &*format!("Bearer {token}"))];
    server.request(Method::POST, &format!("/db/{database}/v1/execute"), &headers, body).await
}

async fn status(server: &TestServer, database: &str, token: &str) -> u16 {
    execute(server, database, token, "SELECT 1").await.status.as_u16()
}

async fn save(server: &TestServer, name: &str, url: &str) -> Answer {
    server.platform(Method::PUT, &format!("{JWKS}/{name}"), json!({ "url": url })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_provider_open_what_they_claim_until_its_keys_are_removed() {
    let (rsa, ec, ed) = (Signer::rs256("r"), Signer::es256("e"), Signer::eddsa("d"));
    let provider = Provider::start(&jwks(&[&rsa, &ec, &ed]));
    let server = TestServer::start().await;
    for name in ["shop", "blog"] {
        server.create_database(name).await;
        execute(&server, name, &server.token, "CREATE TABLE t (a)").await;
    }
    let reader = |signer: &Signer| signer.token(&json!({ "id": "shop", "a": "ro" }));
    assert_eq!(status(&server, "shop", &reader(&rsa)).await, 401);
    let saved = save(&server, "clerk", &provider.url()).await;
    assert_eq!(saved.json(), json!({ "jwks_name": "clerk", "jwks_url": provider.url() }));
    let list = server.platform(Method::GET, JWKS, Value::Null).await.json();
    assert_eq!(list, json!({ "jwks": [saved.json()] }));

    for signer in [&rsa, &ec, &ed] {
        let reader = reader(signer);
        assert_eq!(status(&server, "shop", &reader).await, 200);
        assert_eq!(status(&server, "blog", &reader).await, 404);
        let refused = execute(&server, "shop", &reader, "INSERT INTO t VALUES (1)").await;
        assert_eq!(refused.status, 403, "{refused:?}");
        let writer =
            signer.token(&json!({ "sub": "user_1", "p": { "rw": { "ns": ["blog"] }, "ro": { "tags": ["default"] } } }));
        let insert = "INSERT INTO t VALUES (1)";
        assert_eq!(execute(&server, "blog", &writer, insert).await.status, 200);
        assert_eq!(execute(&server, "shop", &writer, insert).await.status, 403);
        // A login that says nothing of databases, and one that is meant for somebody else.
        assert_eq!(status(&server, "shop", &signer.token(&json!({ "sub": "user_1" }))).await, 401);
        let elsewhere = signer.token(&json!({ "a": "rw", "aud": "https://elsewhere.example" }));
        assert_eq!(status(&server, "shop", &elsewhere).await, 401);
        let table = json!({ "a": "rw", "perm": [{ "t": ["other"], "a": ["data_read"] }] });
        let refused = execute(&server, "shop", &signer.token(&table), "SELECT * FROM t").await;
        assert_eq!(refused.status, 403, "{refused:?}");
    }

    let token = reader(&ec);
    let mut socket = Socket::try_open(&server, "/db/shop/", "hrana3").await.unwrap();
    socket.say(json!({ "type": "hello", "jwt": token })).await;
    assert_eq!(socket.hear().await, json!({ "type": "hello_ok" }));
    let removing = Instant::now();
    let removed = server.platform(Method::DELETE, &format!("{JWKS}/clerk"), Value::Null).await;
    assert_eq!(removed.status, 200, "{removed:?}");
    // The socket says nothing, and is closed all the same.
    assert_eq!(socket.closed().await.0, 1008);
    assert!(removing.elapsed() < Duration::from_secs(1), "{:?}", removing.elapsed());
    assert_eq!(status(&server, "shop", &token).await, 401);
    server.platform(Method::DELETE, &format!("{JWKS}/clerk"), Value::Null).await.failure(404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_of_the_provider_is_found_and_an_unreachable_provider_does_no_harm() {
    let (first, second) = (Signer::eddsa("1"), Signer::es256("2"));
    let provider = Provider::start(&jwks(&[&first]));
    let server = TestServer::start().await;
    assert_eq!(save(&server, "idp", &provider.url()).await.status, 200);
    let (old, new) = (first.token(&json!({ "a": "ro" })), second.token(&json!({ "a": "ro" })));
    let mut socket = Socket::try_open(&server, "/", "hrana3").await.unwrap();
    socket.say(json!({ "type": "hello", "jwt": old })).await;
    assert_eq!(socket.hear().await, json!({ "type": "hello_ok" }));
    // Fetched anew since the server knows a URL; what cannot be read changes nothing.
    provider.say("500 Sorry", "x: y", "");
    let unknown = Signer::eddsa("3").token(&json!({ "a": "ro" }));
    let asked = provider.asked();
    assert_eq!(status(&server, "default", &unknown).await, 401);
    eventually(async || provider.asked() > asked).await;
    assert_eq!(status(&server, "default", &old).await, 200);
    assert_eq!(status(&server, "default", &new).await, 401);
    // Not more than once a minute because of tokens that name what is not there.
    let asked = provider.asked();
    for _ in 0..20 {
        assert_eq!(status(&server, "default", &unknown).await, 401);
    }
    provider.publish(&jwks(&[&first, &second]));
    assert_eq!(save(&server, "idp", &provider.url()).await.status, 200);
    assert!(provider.asked() <= asked + 2, "{} {asked}", provider.asked());
    assert_eq!(status(&server, "default", &new).await, 200);
    // Who came with the first key was not disturbed.
    assert_eq!(
        socket.ask(json!({ "type": "open_stream", "stream_id": 1 })).await["type"],
        "open_stream"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_has_just_been_published_is_fetched_when_a_token_names_it() {
    let (first, second) = (Signer::eddsa("1"), Signer::rs256("2"));
    let provider = Provider::start(&jwks(&[&first]));
    let server = TestServer::start().await;
    assert_eq!(save(&server, "idp", &provider.url()).await.status, 200);
    // The server looks by itself soon after the first URL is known.
    eventually(async || provider.asked() >= 2).await;
    provider.publish(&jwks(&[&second]));
    let (old, new) = (first.token(&json!({ "a": "ro" })), second.token(&json!({ "a": "ro" })));
    assert_eq!(status(&server, "default", &old).await, 200);
    eventually(async || status(&server, "default", &new).await == 200).await;
    // What the provider has taken back is worth nothing any more.
    assert_eq!(status(&server, "default", &old).await, 401);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_document_of_keys_is_not_saved() {
    let signer = Signer::eddsa("1");
    let provider = Provider::start(&jwks(&[&signer]));
    let server = TestServer::start().await;
    let padding = format!("{{\"keys\":[{}]}}", " ".repeat(300_000));
    let elsewhere = format!("location: http://127.0.0.1:{}/", provider.address.port());
    for (status, header, body, why) in [
        ("404 Not Found", "x: y", "", "the answer is 404"),
        ("302 Found", &*elsewhere, "", "could not be fetched"),
        ("200 OK", "x: y", "<html>", "is not a JWKS document"),
        ("200 OK", "x: y", "{\"keys\":[]}", "has no key"),
        ("200 OK", "x: y", signer.text(), "is not a JWKS document"),
        ("200 OK", "x: y", &padding, "could not be fetched"),
    ] {
        provider.say(status, header, body);
        let message = save(&server, "idp", &provider.url()).await.failure(400);
        assert!(message.contains(why), "{message}");
    }
    for url in ["http://id.example/jwks.json", "file:///etc/passwd", "", "http://10.0.0.1/"] {
        let message = save(&server, "idp", url).await.failure(400);
        assert!(message.contains("must begin with https://"), "{message}");
    }
    let path = format!("{JWKS}/idp");
    let message = server.platform(Method::PUT, &path, json!({})).await.failure(400);
    assert!(message.contains("`url` is missing"), "{message}");
    let list = server.platform(Method::GET, JWKS, Value::Null).await.json();
    assert_eq!(list, json!({ "jwks": [] }));
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        server.request(method, &path, &[], "").await;
    }
    // Who may not everything may not say whose tokens are good.
    let scopes = json!({ "scopes": ["read", "db:create"] });
    let minted = server.platform(Method::POST, "/v1/auth/api-tokens/ci", scopes).await.json();
    let limited = format!("Bearer {}", minted["token"].as_str().unwrap());
    provider.publish(&jwks(&[&signer]));
    let body = json!({ "url": provider.url() }).to_string();
    for (method, path) in [(Method::GET, JWKS), (Method::PUT, &path), (Method::DELETE, &path)] {
        let headers = [("authorization", &*limited)];
        server.request(method, path, &headers, body.clone()).await.failure(401);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_says_what_a_token_has_to_claim() {
    let signer = Signer::es256("1");
    let provider = Provider::start(&jwks(&[&signer]));
    let server = TestServer::start().await;
    server.create_database("shop").await;
    save(&server, "idp", &provider.url()).await;
    let perm = json!([{ "t": ["t"], "a": ["data_read"] }]);
    for (body, shop, other, write) in [
        (
            json!({ "database": null, "group": null, "scope": "full-access", "permissions": [] }),
            200,
            200,
            200,
        ),
        (json!({ "database": "shop", "scope": "full-access" }), 200, 404, 200),
        (json!({ "database": "shop", "scope": "read-only" }), 200, 404, 403),
        (json!({ "group": "default", "scope": "read-only" }), 200, 200, 403),
        (json!({ "scope": "full-access", "permissions": perm }), 200, 200, 403),
    ] {
        let path = "/v2/organizations/local/jwks-template";
        let template = server.platform(Method::GET, path, body.clone()).await.json();
        let token = signer.token(&template["template"]);
        assert_eq!(status(&server, "shop", &token).await, shop, "{body} {template}");
        assert_eq!(status(&server, "default", &token).await, other, "{body} {template}");
        let written = execute(&server, "shop", &token, "CREATE TABLE IF NOT EXISTS u (a)").await;
        assert_eq!(written.status, write, "{body} {template} {written:?}");
    }
    for body in [
        json!({ "database": "none" }),
        json!({ "group": "none" }),
        json!({ "database": "shop", "group": "default" }),
        json!({ "scope": "some" }),
    ] {
        let path = "/v2/organizations/local/jwks-template";
        let answer = server.platform(Method::GET, path, body.clone()).await;
        assert!(answer.status.is_client_error(), "{body}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_adds_a_url_for_one_group_on_the_command_line() {
    let signer = Signer::rs256("1");
    let provider = Provider::start(&jwks(&[&signer]));
    let server = TestServer::start().await;
    server.platform(Method::POST, "/v1/groups", json!({ "name": "team" })).await;
    let body = json!({ "name": "shop", "group": "team" });
    server.platform(Method::POST, "/v1/databases", body).await;
    let data_dir = server.directory.path().join("data");
    let key = |arguments: &[&str]| {
        let mut command: Command = program::command();
        command.arg("key").args(arguments).arg("--data-dir").arg(&data_dir).output().unwrap()
    };
    let added = key(&["add", "idp", &provider.url(), "--group", "team"]);
    assert!(added.status.success(), "{added:?}");
    let token = signer.token(&json!({ "a": "rw" }));
    eventually(async || status(&server, "shop", &token).await == 200).await;
    assert_eq!(status(&server, "default", &token).await, 404);
    let list = key(&["list"]);
    assert!(String::from_utf8_lossy(&list.stdout).contains(&provider.url()), "{list:?}");
    let refused = key(&["add", "other", "http://id.example/jwks.json"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("https://"), "{refused:?}");
    assert!(key(&["remove", "idp", "--group", "team"]).status.success());
    eventually(async || status(&server, "shop", &token).await == 401).await;
    server.stop().await;
}
