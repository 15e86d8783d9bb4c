//! A session: what one WebSocket says, and what becomes of it. Knows messages, but no socket.
//!
//! Streams run in parallel, each in a task of its own that takes its requests in order. What needs no stream
//! (hello, stored SQL texts) is answered at once. Stored texts belong to the session, so they are looked up
//! when a request arrives and not when it is executed.

mod cursor;
mod task;
mod version;

use std::collections::HashMap;
use std::sync::Arc;

use hrana_protocol::ws::{ClientMsg, Request, Response, ServerMsg};
use hrana_protocol::{Batch, SqlRef, StreamRequest, Version};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use self::task::{Operation, StreamTask};
use super::check_batch;
use super::sql_store::SqlStore;
use crate::auth::Gate;
use crate::catalog;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::namespace::{Admission, Namespaces, Wanted};

/// An answer on its way to the client, with the place that its request had among the outstanding ones.
pub struct Reply {
    pub message: ServerMsg,
    pub place: OwnedSemaphorePermit,
}

/// Why a socket has to be closed. The codes are those of WebSocket (RFC 6455, section 7.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    pub code: u16,
    pub reason: String,
}

impl Closing {
    /// The client broke a rule of the protocol.
    pub const PROTOCOL: u16 = 1002;
    /// The client may not go on: it has not said hello, or is not let in.
    pub const POLICY: u16 = 1008;

    fn protocol(reason: impl Into<String>) -> Self {
        Closing { code: Closing::PROTOCOL, reason: reason.into() }
    }

    fn policy(reason: impl Into<String>) -> Self {
        Closing { code: Closing::POLICY, reason: reason.into() }
    }
}

/// What the socket has to do after a message.
pub enum Effect {
    /// Nothing now; a task will reply.
    None,
    Reply(Reply),
    /// Send this, then close.
    Refuse(ServerMsg, Closing),
}

/// What a session needs of its server.
#[derive(Clone)]
pub struct Host {
    pub namespaces: Arc<Namespaces>,
    pub gate: Arc<Gate>,
    /// Whether the socket comes from this machine itself.
    pub is_local: bool,
    /// How long a stream may be idle inside a transaction.
    pub transaction_idle: std::time::Duration,
}

/// One WebSocket's state.
pub struct Session {
    host: Host,
    version: Version,
    /// What the client asked for; looked up once it has said hello.
    wanted: Wanted,
    admitted: Option<Admission>,
    streams: HashMap<i32, StreamTask>,
    /// The stream of each open cursor.
    cursors: HashMap<i32, i32>,
    sqls: SqlStore,
    replies: mpsc::Sender<Reply>,
}

impl Session {
    pub fn new(host: Host, version: Version, wanted: Wanted, replies: mpsc::Sender<Reply>) -> Self {
        Session {
            host,
            version,
            wanted,
            admitted: None,
            streams: HashMap::new(),
            cursors: HashMap::new(),
            sqls: SqlStore::default(),
            replies,
        }
    }

    /// Takes a message. `place` is given back with the reply.
    pub fn handle(
        &mut self,
        message: ClientMsg,
        place: OwnedSemaphorePermit,
    ) -> Result<Effect, Closing> {
        match message {
            ClientMsg::Hello { jwt } => self.hello(jwt.as_deref(), place),
            ClientMsg::Request { request_id, request } => {
                version::check(self.version, &request)?;
                if self.admitted.is_none() {
                    return Err(Closing::policy("Received a request before hello message"));
                }
                self.check()?;
                self.request(request_id, request, place)
            }
        }
    }

    fn hello(&mut self, jwt: Option<&str>, place: OwnedSemaphorePermit) -> Result<Effect, Closing> {
        if self.admitted.is_some() && self.version < Version::Hrana2 {
            return Err(Closing::protocol(
                "Repeated hello message is only supported in protocol version hrana2 and higher",
            ));
        }
        // The Go client sends an empty token where it has none.
        match self.admit(jwt.filter(|jwt| !jwt.is_empty())) {
            Ok(admitted) => {
                let before = self.admitted.as_ref().map(|admitted| &admitted.access);
                if before.is_some_and(|access| *access != admitted.access) {
                    // Streams have the rights that they were opened with.
                    self.streams.clear();
                    self.cursors.clear();
                }
                self.admitted = Some(admitted);
                Ok(Effect::Reply(Reply { message: ServerMsg::HelloOk, place }))
            }
            Err(error) => {
                let closing = Closing::policy(error.message());
                Ok(Effect::Refuse(ServerMsg::HelloError { error: error.to_wire() }, closing))
            }
        }
    }

    fn admit(&self, jwt: Option<&str>) -> Result<Admission> {
        let identity = self.host.gate.identify(jwt, self.host.is_local, catalog::now())?;
        self.host.namespaces.admit(&self.wanted, identity)
    }

    /// Fails once the client may not go on: its token has expired, or was made invalid.
    pub fn check(&self) -> Result<(), Closing> {
        match &self.admitted {
            Some(admitted) => {
                admitted.check(catalog::now()).map_err(|error| Closing::policy(error.message()))
            }
            None => Ok(()),
        }
    }

    /// When the token that let the client in stops being valid, in seconds since 1970.
    pub fn expires_at(&self) -> Option<u64> {
        self.admitted.as_ref().and_then(Admission::expires_at)
    }

