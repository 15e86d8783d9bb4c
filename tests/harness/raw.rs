//! A WebSocket whose bytes are the test's own: nothing is answered, and nothing is refused to be sent.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::TestServer;

pub(crate) struct RawSocket(Frames<TcpStream>);

/// What the server sends, frame by frame.
pub(crate) struct Frames<S> {
    stream: S,
    /// What was received and not looked at yet.
    received: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl RawSocket {
    pub(crate) async fn open(server: &TestServer, subprotocol: &str) -> Self {
        Self::open_at(server.address(), subprotocol).await
    }

    pub(crate) async fn open_at(address: SocketAddr, subprotocol: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "GET / HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             sec-websocket-protocol: {subprotocol}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        RawSocket(Frames { stream, received: Vec::new() })
    }

    pub(crate) fn into_split(self) -> (Frames<OwnedReadHalf>, OwnedWriteHalf) {
        let Frames { stream, received } = self.0;
        let (stream, writing) = stream.into_split();
        (Frames { stream, received }, writing)
    }

    /// Sends bytes. False if the server does not take them any more.
    pub(crate) async fn try_raw(&mut self, bytes: &[u8]) -> bool {
        self.0.stream.write_all(bytes).await.is_ok()
    }

    pub(crate) async fn request(&mut self, id: i32, request: Value) {
        let message = json!({ "type": "request", "request_id": id, "request": request });
        self.text(&message.to_string()).await;
    }

    /// Sends one text message.
    pub(crate) async fn text(&mut self, text: &str) {
        assert!(self.try_raw(&frame(0x81, text.as_bytes())).await);
    }

    /// Waits for the beginning of the next frame; skips short ones.
    pub(crate) async fn arrival(&mut self) {
        if parse(&self.0.received).is_some() {
            self.0.next().await;
        } else {
            self.0.stream.read_buf(&mut self.0.received).await.unwrap();
        }
    }

    /// The code and reason with which the server closes; `None` if it just hangs up.
    pub(crate) async fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            let Frame { opcode, payload } = self.0.next().await?;
            if let (8, [first, second, reason @ ..]) = (opcode, &payload[..]) {
                let code = u16::from_be_bytes([*first, *second]);
                return Some((code, String::from_utf8(reason.to_vec()).unwrap()));
            }
        }
    }
}

impl<S: AsyncRead + Unpin> Frames<S> {
    /// The next frame; `None` when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, length)) = parse(&self.received) {
                self.received.drain(..length);
                return Some(frame);
            }
            match self.stream.read_buf(&mut self.received).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return None,
            }
        }
    }
}

/// A frame as a client has to send it; the mask changes nothing.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    frame_with(first, [0; 4], payload)
}

/// A frame with a mask.
pub(crate) fn frame_with(first: u8, mask: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | length as u8),
        length @ 126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A whole frame of the server's, and its length.
fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    assert_eq!(second & 0x80, 0, "a server does not mask");
    let (length, start) = match second {
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        length => (u64::from(length), 2),
    };
    let end = start + usize::try_from(length).ok()?;
    let payload = bytes.get(start..end)?.to_vec();
    Some((Frame { opcode: first & 0x0f, payload }, end))
}
