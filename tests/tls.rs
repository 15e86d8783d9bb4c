//! TLS: beside plain HTTP on one port, with certificates of a private authority and of files.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::harness::{TestServer, eventually};
use crate::program::{Program, command};

const SELECT: &str = r#"{"requests":[{"type":"execute","stmt":{"sql":"SELECT 42"}}]}"#;

/// Connects as a client that trusts the certificate in `trusted` alone, and calls the server `name`.
async fn connect(
    address: SocketAddr,
    trusted: &Path,
    name: &str,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let socket = TcpStream::connect(address).await?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
    Ok(stream)
}

/// Asks for 42, over the version of HTTP that was agreed on.
async fn ask(stream: TlsStream<TcpStream>, protocol: &str) -> Value {
    let request = |uri: &str| {
        let request = Request::post(uri).header("host", "localhost");
        request.body(Full::new(Bytes::from(SELECT))).unwrap()
    };
    let io = TokioIo::new(stream);
    let response = if protocol == "h2" {
        let executor = TokioExecutor::new();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request("https://localhost/v2/pipeline")).await.unwrap()
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request("/v2/pipeline")).await.unwrap()
    };
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    body["results"][0]["response"]["result"]["rows"][0][0]["value"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn http_and_https_are_on_one_port() {
    let server = TestServer::start_with(&["--tls", "local"]).await;
    let authority = server.directory.path().join("data/tls/ca.pem");
    for protocol in ["h2", "http/1.1"] {
        let stream = connect(server.address(), &authority, "localhost", protocol).await.unwrap();
        assert_eq!(ask(stream, protocol).await, "42", "{protocol}");
    }
    assert_eq!(server.execute("SELECT 42").await["rows"][0][0]["value"], "42");
    assert_eq!(server.platform(hyper::Method::GET, "/v1/databases", Value::Null).await.status, 200);

    let stream = connect(server.address(), &authority, "localhost", "http/1.1").await.unwrap();
    let mut request = "wss://localhost/".into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "hrana2".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    socket.send(json!({ "type": "hello", "jwt": null }).to_string().into()).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert_eq!(answer.as_str(), r#"{"type":"hello_ok"}"#);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_nothing_or_nonsense_is_nobodys_trouble() {
    let server = TestServer::start_with(&["--tls", "local"]).await;
    let _silent = TcpStream::connect(server.address()).await.unwrap();
    let mut broken = TcpStream::connect(server.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut broken, b"\x16\x03\x01\0\x05hello").await.unwrap();
    broken.read_to_end(&mut Vec::new()).await.unwrap();
    let mut half = TcpStream::connect(server.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut half, b"\x16").await.unwrap();
    assert_eq!(server.execute("SELECT 42").await["rows"][0][0]["value"], "42");
    let started = Instant::now();
    server.stop().await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_private_authority_certifies_every_name_of_the_server() {
    let flags = ["--tls", "local", "--domain", "turso.io", "--api-host", "api.turso.tech"];
    let server = TestServer::start_with(&flags).await;
    let authority = server.directory.path().join("data/tls/ca.pem");
    for name in
        ["localhost", "127.0.0.1", "::1", "turso.io", "shop-local.turso.io", "api.turso.tech"]
    {
        let stream = connect(server.address(), &authority, name, "h2").await;
        assert!(stream.is_ok(), "{name}: {stream:?}");
    }
    for name in ["example.com", "turso.tech", "192.0.2.1", "a.b.turso.io"] {
        let error = connect(server.address(), &authority, name, "h2").await.unwrap_err();
        assert!(error.to_string().contains("certificate not valid for name"), "{error}");
    }
    let file = |name: &str| server.directory.path().join("data/tls").join(name);
    let mode = |name: &str| fs::metadata(file(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("ca-key.pem")), (0o700, 0o600));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_private_authority_stays_over_restarts_and_changes_of_names() {
    let data_dir = TempDir::new().unwrap();
    let start = |flags: &[&str]| {
        let mut command = command();
        command.args(["--tls", "local", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(data_dir.path()).args(flags);
        Program::run(command)
    };
    let authority = data_dir.path().canonicalize().unwrap().join("tls/ca.pem");
    let server = start(&[]);
    let first = fs::read(&authority).unwrap();
    let path = authority.display();
    let greeting = server.greeting();
    for line in [
        format!("https://{} and http://{0}", server.address()),
        format!("export NODE_EXTRA_CA_CERTS=\"{path}\""),
        format!("export SSL_CERT_FILE=\"{path}\""),
    ] {
        assert!(greeting.contains(&line), "{line} is not in:\n{greeting}");
    }
    assert!(connect(server.address(), &authority, "a.db.example.com", "h2").await.is_err());
    drop(server);

    let server = start(&["--domain", "db.example.com"]);
    assert_eq!(fs::read(&authority).unwrap(), first);
    assert!(connect(server.address(), &authority, "a.db.example.com", "h2").await.is_ok());
    assert!(server.greeting().contains("https://NAME-local.db.example.com:"));
    drop(server);

    // The certificate follows from the key, but not from another one.
    fs::remove_file(&authority).unwrap();
    let server = start(&[]);
    assert!(connect(server.address(), &authority, "localhost", "h2").await.is_ok());
    drop(server);
    fs::remove_file(authority.with_file_name("ca-key.pem")).unwrap();
    let server = start(&[]);
    assert_ne!(fs::read(&authority).unwrap(), first);
    assert!(connect(server.address(), &authority, "localhost", "h2").await.is_ok());
    drop(server);

    fs::write(authority.with_file_name("ca-key.pem"), "nonsense").unwrap();
    let mut command = command();
    command.args(["--tls", "local", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir.path());
    let output = command.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("ca-key.pem, cannot be used"), "{message}");
}

/// Writes a certificate for localhost, and its key, into a directory.
fn write_certificate(directory: &Path) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(directory.join("cert.pem"), cert.pem()).unwrap();
    fs::write(directory.join("key.pem"), signing_key.serialize_pem()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_in_files_are_renewed_without_a_restart() {
    let files = TempDir::new().unwrap();
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    write_certificate(files.path());
    let flags = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let server = TestServer::start_with(&flags).await;
    let is_shown = async |trusted: &Path| {
        connect(server.address(), trusted, "localhost", "http/1.1").await.is_ok()
    };
    assert!(is_shown(&certificate).await);
    let old = files.path().join("old.pem");
    fs::copy(&certificate, &old).unwrap();

    // Half a renewal, or a broken one, changes nothing.
    let next = TempDir::new().unwrap();
    write_certificate(next.path());
    fs::remove_file(&key).unwrap();
    fs::copy(next.path().join("cert.pem"), &certificate).unwrap();
    assert!(is_shown(&old).await);
    fs::copy(next.path().join("key.pem"), &key).unwrap();
    eventually(async || is_shown(&certificate).await).await;
    assert!(!is_shown(&old).await);
    server.stop().await;
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let files = TempDir::new().unwrap();
    let path = |name: &str| files.path().join(name).display().to_string();
    write_certificate(files.path());
    fs::rename(path("key.pem"), path("other-key.pem")).unwrap();
    write_certificate(files.path());
    fs::write(path("empty.pem"), "").unwrap();
    fs::write(path("half.pem"), &fs::read(path("cert.pem")).unwrap()[..80]).unwrap();
    fs::write(path("broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    fs::write(
        path("broken-key.pem"),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    let cases = [
        ("none.pem", "key.pem", "--tls-cert", "none.pem cannot be used: No such file"),
        ("cert.pem", "none.pem", "--tls-key", "none.pem cannot be used: No such file"),
        ("empty.pem", "key.pem", "--tls-cert", "empty.pem cannot be used: it holds no certificate"),
        ("key.pem", "key.pem", "--tls-cert", "key.pem cannot be used: it holds no certificate"),
        ("half.pem", "key.pem", "--tls-cert", "half.pem cannot be used: "),
        ("broken.pem", "key.pem", "--tls-cert", "broken.pem cannot be used: "),
        ("cert.pem", "cert.pem", "--tls-key", "cert.pem cannot be used: it holds no private key"),
        ("cert.pem", "broken-key.pem", "--tls-key", "the key is broken"),
        ("cert.pem", "other-key.pem", "--tls-key", "not the key of the first certificate in "),
    ];
    for (certificate, key, flag, why) in cases {
        let mut command = command();
        command.args(["--listen", "127.0.0.1:0", "--data-dir", &path("data")]);
        command.args(["--tls-cert", &path(certificate), "--tls-key", &path(key)]);
        let output = command.output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{certificate} {key}");
        assert!(message.contains(flag) && message.contains(why), "{certificate} {key}: {message}");
    }
}
