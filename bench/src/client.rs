//! One HTTP/1.1 connection that is kept alive, with as little work per request as possible: the driver
//! shares the machine with the server, and what it uses the server lacks.

use std::net::SocketAddr;

use memchr::memmem::Finder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Result;

/// A connection to a server that answers with `content-length`.
pub(crate) struct Client {
    socket: TcpStream,
    buffer: Vec<u8>,
    head_end: Finder<'static>,
    failed: Finder<'static>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let (head_end, failed) = (Finder::new("\r\n\r\n"), Finder::new("\"type\":\"error\""));
        Ok(Client { socket, buffer: Vec::with_capacity(16 * 1024), head_end, failed })
    }

    /// Sends a whole request and returns the body of the answer; anything but success is an error.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.socket.write_all(request).await?;
        self.buffer.clear();
        let body = loop {
            self.read_more().await?;
            if let Some(end) = self.head_end.find(&self.buffer) {
                break end + 4;
            }
        };
        let (status, length) = head(&self.buffer[..body])?;
        let end = body + length;
        while self.buffer.len() < end {
            self.read_more().await?;
        }
        let answer = &self.buffer[body..end];
        if status != 200 || self.failed.find(answer).is_some() {
            let start = String::from_utf8_lossy(&answer[..answer.len().min(500)]);
            return Err(format!("a request failed with status {status}: {start}").into());
        }
        Ok(answer)
    }

    async fn read_more(&mut self) -> Result<()> {
        if self.buffer.capacity() - self.buffer.len() < 4096 {
            self.buffer.reserve(64 * 1024);
        }
        match self.socket.read_buf(&mut self.buffer).await? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }
}

/// Status and length of the body.
fn head(head: &[u8]) -> Result<(u16, usize)> {
    let text = std::str::from_utf8(head)?;
    let mut lines = text.split("\r\n");
    let status =
        lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
    let length = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
    });
    match (status, length) {
        (Some(status), Some(length)) => Ok((status, length)),
        _ => Err(format!("the answer is not one that this driver understands: {text}").into()),
    }
}

/// The bytes of a request, to be made once and sent often.
pub(crate) fn post(address: SocketAddr, path: &str, headers: &str, body: &str) -> Box<[u8]> {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         {headers}content-length: {length}\r\n\r\n{body}"
    );
    request.into_bytes().into()
}

/// The bytes of a pipeline that executes `stmt`, a Hrana statement in JSON, and closes its stream.
pub(crate) fn execute(address: SocketAddr, prefix: &str, stmt: &str) -> Box<[u8]> {
    execute_with(address, prefix, "", stmt)
}

/// The same with headers, each with its end of line.
pub(crate) fn execute_with(
    address: SocketAddr,
    prefix: &str,
    headers: &str,
    stmt: &str,
) -> Box<[u8]> {
    let body = format!(
        "{{\"requests\":[{{\"type\":\"execute\",\"stmt\":{stmt}}},{{\"type\":\"close\"}}]}}"
    );
    post(address, &format!("{prefix}/v2/pipeline"), headers, &body)
}
