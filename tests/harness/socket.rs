//! A client of Hrana over WebSocket, in any subprotocol: says and hears messages in their JSON form.

use futures_util::{SinkExt as _, StreamExt as _};
use hrana_protocol::version::subprotocol;
use hrana_protocol::ws::{ClientMsg, ServerMsg};
use hrana_protocol::{Encoding, protobuf};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::TestServer;

pub(crate) struct Socket {
    pub(crate) frames: WebSocketStream<MaybeTlsStream<TcpStream>>,
    encoding: Encoding,
}

/// With which code and reason the server closed a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

impl From<CloseFrame> for Closed {
    fn from(frame: CloseFrame) -> Self {
        Closed { code: frame.code.into(), reason: frame.reason.to_string() }
    }
}

impl Socket {
    /// A socket on the database `default`.
    pub(crate) async fn open(server: &TestServer, subprotocol: &str) -> Self {
        Self::try_open(server, "/", subprotocol).await.unwrap()
    }

    /// A socket on the database of a path. `subprotocol` is what is offered; an empty one offers nothing.
    pub(crate) async fn try_open(
        server: &TestServer,
        path: &str,
        subprotocol_offered: &str,
    ) -> Result<Self, Error> {
        let url = format!("ws://{}{path}", server.address());
        let mut request = url.into_client_request()?;
        if !subprotocol_offered.is_empty() {
            let value = subprotocol_offered.parse().unwrap();
            request.headers_mut().insert("sec-websocket-protocol", value);
        }
        let (frames, _) = tokio_tungstenite::connect_async(request).await?;
        let encoding = subprotocol(subprotocol_offered).map_or(Encoding::Json, |found| found.1);
        Ok(Socket { frames, encoding })
    }

    /// A socket with stream 1 open.
    pub(crate) async fn ready(server: &TestServer) -> Self {
        Self::ready_on(server, "/", "hrana3").await
    }

    /// A socket on the database of a path, with stream 1 open.
    pub(crate) async fn ready_on(server: &TestServer, path: &str, subprotocol: &str) -> Self {
        let mut socket = Self::try_open(server, path, subprotocol).await.unwrap();
        socket.say(json!({ "type": "hello", "jwt": null })).await;
        assert_eq!(socket.hear().await, json!({ "type": "hello_ok" }));
        let opened = socket.ask(json!({ "type": "open_stream", "stream_id": 1 })).await;
        assert_eq!(opened["type"], "open_stream");
        socket
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.try_say(message).await.unwrap();
    }

    /// Fails when the server has closed.
    pub(crate) async fn try_say(&mut self, message: Value) -> Result<(), Error> {
        let frame = match self.encoding {
            Encoding::Json => Message::text(message.to_string()),
            Encoding::Protobuf => {
                let message: ClientMsg = serde_json::from_value(message).unwrap();
                let mut bytes = Vec::new();
                protobuf::encode(&message, &mut bytes);
                Message::binary(bytes)
            }
        };
        self.frames.send(frame).await
    }

    pub(crate) async fn request(&mut self, id: i32, request: Value) {
        self.say(json!({ "type": "request", "request_id": id, "request": request })).await;
    }

    /// The next message, or how the server closed.
    pub(crate) async fn try_hear(&mut self) -> Result<Value, Closed> {
        loop {
            match self.frames.next().await.unwrap().unwrap() {
                Message::Text(text) if self.encoding == Encoding::Json => {
                    return Ok(serde_json::from_str(&text).unwrap());
                }
                Message::Binary(bytes) if self.encoding == Encoding::Protobuf => {
                    let message: ServerMsg = protobuf::decode(&bytes).unwrap();
                    return Ok(
                        serde_json::from_str(&serde_json::to_string(&message).unwrap()).unwrap()
                    );
                }
                Message::Close(Some(frame)) => return Err(frame.into()),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> Value {
        self.try_hear().await.unwrap()
    }

    /// Asks and hears the answer: the response, or the error.
    pub(crate) async fn ask(&mut self, request: Value) -> Value {
        self.request(7, request).await;
        let mut answer = self.hear().await;
        assert_eq!(answer["request_id"], 7, "{answer}");
        if answer["type"] == "response_ok" {
            answer["response"].take()
        } else {
            answer["error"].take()
        }
    }

    pub(crate) async fn execute(&mut self, sql: &str) -> Value {
        self.ask(json!({ "type": "execute", "stream_id": 1, "stmt": { "sql": sql } })).await
    }

    /// The code and reason with which the server closes, whatever it says before.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.frames.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    let Closed { code, reason } = frame.into();
                    return (code, reason);
                }
                Some(Ok(_)) => {}
                other => panic!("closed without saying why: {other:?}"),
            }
        }
    }
}
