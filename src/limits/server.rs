//! Connections to files and to clients, and how long anything waits for them.

use std::time::Duration;

/// How often idle streams and databases are looked at.
pub const SWEEP_INTERVAL: Duration = Duration::from_millis(500);

/// How often the files of databases whose retention is over are looked for.
pub const PURGE_INTERVAL: Duration = Duration::from_secs(60);

/// Connections kept ready per database. More are opened under load and closed after it.
pub const IDLE_CONNECTIONS_PER_DATABASE: usize = 8;

/// An unused connection is closed after this time, and with the last one the database.
pub const IDLE_CONNECTION: Duration = Duration::from_secs(60);

/// Open connections over all databases, at about 200 KiB and three file descriptors each.
pub const CONNECTIONS_MAX: usize = 4_000;

/// The database, its WAL and its shared-memory index.
pub const FILES_PER_CONNECTION: usize = 3;

/// How long a request may wait for a database thread before it is told to come back later.
pub const ADMISSION_WAIT: Duration = Duration::from_secs(30);

/// How long SQLite's own locks (recovery, another process) are waited for.
pub const BUSY_WAIT: Duration = Duration::from_secs(5);
pub const BUSY_RETRY: Duration = Duration::from_millis(5);

/// How long running requests may take to end when the server stops.
pub const DRAIN: Duration = Duration::from_secs(10);

/// How often it is looked, in the time that a client may be silent, whether it was: often enough to come close to that
/// time, seldom enough for ten thousand who are.
pub const SILENCE_LOOKS: u32 = 4;

/// How long a client of a port with TLS may take to say its first byte, and to agree on keys.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// How often the files of a certificate are looked at: soon enough for who renews one and looks.
pub const TLS_RENEWAL: Duration = Duration::from_secs(2);

/// How long a connection that we end is read on, so that what was said last arrives; and how many at once, beyond
/// which it may be lost.
pub const LINGER: Duration = Duration::from_secs(2);
pub const LINGERING_MAX: usize = 1_000;

/// How often an idle HTTP/2 connection is asked whether it is still there: before it has been silent for too long.
pub const HTTP2_KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Requests that one HTTP/2 connection may have open.
pub const HTTP2_STREAMS_MAX: u32 = 256;

/// Connections of the listener.
pub const SOCKETS_MAX: usize = 20_000;
