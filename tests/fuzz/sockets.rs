//! Clients on WebSockets.

use std::time::Duration;

use hrana_protocol::ws::ServerMsg;
use hrana_protocol::{Encoding, Version};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::timeout;

use super::random::Random;
use super::script::Script;
use super::seeds::{Seeds, encode, index};
use crate::harness::TestServer;
use crate::harness::raw::{Frames, RawSocket, frame_with};

const PROTOCOLS: [(&str, Version, Encoding); 4] = [
    ("hrana1", Version::Hrana1, Encoding::Json),
    ("hrana2", Version::Hrana2, Encoding::Json),
    ("hrana3", Version::Hrana3, Encoding::Json),
    ("hrana3-protobuf", Version::Hrana3, Encoding::Protobuf),
];

/// What a server may close with: the client closed first, gone, protocol, wrong kind of frame, unreadable, not let in,
/// too large.
const CODES: [u16; 7] = [1000, 1001, 1002, 1003, 1007, 1008, 1009];

/// How a client ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Waits for all answers, then closes.
    Polite,
    /// Closes at once, and waits for the answer to that.
    Hasty,
    /// Says that it will send nothing more, without a close.
    HalfClosed,
    /// Is there, and neither reads nor writes any more.
    Deaf,
    Dropped,
    Reset,
}

/// What the server has said.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    answers: usize,
    closed: Option<u16>,
    is_over: bool,
}

/// Says some messages, and perhaps some nonsense.
pub(super) async fn client(server: &TestServer, seeds: &Seeds, random: &mut Random) {
    let (subprotocol, version, encoding) = *random.pick(&PROTOCOLS);
    let (reading, writing) = RawSocket::open(server, subprotocol).await.into_split();
    let (sender, mut heard) = watch::channel(Heard::default());
    let reader = tokio::spawn(listen(reading, encoding, sender));
    let endings = [
        Ending::Polite,
        Ending::Polite,
        Ending::Hasty,
        Ending::HalfClosed,
        Ending::Dropped,
        Ending::Reset,
    ];
    let ending = if random.one_in(40) { Ending::Deaf } else { *random.pick(&endings) };
    if ending == Ending::Deaf {
        reader.abort();
    }
    let mut client =
        Client { writing, random, encoding, version, asked: 0, is_sound: true, is_framed: true };
    client.speak(seeds).await;
    let Client { asked, is_sound, is_framed, .. } = client;
    client.end(ending, &mut heard).await;
    if matches!(ending, Ending::Dropped | Ending::Reset | Ending::Deaf) {
        reader.abort();
        return;
    }
    let over = timeout(Duration::from_secs(20), reader).await;
    assert!(over.is_ok(), "{ending:?}: the server does not close");
    let heard = *heard.borrow();
    let is_right = match heard.closed {
        Some(code) => !is_framed || CODES.contains(&code),
        // One that has hung up is not told why.
        None => ending == Ending::HalfClosed,
    };
    assert!(is_right, "{ending:?} {is_sound} {is_framed}: {heard:?}");
    let is_kept = ending == Ending::Polite && is_sound && heard.closed == Some(1000);
    assert!(!is_kept || heard.answers == asked, "{} of {asked} answered", heard.answers);
}

/// Reads to the end, and counts.
async fn listen(
    mut reading: Frames<OwnedReadHalf>,
    encoding: Encoding,
    heard: watch::Sender<Heard>,
) {
    while let Some(frame) = reading.next().await {
        match (frame.opcode, encoding) {
            (1, Encoding::Json) => {
                let message: Value = serde_json::from_slice(&frame.payload).unwrap();
                check(&message);
                heard.send_modify(|heard| heard.answers += 1);
            }
            (2, Encoding::Protobuf) => {
                let message: ServerMsg = encoding.decode(&frame.payload).unwrap();
                check(&serde_json::to_value(message).unwrap());
                heard.send_modify(|heard| heard.answers += 1);
            }
            (8, _) => {
                // Without a code, if the client has closed without.
                let code = match &frame.payload[..] {
                    [first, second, ..] => u16::from_be_bytes([*first, *second]),
                    _ => 1005,
                };
                heard.send_modify(|heard| heard.closed = Some(code));
            }
            (9 | 10, _) => {}
            _ => panic!("{frame:?}"),
        }
    }
    heard.send_modify(|heard| heard.is_over = true);
}

