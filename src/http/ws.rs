//! Hrana over WebSocket: the upgrade, and frames in and out. What messages mean is in [`crate::hrana::session`].

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use futures_util::{SinkExt as _, StreamExt as _};
use hrana_protocol::version::{SUBPROTOCOLS, subprotocol};
use hrana_protocol::ws::ClientMsg;
use hrana_protocol::{Encoding, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::App;
use super::alarms::{Alarm, Alarms};
use super::allowance::Allowance;
use super::arrival::Peer;
use super::closings::{INVALID, NORMAL, broken, gone, stopping, unsupported};
use super::local::Local;
use super::target::WantedDatabase;
use crate::error::{Error, ErrorKind, Result};
use crate::hrana::session::{Closing, Effect, Host, Reply, Session};
use crate::limits;
use crate::namespace::Wanted;
use crate::sqlite::block;

/// `GET /` with an upgrade.
pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    WantedDatabase(wanted): WantedDatabase,
    Local(is_local): Local,
    Extension(Peer { allowance, .. }): Extension<Peer>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response> {
    let upgrade = upgrade.map_err(|rejection| {
        let why = rejection.body_text();
        let message = format!(
            "hranad is here, and has no page to look at: this URL is for clients of libSQL and Turso, by WebSocket ({why})"
        );
        Error::new(ErrorKind::UpgradeRequired, message)
    })?;
    let (version, encoding) = negotiate(&headers)?;
    tracing::debug!(?version, ?encoding, "a socket opens");
    let upgrade = upgrade
        .protocols(SUBPROTOCOLS.map(|(name, ..)| name))
        .read_buffer_size(limits::SOCKET_READ_BYTES)
        .write_buffer_size(limits::SOCKET_WRITE_BYTES)
        .max_message_size(limits::BODY_BYTES_MAX)
        .max_frame_size(limits::BODY_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let Ok(_open) = app.sockets.clone().acquire_owned().await else { return };
        allowance.limit(limits::SOCKET_HELLO_BYTES);
        let mut conversation = Conversation::new(&app, is_local, socket, version, encoding, wanted);
        conversation.allowance = Some(allowance);
        conversation.run().await;
    }))
}

/// The best subprotocol that the client offers. One that offers none speaks the first version.
fn negotiate(headers: &HeaderMap) -> Result<(Version, Encoding)> {
    let offered: Vec<_> = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    if offered.is_empty() {
        return Ok((Version::Hrana1, Encoding::Json));
    }
    let known = SUBPROTOCOLS.iter().find(|(name, ..)| offered.contains(name));
    known.and_then(|(name, ..)| subprotocol(name)).ok_or_else(|| {
        let names = SUBPROTOCOLS.map(|(name, ..)| name).join(", ");
        Error::bad_request(format!("only these WebSocket subprotocols are supported: {names}"))
    })
}

/// A socket and its session.
struct Conversation {
    socket: WebSocket,
    encoding: Encoding,
    session: Session,
    /// Until the client has said hello.
    allowance: Option<Allowance>,
    replies: mpsc::Receiver<Reply>,
    /// Places of outstanding requests.
    places: Arc<Semaphore>,
    /// The place of the next one.
    place: Option<OwnedSemaphorePermit>,
    /// Whether something was written that is not sent yet.
    has_unsent: bool,
    stopped: watch::Receiver<bool>,
    alarms: Alarms,
    /// Pings since the client was heard last.
    unanswered: u32,
}

/// What happens next.
enum Event {
    /// A frame has come, or none will come any more.
    Frame(Option<Result<Message, axum::Error>>),
    Reply(Reply),
    /// There is a place for another request.
    Place(OwnedSemaphorePermit),
    Alarm(Alarm),
}

