//! What leads to a server that stands in for Turso, where a test cannot change what names mean: a proxy, which the
//! CLI asks for connections by name. What goes through is TLS, of which the proxy sees nothing.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Starts a proxy that leads all of Turso's names to `server`, until the tests end; its URL.
pub(super) fn start(server: SocketAddr) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            thread::spawn(move || lead(client, server));
        }
    });
    url
}

/// Whether it is a name that users of the mode point to their server, on the port that the CLI takes for https.
fn is_ours(authority: &str) -> bool {
    let name = authority.strip_suffix(":443").unwrap_or_default();
    name == "api.turso.tech" || name.ends_with(".turso.io")
}

/// Serves one connection; whoever goes early is no failure.
fn lead(mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let head = head(&mut client)?;
    let authority = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    if !authority.is_some_and(is_ours) {
        return client.write_all(b"HTTP/1.1 502 Not One Of Turso's Names\r\n\r\n");
    }
    let server = TcpStream::connect(server)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || pass(from_client, to_server));
    pass(server, client)
}

/// A request up to its empty line, and nothing of what follows.
fn head(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn pass(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
