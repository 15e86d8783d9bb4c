//! One WebSocket that speaks Hrana 2 in JSON, with as little work per message as possible, as in `client`.

use std::net::SocketAddr;

use memchr::memmem::Finder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Result;

/// An open socket, and the frames on their way.
pub(crate) struct Socket {
    stream: TcpStream,
    input: Vec<u8>,
    /// How much of the input has been taken.
    taken: usize,
    output: Vec<u8>,
    id: Finder<'static>,
    failed: Finder<'static>,
}

const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

impl Socket {
    /// Connects and says hello.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (id, failed) = (Finder::new("\"request_id\":"), Finder::new("\"response_error\""));
        // Made when there is something to read or write: ten thousand sockets have none.
        let (input, output) = (Vec::new(), Vec::new());
        let mut socket = Socket { stream, input, taken: 0, output, id, failed };
        socket.upgrade(address).await?;
        socket.queue(&frame("{\"type\":\"hello\",\"jwt\":null}"));
        socket.send().await?;
        let answer = std::str::from_utf8(socket.next().await?)?;
        if !answer.contains("hello_ok") {
            return Err(format!("the server does not say hello: {answer}").into());
        }
        Ok(socket)
    }

    async fn upgrade(&mut self, address: SocketAddr) -> Result<()> {
        let request = format!(
            "GET / HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             sec-websocket-protocol: hrana2\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let end = Finder::new("\r\n\r\n");
        while end.find(&self.input).is_none() {
            self.read_more().await?;
        }
        let head = end.find(&self.input).map_or(0, |end| end + 4);
        if !self.input.starts_with(b"HTTP/1.1 101 ") {
            let answer = String::from_utf8_lossy(&self.input);
            return Err(format!("the server does not open a WebSocket: {answer}").into());
        }
        self.taken = head;
        Ok(())
    }

    /// Puts a frame behind those that wait to be sent.
    pub(crate) fn queue(&mut self, frame: &[u8]) {
        self.output.extend_from_slice(frame);
    }

    /// Sends all that waits.
    pub(crate) async fn send(&mut self) -> Result<()> {
        self.stream.write_all(&self.output).await?;
        self.output.clear();
        Ok(())
    }

    /// The next message, waiting for it.
    pub(crate) async fn next(&mut self) -> Result<&[u8]> {
        loop {
            if let Some((start, end)) = self.take()? {
                return Ok(&self.input[start..end]);
            }
            self.read_more().await?;
        }
    }

    /// The id of the request that the next answer is for, if one is here; a failure is an error.
    pub(crate) fn answer(&mut self) -> Result<Option<usize>> {
        let Some((start, end)) = self.take()? else { return Ok(None) };
        let message = &self.input[start..end];
        let id = self.id.find(message).map(|place| &message[place + self.id.needle().len()..]);
        let digits = id.map(|id| id.iter().take_while(|byte| byte.is_ascii_digit()));
        let id =
            digits.map(|digits| digits.fold(0, |id, digit| id * 10 + usize::from(digit - b'0')));
        match id {
            Some(id) if self.failed.find(message).is_none() => Ok(Some(id)),
            _ => {
                let start = String::from_utf8_lossy(&message[..message.len().min(500)]);
                Err(format!("a request failed: {start}").into())
            }
        }
    }

    /// Where the next text is in the input, if all of it is here. Pings are answered with what is sent next.
    fn take(&mut self) -> Result<Option<(usize, usize)>> {
        loop {
            let Some((kind, header, length)) = head(&self.input[self.taken..]) else {
                return Ok(None);
            };
            let (start, end) = (self.taken + header, self.taken + header + length);
            if self.input.len() < end {
                return Ok(None);
            }
            self.taken = end;
            match kind {
                TEXT => return Ok(Some((start, end))),
                PING => self.output.extend([PONG, 0x80, 0, 0, 0, 0]),
                _ => return Err(format!("the server sends a frame of kind {kind:#x}").into()),
            }
        }
    }

    pub(crate) async fn read_more(&mut self) -> Result<()> {
        self.input.drain(..self.taken);
        self.taken = 0;
        if self.input.capacity() - self.input.len() < 512 {
            self.input.reserve(1024);
        }
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err("the server closed the socket".into()),
            _ => Ok(()),
        }
    }
}

/// Kind, length of the header and length of the payload of the frame at the beginning of `bytes`.
fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (kind, length) = (*bytes.first()?, *bytes.get(1)?);
    let long = |size: usize| {
        let length = bytes.get(2..2 + size)?;
        Some(length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
    };
    match length {
        126 => Some((kind, 4, long(2)?)),
        127 => Some((kind, 10, long(8)?)),
        _ => Some((kind, 2, usize::from(length))),
    }
}

/// The bytes of a text frame, to be made once and sent often. The mask of zeros changes nothing.
pub(crate) fn frame(text: &str) -> Box<[u8]> {
    let length = text.len();
    let mut bytes = vec![TEXT];
    match u16::try_from(length) {
        Ok(length @ 0..126) => bytes.push(0x80 | length as u8),
        Ok(length) => {
            bytes.push(0x80 | 126);
            bytes.extend(length.to_be_bytes());
        }
        Err(_) => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes.into()
}

/// A request of the id `id`.
pub(crate) fn request(id: usize, request: &str) -> Box<[u8]> {
    frame(&format!("{{\"type\":\"request\",\"request_id\":{id},\"request\":{request}}}"))
}

/// A request that opens the stream `stream`, under the same id.
pub(crate) fn open_stream(stream: usize) -> Box<[u8]> {
    request(stream, &format!("{{\"type\":\"open_stream\",\"stream_id\":{stream}}}"))
}

/// A request that executes `stmt`, a Hrana statement in JSON, on the stream `stream`, under the same id.
pub(crate) fn execute(stream: usize, stmt: &str) -> Box<[u8]> {
    request(stream, &format!("{{\"type\":\"execute\",\"stream_id\":{stream},\"stmt\":{stmt}}}"))
}