impl Conversation {
    fn new(
        app: &App,
        is_local: bool,
        socket: WebSocket,
        version: Version,
        encoding: Encoding,
        wanted: Wanted,
    ) -> Self {
        let (sender, replies) = mpsc::channel(limits::SOCKET_REPLIES_MAX);
        let host = Host {
            migrator: Arc::clone(&app.migrator),
            gate: Arc::clone(&app.gate),
            is_local,
            encoding,
            transaction_idle: app.streams.transaction_idle(),
        };
        let (stopped, revisions) = (app.stopped.clone(), app.namespaces.revisions());
        // How often to ask whether the client is there.
        let period = app.client_silence / limits::SOCKET_PINGS;
        Conversation {
            alarms: Alarms::new(period, revisions, stopped.clone()),
            socket,
            encoding,
            session: Session::new(host, version, wanted, sender),
            allowance: None,
            replies,
            places: Arc::new(Semaphore::new(limits::SOCKET_OUTSTANDING_MAX)),
            place: None,
            has_unsent: false,
            stopped,
            unanswered: 0,
        }
    }

    /// Speaks until one side has enough. Dropping the session stops what its streams are doing.
    async fn run(mut self) {
        let closing = loop {
            let outcome = match self.next().await {
                Event::Frame(Some(Ok(frame))) => self.take(frame).await,
                Event::Frame(Some(Err(error))) => Err(broken(error)),
                Event::Frame(None) => return,
                Event::Reply(reply) => self.write(reply).await,
                Event::Place(place) => {
                    self.place = Some(place);
                    Ok(())
                }
                Event::Alarm(Alarm::Ping) => self.ping().await,
                Event::Alarm(Alarm::Check) => self.session.check(),
                Event::Alarm(Alarm::Stop) => Err(stopping()),
            };
            if let Err(closing) = outcome {
                break closing;
            }
        };
        self.close(closing).await;
    }

    async fn next(&mut self) -> Event {
        if self.place.is_none() {
            self.place = Arc::clone(&self.places).try_acquire_owned().ok();
        }
        if self.place.is_some() {
            return poll_fn(|context| self.poll_next(context)).await;
        }
        // Without a place the socket is not read, and TCP makes the client wait.
        let places = Arc::clone(&self.places);
        tokio::select! {
            biased;
            event = poll_fn(|context| self.poll_next(context)) => event,
            Ok(place) = places.acquire_owned() => Event::Place(place),
        }
    }

