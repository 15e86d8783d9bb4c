//! Messages of Hrana over WebSocket.
//!
//! One message is one frame: text in JSON, binary in Protobuf.

mod client;
mod server;

use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::cursor::CursorEntry;
use crate::error::Error;
use crate::stream::{StreamRequest, StreamResponse};

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "client::ClientMsgFields")]
pub enum ClientMsg {
    /// The first message, and from Hrana 2 on also later, with a new token.
    Hello {
        /// The JSON Web Token that says who the client is; `None` where nobody asks.
        jwt: Option<String>,
    },
    /// Asks for something; answered by [`ServerMsg::ResponseOk`] or [`ServerMsg::ResponseError`].
    Request {
        /// Chosen by the client, any number; the answer repeats it.
        request_id: i32,
        request: Request,
    },
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "server::ServerMsgFields")]
pub enum ServerMsg {
    /// The client is let in.
    HelloOk,
    /// The client is not let in; the server closes the connection.
    HelloError { error: Error },
    /// Answers the request with the same id. Answers come in any order.
    ResponseOk { request_id: i32, response: Response },
    /// The request with the same id failed; the connection goes on.
    ResponseError { request_id: i32, error: Error },
}

/// What the connection can be asked. All ids are chosen by the client.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "client::RequestFields")]
pub enum Request {
    /// Opens a stream under an id that is not in use.
    OpenStream { stream_id: i32 },
    /// Closes a stream, also one that failed to open, and its cursor.
    CloseStream { stream_id: i32 },
    /// Executes a batch whose results are fetched in pieces; from Hrana 3 on.
    OpenCursor { stream_id: i32, cursor_id: i32, batch: Batch },
    /// Ends the batch of a cursor, also of one that failed to open.
    CloseCursor { cursor_id: i32 },
    /// Takes the next entries of a cursor.
    FetchCursor {
        cursor_id: i32,
        /// The largest number of entries wanted; there may be fewer.
        max_count: u32,
    },
    /// Keeps an SQL text for the whole connection; from Hrana 2 on.
    StoreSql { sql_id: i32, sql: String },
    /// Forgets an SQL text, if there is one of this id.
    CloseSql { sql_id: i32 },
    /// Asks a stream: `execute`, `batch`, `sequence`, `describe` or `get_autocommit`.
    ///
    /// The other three requests of a stream are the connection's here. They do not decode to this
    /// variant, and encode as the variants above.
    Stream { stream_id: i32, request: StreamRequest },
}

/// The answer to a request of the same name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "server::OwnedResponse")]
pub enum Response {
    OpenStream,
    CloseStream,
    OpenCursor,
    CloseCursor,
    FetchCursor {
        entries: Vec<CursorEntry>,
        /// No entries will come after these.
        done: bool,
    },
    StoreSql,
    CloseSql,
    /// The answer to [`Request::Stream`], with the same exceptions.
    Stream {
        response: StreamResponse,
    },
}
