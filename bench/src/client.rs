//! One HTTP/1.1 connection that is kept alive, with as little work per request as possible: the driver
//! shares the machine with the server, and what it uses the server lacks.

use std::net::SocketAddr;

use memchr::memmem::{self, Finder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Result;

/// A connection to a server that answers with `content-length` or in chunks.
pub(crate) struct Client {
    socket: TcpStream,
    buffer: Vec<u8>,
    /// What came in chunks, without their heads.
    joined: Vec<u8>,
    head_end: Finder<'static>,
    failed: Finder<'static>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let (head_end, failed) = (Finder::new("\r\n\r\n"), Finder::new("{\"message\":"));
        let (buffer, joined) = (Vec::with_capacity(16 * 1024), Vec::new());
        Ok(Client { socket, buffer, joined, head_end, failed })
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
        let answer = match length {
            Some(length) => {
                let end = body + length;
                while self.buffer.len() < end {
                    self.read_more().await?;
                }
                &self.buffer[body..end]
            }
            None => {
                self.read_chunks(body).await?;
                &self.joined
            }
        };
        if status != 200 || self.failed.find(answer).is_some() {
            let start = String::from_utf8_lossy(&answer[..answer.len().min(500)]);
            return Err(format!("a request failed with status {status}: {start}").into());
        }
        Ok(answer)
    }

    /// Joins the chunks that begin at `start`.
    async fn read_chunks(&mut self, start: usize) -> Result<()> {
        self.joined.clear();
        let mut at = start;
        loop {
            let head_end = loop {
                if let Some(end) = memmem::find(&self.buffer[at..], b"\r\n") {
                    break at + end;
                }
                self.read_more().await?;
            };
            let size = std::str::from_utf8(&self.buffer[at..head_end])?;
            let size = usize::from_str_radix(size, 16)?;
            let chunk = head_end + 2;
            at = chunk + size + 2;
            while self.buffer.len() < at {
                self.read_more().await?;
            }
            self.joined.extend_from_slice(&self.buffer[chunk..chunk + size]);
            if size == 0 {
                return Ok(());
            }
        }
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

/// Status and length of the body; no length where it comes in chunks.
fn head(head: &[u8]) -> Result<(u16, Option<usize>)> {
    let text = std::str::from_utf8(head)?;
    let mut lines = text.split("\r\n");
    let status =
        lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
    let mut length = None;
    let mut is_chunked = false;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
        is_chunked |= name.eq_ignore_ascii_case("transfer-encoding");
    }
    match status {
        Some(status) if is_chunked != length.is_some() => Ok((status, length)),
        _ => Err(format!("the answer is not one that this driver understands: {text}").into()),
    }
}

/// The bytes of a request, to be made once and sent often.
pub(crate) fn post(address: SocketAddr, path: &str, headers: &str, body: &str) -> Box<[u8]> {
    let headers = format!("content-type: application/json\r\n{headers}");
    post_bytes(address, path, &headers, body.as_bytes())
}

/// The same with any body, whose type is among the headers.
pub(crate) fn post_bytes(address: SocketAddr, path: &str, headers: &str, body: &[u8]) -> Box<[u8]> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat().into()
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
    post(address, &format!("{prefix}/v2/pipeline"), headers, &pipeline(stmt))
}

/// The same for the database of this name, on any of the servers.
pub(crate) fn execute_on(address: SocketAddr, database: &str, stmt: &str) -> Box<[u8]> {
    execute_with(address, "", &format!("x-namespace: {database}\r\n"), stmt)
}

/// The body of a pipeline that executes `stmt` and closes its stream.
pub(crate) fn pipeline(stmt: &str) -> String {
    format!("{{\"requests\":[{{\"type\":\"execute\",\"stmt\":{stmt}}},{{\"type\":\"close\"}}]}}")
}

/// The bytes of a pipeline that executes these statements as one batch, each if the one before it has succeeded.
pub(crate) fn batch(address: SocketAddr, statements: &[String]) -> Box<[u8]> {
    let step = |(index, stmt): (usize, &String)| match index.checked_sub(1) {
        None => format!("{{\"stmt\":{stmt}}}"),
        Some(before) => {
            format!("{{\"stmt\":{stmt},\"condition\":{{\"type\":\"ok\",\"step\":{before}}}}}")
        }
    };
    let steps: Vec<_> = statements.iter().enumerate().map(step).collect();
    let body = format!(
        "{{\"requests\":[{{\"type\":\"batch\",\"batch\":{{\"steps\":[{}]}}}},{{\"type\":\"close\"}}]}}",
        steps.join(",")
    );
    post(address, "/v2/pipeline", "", &body)
}