    /// Requests before all else, so that the replies to those that came together go together. As long as there is none,
    /// what is unsent is sent.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        if self.place.is_some()
            && let Poll::Ready(frame) = self.socket.poll_next_unpin(context)
        {
            return Poll::Ready(Event::Frame(frame));
        }
        if self.has_unsent
            && let Poll::Ready(sent) = self.socket.poll_flush_unpin(context)
        {
            self.has_unsent = false;
            if let Err(error) = sent {
                return Poll::Ready(Event::Frame(Some(Err(error))));
            }
        }
        if let Poll::Ready(Some(reply)) = self.replies.poll_recv(context) {
            return Poll::Ready(Event::Reply(reply));
        }
        self.alarms.poll_next(context).map(Event::Alarm)
    }

    async fn take(&mut self, frame: Message) -> Result<(), Closing> {
        // A client that never pauses would not let this be noticed otherwise.
        if self.stopped.has_changed().unwrap_or(true) {
            return Err(stopping());
        }
        // Requests that are done at once would keep the thread otherwise, as long as they come.
        tokio::task::consume_budget().await;
        self.unanswered = 0;
        let payload = match (&frame, self.encoding) {
            (Message::Text(text), Encoding::Json) => text.as_bytes(),
            (Message::Binary(bytes), Encoding::Protobuf) => &bytes[..],
            (Message::Ping(_) | Message::Pong(_), _) => return Ok(()),
            (Message::Close(_), _) => return Err(Closing { code: NORMAL, reason: String::new() }),
            (Message::Text(_), Encoding::Protobuf) => {
                return Err(unsupported("text", "hrana3-protobuf has binary messages"));
            }
            (Message::Binary(_), Encoding::Json) => {
                return Err(unsupported("binary", "this subprotocol has text messages"));
            }
        };
        let Some(mut place) = self.place.take() else { return Ok(()) };
        let places = payload.len() / limits::SOCKET_PLACE_BYTES;
        let more = places.min(self.places.available_permits()) as u32;
        if let Ok(more) = Arc::clone(&self.places).try_acquire_many_owned(more) {
            place.merge(more);
        }
        let decode = || self.encoding.decode(payload);
        let is_quick = payload.len() <= limits::CODEC_BYTES_QUICK;
        let decoded = if is_quick { decode() } else { block(decode) };
        let message: ClientMsg = decoded.map_err(|error| Closing {
            code: INVALID,
            reason: format!("the message could not be read: {error}"),
        })?;
        let effect = self.session.handle(message, place)?;
        self.look_at_token();
        // What streams' tasks have replied before, some of it perhaps of the same stream.
        while let Ok(reply) = self.replies.try_recv() {
            self.write(reply).await?;
        }
        match effect {
            Effect::None => Ok(()),
            Effect::Reply(reply) => self.write(reply).await,
            Effect::Refuse(reply, closing) => {
                self.write(reply).await?;
                Err(closing)
            }
        }
    }

    /// After a hello there may be another token.
    fn look_at_token(&mut self) {
        if self.session.is_admitted()
            && let Some(allowance) = self.allowance.take()
        {
            allowance.lift();
        }
        self.alarms.set_expiry(self.session.expires_at());
    }

    async fn write(&mut self, reply: Reply) -> Result<(), Closing> {
        let Reply { message, size, place, result } = reply;
        let mut bytes = Vec::with_capacity(512 + size);
        let mut encode = || self.encoding.encode(&message, &mut bytes);
        if size > limits::CODEC_BYTES_QUICK {
            block(encode)
        } else {
            encode()
        }
        drop(message);
        let frame = match self.encoding {
            Encoding::Json => match String::from_utf8(bytes) {
                Ok(text) => Message::Text(text.into()),
                Err(_) => return Err(gone()),
            },
            Encoding::Protobuf => Message::Binary(bytes.into()),
        };
        let written = self.write_frame(frame).await;
        if size > limits::SOCKET_WRITE_BYTES {
            // Nothing large is made before the client has this.
            self.socket.flush().await.map_err(|_| gone())?;
        }
        drop(result);
        if self.place.is_none() && place.num_permits() == 1 {
            // For the next request.
            self.place = Some(place);
        }
        written
    }

    /// Writes a frame, which is sent when nothing else is to be done. Waits where too much is unsent; how long that
    /// may take is the listener's affair.
    async fn write_frame(&mut self, frame: Message) -> Result<(), Closing> {
        self.has_unsent = true;
        self.socket.feed(frame).await.map_err(|_| gone())
    }

    /// Keeps the socket open through proxies, and notices when nobody is there any more.
    async fn ping(&mut self) -> Result<(), Closing> {
        self.unanswered += 1;
        if self.place.is_none() {
            // It is we who do not listen.
            self.unanswered = 0;
        }
        if self.unanswered >= limits::SOCKET_PINGS {
            return Err(gone());
        }
        self.write_frame(Message::Ping(Vec::new().into())).await
    }

    /// Says why, and waits a moment for the client to take it.
    async fn close(mut self, closing: Closing) {
        drop(self.session);
        // A reason has 123 bytes at most.
        let mut reason = closing.reason;
        while reason.len() > 123 {
            reason.pop();
        }
        let frame = CloseFrame { code: closing.code, reason: reason.into() };
        let socket = &mut self.socket;
        let farewell = async {
            // Fails where the client has closed first; then reading on is what sends the answer to that.
            let _ = socket.send(Message::Close(Some(frame))).await;
            while let Some(Ok(_)) = socket.recv().await {}
        };
        let _ = timeout(limits::SOCKET_CLOSE, farewell).await;
    }
}
