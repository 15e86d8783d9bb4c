//! Requests and replies, streams, sockets and cursors.

use std::time::Duration;

use super::{KIB, MIB};

/// How long a request's body may take to arrive.
pub const BODY_READ: Duration = Duration::from_secs(120);

/// Longest SQL text (`SQLITE_LIMIT_SQL_LENGTH`).
pub const SQL_BYTES_MAX: usize = 16 * MIB;

/// Largest request body; it is in memory as a whole before it is decoded.
pub const BODY_BYTES_MAX: usize = 64 * MIB;

/// Decoding a longer body, and encoding a larger result, takes so long that other tasks move elsewhere.
pub const CODEC_BYTES_QUICK: usize = 256 * KIB;

/// Largest result of one pipeline, which is in memory as a whole. Cursors have no such bound.
pub const RESPONSE_BYTES_MAX: usize = 64 * MIB;

/// What a described column or parameter takes besides its name.
pub const DESCRIBED_BYTES: usize = 64;

/// Requests in one pipeline, and steps in all batches of one request: beyond this a client should use several.
pub const PIPELINE_REQUESTS_MAX: usize = 10_000;
pub const BATCH_STEPS_MAX: usize = 100_000;

/// How much of a cursor is encoded before the client has to take it.
pub const CURSOR_CHUNK_BYTES: usize = 64 * KIB;

/// How long the head of a cursor, with the baton, waits for the results to come along. Short batches are done by
/// then on a busy machine too, and nobody needs the baton of a long one sooner.
pub const CURSOR_HEAD_WAIT: Duration = Duration::from_millis(100);

/// About how much one fetch of a WebSocket cursor answers.
pub const CURSOR_FETCH_BYTES: usize = MIB;

/// Streams of one WebSocket: each rests in some KiB.
pub const STREAMS_PER_SOCKET_MAX: usize = 4096;

/// Streams beyond that of which the socket remembers that they could not be opened, at some bytes each.
pub const STREAMS_REFUSED_MAX: usize = 65_536;

/// Requests of one WebSocket that are not answered yet; beyond it the socket is not read.
pub const SOCKET_OUTSTANDING_MAX: usize = 256;

/// A request of more bytes takes the places of several. So all that wait are as large as one message may be, and
/// there may be one more.
pub const SOCKET_PLACE_BYTES: usize = BODY_BYTES_MAX / SOCKET_OUTSTANDING_MAX;

/// How much of a WebSocket is read before its client has said who it is: a token, and what is sent along with that.
pub const SOCKET_HELLO_BYTES: u64 = 64 * KIB as u64;

/// How much of a WebSocket is read and written at once. Each socket keeps a buffer to read into.
pub const SOCKET_READ_BYTES: usize = 8 * KIB;
pub const SOCKET_WRITE_BYTES: usize = 16 * KIB;

/// Replies that wait for the socket; beyond it streams wait before they execute more.
pub const SOCKET_REPLIES_MAX: usize = 16;

/// Large results of one WebSocket: those that are being made, wait for the socket, or are fetched piece by piece. Each
/// has up to [`RESPONSE_BYTES_MAX`]; beyond this number streams wait before they execute more.
pub const SOCKET_RESULTS_MAX: usize = 16;

/// A result of fewer bytes is not large: all outstanding requests of a socket may have one.
pub const RESULT_BYTES_SMALL: usize = 256 * KIB;

/// How often the client of a WebSocket is asked whether it is there, in the time for which it may be silent.
pub const SOCKET_PINGS: u32 = 3;

/// How long a client may take to answer a close.
pub const SOCKET_CLOSE: Duration = Duration::from_secs(2);

/// SQL texts stored per stream: clients keep about a hundred.
pub const SQL_STORE_COUNT_MAX: usize = 1000;
pub const SQL_STORE_BYTES_MAX: usize = 8 * MIB;

/// HTTP streams remembered at once. A parked one costs some hundred bytes plus its stored texts and its
/// last reply; when the table is full the ones that rested longest are forgotten.
pub const STREAMS_MAX: usize = 100_000;

/// HTTP streams that hold a connection between two requests (inside a transaction, with temporary objects
/// or changed pragmas), over all databases and per database.
pub const STREAMS_HOLDING_MAX: usize = 2_000;

/// Bytes of stored texts and kept replies over all streams.
pub const STREAMS_BYTES_MAX: usize = 256 * MIB;

/// A longer reply is not kept for a client that repeats its baton.
pub const REPLY_KEPT_BYTES_MAX: usize = 256 * KIB;

/// A stream that holds its connection outside a transaction (temporary objects, changed pragmas) ends
/// when it has been idle for this long.
pub const STREAM_HOLDING_IDLE: Duration = Duration::from_secs(600);

/// How long a stream that ended (closed, or expired inside a transaction) is remembered, so that a late
/// request is told the right thing.
pub const STREAM_ENDED_MEMORY: Duration = Duration::from_secs(600);

/// How long a request waits for the one before it on the same stream, and how often it looks.
pub const BATON_WAIT: Duration = Duration::from_secs(30);
pub const BATON_RETRY: Duration = Duration::from_millis(5);

/// How long a cursor waits for its client to take the next chunk. It keeps a version of the database alive
/// meanwhile, so that the WAL grows.
pub const CURSOR_STALL: Duration = Duration::from_secs(60);

/// How long the server's own small questions to a database may take: describing a statement, the next row
/// of a dump.
pub const OWN_STATEMENT: Duration = Duration::from_secs(60);

/// Smaller answers are not worth compressing.
pub const COMPRESSED_BYTES_MIN: u64 = 1024;

/// How long a browser may remember that it is allowed to ask; browsers cut this to two hours or less.
pub const CORS_MAX_AGE: Duration = Duration::from_secs(7200);
