//! The floor of WebSockets: a bare loop that reads a message, executes the statement right there and answers.

use std::path::Path;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::answer::Answer;
use super::{Stmt, with_database};
use crate::{Result, say};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said<'a> {
    Hello,
    Request {
        request_id: i64,
        #[serde(borrow)]
        request: Request<'a>,
    },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Request<'a> {
    OpenStream,
    Execute {
        #[serde(borrow)]
        stmt: Stmt<'a>,
    },
}

/// Serves every socket that connects.
pub(crate) async fn serve(listener: TcpListener, path: Arc<Path>) {
    while let Ok((stream, _)) = listener.accept().await {
        let path = Arc::clone(&path);
        tokio::spawn(async move {
            if let Err(error) = converse(stream, &path).await {
                say(&mut std::io::stderr(), &format!("floor: {error}"));
            }
        });
    }
}

async fn converse(stream: TcpStream, path: &Path) -> Result<()> {
    stream.set_nodelay(true)?;
    // All of the buffer is overwritten before each read; the default is 128 KiB.
    let config = WebSocketConfig::default().read_buffer_size(8 * 1024);
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let answer = answer(path, &text)?;
        socket.send(Message::text(String::from_utf8(answer)?)).await?;
    }
    Ok(())
}

fn answer(path: &Path, text: &str) -> Result<Vec<u8>> {
    let (id, request) = match serde_json::from_str(text)? {
        Said::Hello => return Ok(b"{\"type\":\"hello_ok\"}".to_vec()),
        Said::Request { request_id, request } => (request_id, request),
    };
    let mut answer = Answer::to(id);
    match request {
        Request::OpenStream => answer.opened(),
        Request::Execute { stmt } => {
            with_database(path, |database| database.execute(&stmt, &mut answer, false))?;
        }
    }
    Ok(answer.message())
}
