//! Requests over HTTP/2: many at once on few connections, as browsers and most runtimes at the edge send them.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::Request;
use h2::client::SendRequest;
use tokio::net::TcpStream;

use crate::driver::Ask;
use crate::{Result, client};

/// Connections that the clients share.
const CONNECTIONS: usize = 4;

/// Asks one request after the other; others do so on the same connection.
pub(crate) struct Http2 {
    sender: SendRequest<Bytes>,
    url: String,
    bodies: Vec<Bytes>,
    next: usize,
    answer: Vec<u8>,
}

impl Http2 {
    /// Clients that execute these Hrana statements in JSON, each its own part of them.
    pub(crate) async fn many(
        address: SocketAddr,
        statements: &[String],
        clients: usize,
    ) -> Result<Vec<Self>> {
        let mut senders = Vec::new();
        for _ in 0..CONNECTIONS.min(clients) {
            senders.push(connect(address).await?);
        }
        let body = |stmt: &String| Bytes::from(client::pipeline(stmt));
        let client = |index: usize| Http2 {
            sender: senders[index % senders.len()].clone(),
            url: format!("http://{address}/v2/pipeline"),
            bodies: statements.iter().skip(index).step_by(clients).map(body).collect(),
            next: 0,
            answer: Vec::new(),
        };
        Ok((0..clients).map(client).collect())
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Bytes>> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (sender, connection) = h2::client::handshake(socket).await?;
    // It ends when the last client that uses it is dropped; a failure is the requests' failure.
    tokio::spawn(connection);
    Ok(sender)
}

impl Ask for Http2 {
    async fn ask(&mut self) -> Result<&[u8]> {
        let body = self.bodies[self.next].clone();
        self.next = (self.next + 1) % self.bodies.len();
        let request = Request::post(&self.url)
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .body(())?;
        let mut sender = self.sender.clone().ready().await?;
        let (response, mut sending) = sender.send_request(request, false)?;
        sending.send_data(body, true)?;
        let response = response.await?;
        let status = response.status();
        let mut body = response.into_body();
        self.answer.clear();
        while let Some(part) = body.data().await {
            let part = part?;
            body.flow_control().release_capacity(part.len())?;
            self.answer.extend_from_slice(&part);
        }
        match status.as_u16() {
            200 => Ok(&self.answer),
            _ => Err(format!("a request failed with status {status}").into()),
        }
    }
}
