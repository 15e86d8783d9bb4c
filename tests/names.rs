//! The names of databases in URLs: by domain or by path, directly or through a proxy.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};

const WHO: &str =
    r#"{"requests":[{"type":"execute","stmt":{"sql":"SELECT name FROM me"}},{"type":"close"}]}"#;

/// A server with the databases `default` and `shop`, each of which knows its name.
async fn start(flags: &[&str]) -> TestServer {
    let server = TestServer::start_with(flags).await;
    server.create_database("shop").await;
    for name in ["default", "shop"] {
        let sql = format!("CREATE TABLE me(name); INSERT INTO me VALUES('{name}')");
        let body = json!({ "requests": [{ "type": "sequence", "sql": sql }] }).to_string();
        let answer = ask(&server, &format!("/db/{name}/v2/pipeline"), &[], &body).await;
        assert_eq!(answer.json()["results"][0]["type"], "ok", "{answer:?}");
    }
    server
}

/// A request with the owner's token.
async fn ask(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let authorization = format!("Bearer {}", server.token);
    let headers = [headers, &[("authorization", authorization.as_str())]].concat();
    let method = if body.is_empty() { Method::GET } else { Method::POST };
    server.request(method, path, &headers, body.to_owned()).await
}

async fn who(server: &TestServer, headers: &[(&str, &str)]) -> Value {
    let answer = ask(server, "/v2/pipeline", headers, WHO).await;
    answer.json()["results"][0]["response"]["result"]["rows"][0][0]["value"].clone()
}

/// What the platform API says of where `shop` is.
async fn place(server: &TestServer, headers: &[(&str, &str)]) -> (String, String) {
    let shown = ask(server, "/v1/databases/shop", headers, "").await.json();
    let text = |name: &str| shown["database"][name].as_str().unwrap().to_owned();
    (text("Hostname"), text("primaryRegion"))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_domain_a_database_is_a_path_where_the_client_reaches_the_server() {
    let server = start(&[]).await;
    let address = server.address();
    let own = (format!("{address}/db/shop/"), "local".to_owned());
    assert_eq!(place(&server, &[]).await, own);
    let headers = [("host", "db.example.com:8443")];
    assert_eq!(place(&server, &headers).await.0, "db.example.com:8443/db/shop/");
    // A stranger's word for it is not taken.
    let headers = [("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https")];
    assert_eq!(place(&server, &headers).await, own);
    assert_eq!(who(&server, &[("x-forwarded-host", "shop.localhost")]).await, "default");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_domain_a_database_is_a_host() {
    let flags = ["--domain", "DB.example.com", "--api-host", "api.example.com", "--org", "acme"];
    let server = start(&flags).await;
    let port = server.address().port();
    let place_of = async |host: &str| place(&server, &[("host", host)]).await.0;
    assert_eq!(place(&server, &[]).await.0, format!("shop-acme.db.example.com:{port}"));
    assert_eq!(place_of("api.example.com").await, "shop-acme.db.example.com");
    assert_eq!(place_of("api.example.com:8443").await, "shop-acme.db.example.com:8443");
    for (host, database) in [
        ("shop-acme.db.example.com", "shop"),
        ("Shop-Acme.db.example.com:8443", "shop"),
        ("shop.db.example.com", "shop"),
        ("shop.elsewhere.org", "shop"),
        ("db.example.com", "default"),
        ("api.example.com", "default"),
        ("127.0.0.1", "default"),
    ] {
        assert_eq!(who(&server, &[("host", host)]).await, database, "{host}");
    }
    for host in ["shop-local.db.example.com", "api.elsewhere.org"] {
        let answer = ask(&server, "/v2/pipeline", &[("host", host)], WHO).await;
        assert!(answer.failure(404).contains("could not find database"), "{host}");
    }
    // Whoever has a token for one database does not learn which others there are.
    let minted = ask(&server, "/v1/databases/default/auth/tokens", &[], "{}").await.json();
    let token = format!("Bearer {}", minted["jwt"].as_str().unwrap());
    for name in ["shop", "none"] {
        let host = format!("{name}-acme.db.example.com");
        let headers = [("host", host.as_str()), ("authorization", token.as_str())];
        let answer = server.request(Method::POST, "/v2/pipeline", &headers, WHO).await.failure(404);
        let expected = format!("could not find database with name {name}: record not found");
        assert_eq!(answer, expected + ", or the token is not for it");
    }
    // A name that leads here only by DNS is not this machine's own.
    let headers = [("host", "shop.db.example.com")];
    server.request(Method::POST, "/v2/pipeline", &headers, WHO).await.failure(401);
    let list = ask(&server, "/v1/organizations/acme/databases", &[], "").await.json();
    assert_eq!(list["databases"][1]["Hostname"], format!("shop-acme.db.example.com:{port}"));
    let user = ask(&server, "/v1/current-user", &[], "").await.json();
    assert_eq!(user["user"]["username"], "acme");
    let answer = ask(&server, "/v1/organizations/local/databases", &[], "").await;
    assert!(answer.failure(404).contains("no organization \"local\"; this server's is \"acme\""));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_below_localhost_are_this_machines_own() {
    let server = start(&["--domain", "db.localhost"]).await;
    let headers = [("host", "shop-local.db.localhost")];
    let answer = server.request(Method::POST, "/v2/pipeline", &headers, WHO).await;
    let rows = &answer.json()["results"][0]["response"]["result"]["rows"];
    assert_eq!(rows[0][0]["value"], "shop");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_says_how_the_client_came() {
    let server = start(&["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "127.0.0.1"]).await;
    let far = [("x-forwarded-host", "db.example.com"), ("x-forwarded-proto", "https")];
    let expected = ("db.example.com/db/shop/".to_owned(), "self-hosted".to_owned());
    assert_eq!(place(&server, &far).await, expected);
    let standard = [("forwarded", "for=192.0.2.1;host=\"db.example.com\";proto=https")];
    assert_eq!(place(&server, &standard).await, expected);
    assert_eq!(who(&server, &[("x-forwarded-host", "shop.example.com")]).await, "shop");
    assert_eq!(who(&server, &[("forwarded", "host=shop.example.com")]).await, "shop");
    server.stop().await;

    let server = start(&["--trusted-proxy", "::/0,0.0.0.0/0", "--domain", "example.com"]).await;
    let expected = ("shop-local.example.com".to_owned(), "self-hosted".to_owned());
    assert_eq!(place(&server, &far).await, expected);
    server.stop().await;
}