/// Nothing makes the server fail.
fn check(message: &Value) {
    assert!(!message.to_string().contains(r#""code":"INTERNAL""#), "{message}");
}

struct Client<'a> {
    writing: OwnedWriteHalf,
    random: &'a mut Random,
    encoding: Encoding,
    version: Version,
    /// Messages sent that are to be answered.
    asked: usize,
    /// Nothing was sent that is not a message.
    is_sound: bool,
    /// Nothing was sent that may have been a close with any code.
    is_framed: bool,
}

impl Client<'_> {
    async fn speak(&mut self, seeds: &Seeds) {
        let mut script = Script::new(self.version, *self.random.pick(&[3, 30, 300, 3000]));
        let noise = *self.random.pick(&[5, 50, 5000]);
        if !self.random.one_in(20) {
            let hello = json!({ "type": "hello", "jwt": null });
            self.say(hello).await;
        }
        for id in 0..self.random.below(60) {
            if self.random.one_in(noise) {
                self.is_sound = false;
                self.noise(seeds).await;
            } else {
                // The same id twice is the client's own affair.
                let id = if self.random.one_in(20) { 0 } else { id };
                let request = script.next(self.random);
                self.say(json!({ "type": "request", "request_id": id, "request": request })).await;
            }
        }
    }

    async fn say(&mut self, message: Value) {
        self.asked += 1;
        let payload = encode(self.encoding, message);
        let opcode = if self.encoding == Encoding::Json { 1 } else { 2 };
        self.message(opcode, &payload).await;
    }

    /// Sends a message in one frame or in several, with pings between these.
    async fn message(&mut self, opcode: u8, payload: &[u8]) {
        let pieces = if self.random.one_in(4) { 1 + self.random.below(4) } else { 1 };
        let length = payload.len().div_ceil(pieces).max(1);
        let chunks: Vec<&[u8]> = payload.chunks(length).collect();
        let chunks = if chunks.is_empty() { vec![payload] } else { chunks };
        for (index, chunk) in chunks.iter().enumerate() {
            let opcode = if index == 0 { opcode } else { 0 };
            let last = if index + 1 == chunks.len() { 0x80 } else { 0 };
            self.frame(last | opcode, chunk).await;
            if self.random.one_in(10) {
                let opcode = *self.random.pick(&[9, 10]);
                self.frame(0x80 | opcode, b"there?").await;
            }
        }
    }

    async fn frame(&mut self, first: u8, payload: &[u8]) {
        let mask = self.random.next() as u32;
        let bytes = frame_with(first, mask.to_be_bytes(), payload);
        self.write(&bytes).await;
    }

    /// What is not a message, or not one here.
    async fn noise(&mut self, seeds: &Seeds) {
        let opcode = if self.encoding == Encoding::Json { 1 } else { 2 };
        match self.random.below(8) {
            0..4 => {
                let messages = &seeds.messages[index(self.encoding)];
                let mut message = self.random.pick(messages).clone();
                self.random.change(&mut message, messages);
                self.message(opcode, &message).await;
            }
            // The other encoding.
            4 => {
                let messages = &seeds.messages[1 - index(self.encoding)];
                let message = self.random.pick(messages).clone();
                self.message(3 - opcode, &message).await;
            }
            // Any frame: reserved bits and opcodes, continuations of nothing, control frames that are too long.
            5 => {
                self.is_framed = false;
                let (first, payload) = (self.random.next() as u8, self.random.bytes(200));
                self.frame(first, &payload).await;
            }
            // A head that announces anything.
            6 => {
                self.is_framed = false;
                let bytes = self.random.bytes(14);
                self.write(&bytes).await;
            }
            // The beginning of a message, and then another.
            _ => {
                self.frame(opcode, b"{").await;
                self.frame(0x80 | opcode, b"}").await;
            }
        }
    }

    /// Writes unless the server has closed, or does not read any more: it waits for others to read.
    async fn write(&mut self, bytes: &[u8]) {
        if self.random.one_in(50) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let written = timeout(Duration::from_secs(5), self.writing.write_all(bytes)).await;
        self.is_sound &= matches!(written, Ok(Ok(())));
    }

    async fn end(mut self, ending: Ending, heard: &mut watch::Receiver<Heard>) {
        let (asked, is_sound) = (self.asked, self.is_sound);
        match ending {
            Ending::Polite => {
                let is_done = |heard: &Heard| heard.answers >= asked || !is_sound;
                until(heard, |heard| is_done(heard) || heard.closed.is_some()).await;
                self.close().await;
                until(heard, |_| false).await;
            }
            Ending::Hasty => {
                self.close().await;
                until(heard, |_| false).await;
            }
            Ending::HalfClosed => {
                let _ = self.writing.shutdown().await;
                until(heard, |_| false).await;
            }
            Ending::Deaf => tokio::time::sleep(Duration::from_millis(700)).await,
            Ending::Dropped => {}
            Ending::Reset => self.writing.as_ref().set_zero_linger().unwrap(),
        }
    }

    async fn close(&mut self) {
        self.frame(0x88, &1000u16.to_be_bytes()).await;
    }
}

/// Waits for something, or for the end of the connection.
async fn until(heard: &mut watch::Receiver<Heard>, is_it: impl Fn(&Heard) -> bool) {
    let waiting = heard.wait_for(|heard| heard.is_over || is_it(heard));
    let waited = timeout(Duration::from_secs(20), waiting).await.is_ok();
    assert!(waited, "the server does not go on: {:?}", *heard.borrow());
}
