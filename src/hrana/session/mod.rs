//! A session: what one WebSocket says, and what becomes of it. Knows messages, but no socket.
//!
//! Streams run in parallel, and each takes its requests in order. What needs no stream (hello, stored SQL texts) is
//! answered at once. Stored texts belong to the session, so they are looked up
//! when a request arrives and not when it is executed.

mod cursor;
mod table;
mod task;
mod version;
mod worker;

use std::sync::Arc;

use hrana_protocol::ws::{ClientMsg, Request, Response, ServerMsg};
use hrana_protocol::{Batch, Encoding, StreamRequest, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use self::table::Table;
use self::task::StreamTask;
use self::worker::Operation;
use super::check_batch;
use super::sql_store::SqlStore;
use crate::auth::Gate;
use crate::catalog;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::migration::Migrator;
use crate::namespace::{Admission, Wanted};

/// An answer on its way to the client, with the place that its request had among the outstanding ones.
pub struct Reply {
    pub message: ServerMsg,
    /// About how large it is, if it is large.
    pub size: usize,
    pub place: OwnedSemaphorePermit,
    /// The place of a large result.
    pub result: Option<OwnedSemaphorePermit>,
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
    /// The server cannot go on.
    pub const INTERNAL: u16 = 1011;

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
    Refuse(Reply, Closing),
}

/// What a session needs of its server.
#[derive(Clone)]
pub struct Host {
    pub migrator: Arc<Migrator>,
    pub gate: Arc<Gate>,
    /// Whether the socket comes from this machine itself.
    pub is_local: bool,
    /// Of the socket's messages.
    pub encoding: Encoding,
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
    table: Table,
    sqls: SqlStore,
    replies: mpsc::Sender<Reply>,
    /// Places for large results.
    results: Arc<Semaphore>,
}

impl Session {
    pub fn new(host: Host, version: Version, wanted: Wanted, replies: mpsc::Sender<Reply>) -> Self {
        Session {
            host,
            version,
            wanted,
            admitted: None,
            table: Table::default(),
            sqls: SqlStore::default(),
            replies,
            results: Arc::new(Semaphore::new(limits::SOCKET_RESULTS_MAX)),
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
                if self.admitted.as_ref().is_some_and(|before| !before.is_same(&admitted)) {
                    // Streams have the database and the rights that they were opened with, and from now on nobody
                    // looks whether those are good still.
                    self.table.clear();
                }
                self.admitted = Some(admitted);
                Ok(Effect::Reply(small(ServerMsg::HelloOk, place)))
            }
            Err(error) => {
                let closing = Closing::policy(error.message());
                let message = ServerMsg::HelloError { error: error.to_wire() };
                Ok(Effect::Refuse(small(message, place), closing))
            }
        }
    }

    fn admit(&self, jwt: Option<&str>) -> Result<Admission> {
        let Host { gate, migrator, is_local, .. } = &self.host;
        let namespaces = migrator.namespaces();
        let database = || namespaces.id_of(&self.wanted);
        let identity = gate.identify(jwt, *is_local, database, catalog::now())?;
        namespaces.admit(&self.wanted, identity)
    }

    /// Whether the client has said hello and was let in.
    pub fn is_admitted(&self) -> bool {
        self.admitted.is_some()
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
            Ok(Effect::Reply(small(message, place)))
        };
        let failed = |place, error: &Error| {
            let message = ServerMsg::ResponseError { request_id: id, error: error.to_wire() };
            Ok(Effect::Reply(small(message, place)))
        };
        match request {
            Request::OpenStream { stream_id } => match self.open_stream(stream_id)? {
                Ok(()) => done(place, Response::OpenStream),
                Err(error) => failed(place, &error),
            },
            Request::CloseStream { stream_id } => match self.table.close(stream_id)? {
                Some(task) => task.ask(Operation::Close, id, place),
                None => done(place, Response::CloseStream),
            },
            Request::Stream { stream_id, request } => {
                let task = self.table.stream(stream_id)?;
                if let StreamRequest::Batch { batch } = &request {
                    check_batch(batch).map_err(|error| Closing::protocol(error.message()))?;
                }
                match (task, self.texts(&request)) {
                    (Ok(task), Ok(texts)) => {
                        task.ask(Operation::Request(request, texts), id, place)
                    }
                    (Err(error), _) | (_, Err(error)) => failed(place, &error),
                }
            }
            Request::OpenCursor { stream_id, cursor_id, batch } => {
                check_batch(&batch).map_err(|error| Closing::protocol(error.message()))?;
                let texts = self.texts_of_batch(&batch);
                match self.table.open_cursor(stream_id, cursor_id)? {
                    Ok(task) => {
                        let batch = texts.map(|texts| (batch, texts));
                        task.ask(Operation::OpenCursor(batch), id, place)
                    }
                    Err(error) => failed(place, &error),
                }
            }
            Request::FetchCursor { cursor_id, max_count } => {
                match self.table.of_cursor(cursor_id)? {
                    Ok(task) => task.ask(Operation::FetchCursor(max_count), id, place),
                    Err(error) => failed(place, &error),
                }
            }
            Request::CloseCursor { cursor_id } => match self.table.close_cursor(cursor_id)? {
                Some(task) => task.ask(Operation::CloseCursor, id, place),
                None => done(place, Response::CloseCursor),
            },
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

    fn open_stream(&mut self, stream_id: i32) -> Result<Result<()>, Closing> {
        let Some(admitted) = self.admitted.clone() else {
            return Err(Closing::policy("Received a request before hello message"));
        };
        let (replies, results) = (self.replies.clone(), Arc::clone(&self.results));
        let start = || StreamTask::start(&self.host, admitted, replies, results);
        self.table.open(stream_id, start)
    }

    /// The stored texts that a request names, as they are now.
    fn texts(&self, request: &StreamRequest) -> Result<SqlStore> {
        match request {
            StreamRequest::Execute { stmt } => self.sqls.pick([&stmt.sql]),
            StreamRequest::Sequence { sql } | StreamRequest::Describe { sql } => {
                self.sqls.pick([sql])
            }
            StreamRequest::Batch { batch } => self.texts_of_batch(batch),
            _ => Ok(SqlStore::default()),
        }
    }

    fn texts_of_batch(&self, batch: &Batch) -> Result<SqlStore> {
        self.sqls.pick(batch.steps.iter().map(|step| &step.stmt.sql))
    }
}

/// A reply that takes next to no memory.
fn small(message: ServerMsg, place: OwnedSemaphorePermit) -> Reply {
    Reply { message, size: 0, place, result: None }
}