    fn request(
        &mut self,
        id: i32,
        request: Request,
        place: OwnedSemaphorePermit,
    ) -> Result<Effect, Closing> {
        let done = |place, response| {
            let message = ServerMsg::ResponseOk { request_id: id, response };
            Ok(Effect::Reply(Reply { message, place }))
        };
        let failed = |place, error: &Error| {
            let message = ServerMsg::ResponseError { request_id: id, error: error.to_wire() };
            Ok(Effect::Reply(Reply { message, place }))
        };
        match request {
            Request::OpenStream { stream_id } => match self.open_stream(stream_id)? {
                Ok(()) => done(place, Response::OpenStream),
                Err(error) => failed(place, &error),
            },
            Request::CloseStream { stream_id } => {
                let task = self.streams.remove(&stream_id).ok_or_else(|| no_stream(stream_id))?;
                self.cursors.retain(|_, stream| *stream != stream_id);
                task.finish(id, place);
                Ok(Effect::None)
            }
            Request::Stream { stream_id, request } => {
                if self.cursors.values().any(|stream| *stream == stream_id) {
                    return Err(Closing::protocol(format!(
                        "Stream {stream_id} has an open cursor; close it before the next request"
                    )));
                }
                let task = self.streams.get(&stream_id).ok_or_else(|| no_stream(stream_id))?;
                match self.resolve(request)? {
                    Ok(request) => task.send(Operation::Request(request), id, place),
                    Err(error) => return failed(place, &error),
                }
                Ok(Effect::None)
            }
            Request::OpenCursor { stream_id, cursor_id, batch } => {
                self.open_cursor(stream_id, cursor_id, batch, id, place)
            }
            Request::FetchCursor { cursor_id, max_count } => {
                self.of_cursor(cursor_id)?.send(Operation::FetchCursor(max_count), id, place);
                Ok(Effect::None)
            }
            Request::CloseCursor { cursor_id } => {
                self.of_cursor(cursor_id)?.send(Operation::CloseCursor, id, place);
                self.cursors.remove(&cursor_id);
                Ok(Effect::None)
            }
            Request::StoreSql { sql_id, sql } => match self.sqls.store(sql_id, sql) {
                Ok(()) => done(place, Response::StoreSql),
                Err(error) if error.kind() == ErrorKind::SqlStoreExists => {
                    Err(Closing::protocol(error.message()))
                }
                Err(error) => failed(place, &error),
            },
            Request::CloseSql { sql_id } => {
                self.sqls.close(sql_id);
                done(place, Response::CloseSql)
            }
        }
    }

    /// `Ok(Err(…))` is a stream that could not be opened, but whose id is used.
    fn open_stream(&mut self, stream_id: i32) -> Result<Result<()>, Closing> {
        let Some(admitted) = self.admitted.clone() else {
            return Err(Closing::policy("Received a request before hello message"));
        };
        if self.streams.contains_key(&stream_id) {
            return Err(Closing::protocol(format!("Stream {stream_id} already exists")));
        }
        if self.streams.len() >= limits::STREAMS_PER_SOCKET_MAX {
            return Ok(Err(Error::new(
                ErrorKind::Overloaded,
                format!(
                    "a socket may have {} streams open; close some first",
                    limits::STREAMS_PER_SOCKET_MAX
                ),
            )));
        }
        match StreamTask::start(&self.host, admitted, self.replies.clone()) {
            Ok(task) => {
                self.streams.insert(stream_id, task);
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    fn open_cursor(
        &mut self,
        stream_id: i32,
        cursor_id: i32,
        mut batch: Batch,
        id: i32,
        place: OwnedSemaphorePermit,
    ) -> Result<Effect, Closing> {
        if self.cursors.contains_key(&cursor_id) {
            return Err(Closing::protocol(format!("Cursor {cursor_id} already exists")));
        }
        if self.cursors.values().any(|stream| *stream == stream_id) {
            return Err(Closing::protocol(format!(
                "Stream {stream_id} already has an open cursor"
            )));
        }
        check_batch(&batch).map_err(|error| Closing::protocol(error.message()))?;
        let task = self.streams.get(&stream_id).ok_or_else(|| no_stream(stream_id))?;
        self.cursors.insert(cursor_id, stream_id);
        let resolved =
            batch.steps.iter_mut().try_for_each(|step| self.resolve_sql(&mut step.stmt.sql));
        task.send(Operation::OpenCursor(resolved.map(|()| batch)), id, place);
        Ok(Effect::None)
    }

    /// The stream that a cursor is on.
    fn of_cursor(&self, cursor_id: i32) -> Result<&StreamTask, Closing> {
        let stream = self.cursors.get(&cursor_id).and_then(|stream| self.streams.get(stream));
        stream.ok_or_else(|| Closing::protocol(format!("Cursor {cursor_id} not found")))
    }

    /// The request with SQL texts in the place of their ids.
    fn resolve(&self, mut request: StreamRequest) -> Result<Result<StreamRequest>, Closing> {
        let resolved = match &mut request {
            StreamRequest::Execute { stmt } => self.resolve_sql(&mut stmt.sql),
            StreamRequest::Sequence { sql } | StreamRequest::Describe { sql } => {
                self.resolve_sql(sql)
            }
            StreamRequest::Batch { batch } => {
                check_batch(batch).map_err(|error| Closing::protocol(error.message()))?;
                batch.steps.iter_mut().try_for_each(|step| self.resolve_sql(&mut step.stmt.sql))
            }
            _ => Ok(()),
        };
        Ok(resolved.map(|()| request))
    }

    fn resolve_sql(&self, sql: &mut SqlRef) -> Result<()> {
        if let SqlRef::Stored { .. } = sql {
            let text = self.sqls.resolve(sql.clone())?;
            *sql = SqlRef::from(&*text);
        }
        Ok(())
    }
}

fn no_stream(stream_id: i32) -> Closing {
    Closing::protocol(format!("Stream {stream_id} not found"))
}
