//! Every bound of the server, with its reason. What an operator may change is in [`crate::config`].

use std::time::Duration;

pub const KIB: usize = 1024;
pub const MIB: usize = 1024 * KIB;
pub const GIB: u64 = 1024 * MIB as u64;

/// Operations of SQLite's virtual machine between two looks at deadline and cancellation: some tens of
/// microseconds, so that stopping is prompt and looking costs nothing.
pub const PROGRESS_OPERATIONS: i32 = 1000;

/// Such looks after which a long statement leaves its processor to others that wait for one: about a hundred microseconds,
/// where the system would let it go on for some milliseconds. Costs less than a percent.
pub const LOOKS_PER_YIELD: u32 = 8;

/// How long a statement may run on a thread of the runtime before it has to go where blocking is allowed. To go there
/// costs some hundred microseconds, so that it takes a quarter more at most.
pub const QUICK: Duration = Duration::from_millis(1);

/// How long a disk may take on such a thread to make a commit durable. Good ones need less than the half.
pub const QUICK_SYNC: Duration = Duration::from_millis(1);

/// How long writers let those go first who are on a processor already. Some hundred short writes; to wake up a task each
/// time would cost more than these do.
pub const TURN_PATIENCE: Duration = Duration::from_millis(10);

/// Arguments of such a statement, which SQLite copies a few times without looking at the clock.
pub const QUICK_ARGUMENT_BYTES: usize = 32 * KIB;

/// The pages of a write-ahead log from which on it is moved into its file, as many as SQLite itself takes: readers look
/// for every page in the log first.
pub const LOG_PAGES: i32 = 1000;

/// Prepared statements kept per connection; what an application executes over and over, at some KiB each.
pub const STATEMENTS_CACHED: usize = 64;

/// A text longer than this is not worth keeping prepared: bulk statements are seldom repeated.
pub const STATEMENT_CACHED_BYTES: usize = 8 * KIB;

/// Tables that one statement may name before it is known whether there are such.
pub const CONDITIONS_MAX: usize = 64;

/// Page cache per connection in KiB. The operating system caches the file too; see also the target of
/// 200 KiB for an idle database.
pub const PAGE_CACHE_KIB: usize = 1024;

/// Longest text, blob or row (`SQLITE_LIMIT_LENGTH`); several are in memory while one is sent.
pub const VALUE_BYTES_MAX: usize = 16 * MIB;

/// Most dimensions of a vector, as in libSQL.
pub const VECTOR_DIMENSIONS_MAX: usize = 65_536;

/// Longest message of SQLite that is passed on.
pub const ERROR_CHARS_MAX: usize = 1000;

/// Longest pattern of LIKE and GLOB (`SQLITE_LIMIT_LIKE_PATTERN_LENGTH`): matching takes its length times the
/// text's, and is not interrupted.
pub const LIKE_PATTERN_BYTES_MAX: usize = 5000;

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

/// How long a client may take to send the head of a request.
pub const HEADER_READ: Duration = Duration::from_secs(30);

/// How long a client of a port with TLS may take to say its first byte, and to agree on keys.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// How often the files of a certificate are looked at: soon enough for who renews one and looks.
pub const TLS_RENEWAL: Duration = Duration::from_secs(2);

/// How long a connection that we end is read on, so that what was said last arrives; and how many at once, beyond
/// which it may be lost.
pub const LINGER: Duration = Duration::from_secs(2);
pub const LINGERING_MAX: usize = 1_000;

/// How often an idle HTTP/2 connection is asked whether it is still there.
pub const HTTP2_KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Requests that one HTTP/2 connection may have open.
pub const HTTP2_STREAMS_MAX: u32 = 256;

/// Connections of the listener.
pub const SOCKETS_MAX: usize = 20_000;

/// Largest dump or file of which a database is made, as the `turso` CLI has it for what it uploads.
pub const SEED_BYTES_MAX: u64 = 8 * GIB;

/// Longest statement of a dump: a row of `VALUE_BYTES_MAX`, of which each byte is two digits or a doubled quote.
pub const DUMP_STATEMENT_BYTES_MAX: usize = 2 * VALUE_BYTES_MAX + MIB;

/// How much of a dump is read at once.
pub const DUMP_READ_BYTES: usize = 256 * KIB;

/// How long one statement of a dump may run: it may make the index of a large table.
pub const DUMP_STATEMENT: Duration = Duration::from_secs(600);

/// Page cache in KiB while a dump is read, so that the pages of indexes are not written again and again.
pub const DUMP_CACHE_KIB: usize = 32 * 1024;

/// How long the check of a whole file may take.
pub const FILE_CHECK: Duration = Duration::from_secs(600);

/// Dumps and files that are kept for who uploads them, and how long after the last of one has come. The `turso` CLI uses
/// one at once.
pub const SEEDS_KEPT_MAX: usize = 64;
pub const SEED_KEPT: Duration = Duration::from_secs(3600);

/// How much of a file comes in one request: little enough to be sent again.
pub const UPLOAD_CHUNK_BYTES: u64 = 16 * MIB as u64;

/// What is in memory of a form besides the file in it: its other fields, and a piece of the file as it comes.
pub const FORM_KEPT_BYTES_MAX: usize = 4 * MIB;

/// How long the next piece of an upload may take to arrive.
pub const UPLOAD_STALL: Duration = Duration::from_secs(60);

/// How much of an exported file is in memory, twice.
pub const EXPORT_CHUNK_BYTES: usize = 256 * KIB;

/// Texts of SQL whose cost is noted per database that is in use, that are kept when it is not, and that are told.
pub const QUERIES_LISTED: usize = 200;
pub const QUERIES_KEPT: usize = 10;
pub const QUERIES_TOLD: usize = 50;

/// How much of such a text is kept.
pub const QUERY_BYTES_MAX: usize = KIB;

/// Databases of which such texts are remembered, used or not, at up to 10 KiB for each out of use.
pub const METERS_KEPT: usize = 4_000;

/// How often what was read and written is added to the catalog: about what is lost when the machine fails.
pub const USAGE_SAVE: Duration = Duration::from_secs(5);

/// How long fetching a dump may take, how long nothing of it may arrive, and how often it may be said to be elsewhere.
pub const FETCH: Duration = Duration::from_secs(1800);
pub const FETCH_STALL: Duration = Duration::from_secs(30);
pub const FETCH_REDIRECTS_MAX: u32 = 5;

/// Empty files that are made ahead while databases are created: enough for the disk to be busy with several at once.
pub const SPARE_FILES: usize = 16;

/// How old an empty file that no database has must be to be one that was forgotten by a crash.
pub const LOST_FILE: Duration = Duration::from_secs(3600);

/// Whole databases that are read and written at once, for seeds and exports: each keeps a disk busy.
pub const SEEDS_AT_ONCE: usize = 4;

/// Connections of the admin API's listener: a few tools.
pub const ADMIN_SOCKETS_MAX: usize = 256;

/// Longest label of a host name (RFC 1035).
pub const HOST_LABEL_BYTES_MAX: usize = 63;

/// Longest name of an organization: in a label it leaves room for the name of a database.
pub const ORGANIZATION_BYTES_MAX: usize = 32;

/// Longest name of a database, as on Turso; with a longer one than fits into a label it has no host name.
pub const DATABASE_NAME_BYTES_MAX: usize = 64;

/// Longest token that is looked at: a header of HTTP holds about as much.
pub const TOKEN_BYTES_MAX: usize = 8 * KIB;

/// Verified tokens remembered, at about a KiB each; checking a signature anew takes some ten microseconds.
pub const TOKENS_CACHED: usize = 10_000;

/// Longer ones, which name the rights of very many tables, are verified each time.
pub const TOKEN_CACHED_BYTES_MAX: usize = 4 * KIB;

/// Keys that the signature of one token is tried with. One that names its key is tried with that one alone.
pub const TOKEN_KEYS_TRIED_MAX: usize = 64;

/// Keys of one key file or JWKS document.
pub const FOREIGN_KEYS_PER_TEXT_MAX: usize = 32;

/// Largest JWKS document that is fetched, how long that may take, and of how many URLs: one dead one delays the others.
pub const JWKS_BYTES_MAX: u64 = 256 * KIB as u64;
pub const JWKS_FETCH: Duration = Duration::from_secs(5);
pub const JWKS_URLS_MAX: usize = 32;

/// How often they are fetched anew, and how often at most because a token names a key that is not known.
pub const JWKS_RENEWAL: Duration = Duration::from_secs(300);
pub const JWKS_RENEWAL_UNKNOWN: Duration = Duration::from_secs(60);

/// How far the clocks of those who sign tokens may be from ours.
pub const TOKEN_LEEWAY: Duration = Duration::from_secs(60);

/// Longest name of a platform API token; it is part of a URL.
pub const TOKEN_NAME_BYTES_MAX: usize = 128;

/// The word by which the CLI knows its login again, in bytes. It makes one of 32.
pub const LOGIN_STATE_BYTES_MAX: usize = 128;

/// How long a platform API token is said to be valid still. They do not expire; clients that are told so ask again
/// and again.
pub const API_TOKEN_SAID_TO_LAST: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Longest script of one migration: it is kept in the catalog, and in memory while it runs.
pub const MIGRATION_SCRIPT_BYTES_MAX: usize = 16 * MIB;

/// Pragmas of a stream that a migration repeats in each child.
pub const MIGRATION_PRAGMAS_MAX: usize = 100;

/// How long one statement of a migration may run in one child: it may make the index of a large table.
pub const MIGRATION_STATEMENT: Duration = Duration::from_secs(600);

/// How long a migration may keep all others from the file of a child that nobody has open. What takes longer is begun
/// again beside them.
pub const MIGRATION_ALONE: Duration = Duration::from_millis(20);

/// How long a migration waits for another process that holds the file of a child.
pub const MIGRATION_BUSY_WAIT: Duration = Duration::from_secs(1);

/// How long a migration waits for those before it on the same schema.
pub const MIGRATION_QUEUE_WAIT: Duration = Duration::from_secs(600);

/// How nice the threads of migrations are to others (setpriority(2)): they have a tenth of a core that both want. With
/// more, a server that is busy for long would not get its migrations done.
pub const MIGRATION_NICENESS: i32 = 10;

/// How often a task is tried, and how long after the first failure; then twice as long each time.
pub const TASK_ATTEMPTS_MAX: u64 = 5;
pub const TASK_RETRY: Duration = Duration::from_millis(100);

/// Children whose migration becomes durable by one sync of the file system. It may take some 10 ms, in which others who
/// write wait for the disk as well: with so many it meets fewer than one in a hundred of them. They stay locked until
/// then, which is some 100 ms more for the first.
pub const CHILDREN_SYNCED_TOGETHER: usize = 200;

/// Fewer than this are synced one by one: a sync of the file system also writes what other programs have left to be
/// written.
pub const CHILDREN_SYNCED_TOGETHER_MIN: usize = 4;

/// What has become of tasks is noted in the catalog this often.
pub const TASKS_NOTED: Duration = Duration::from_millis(100);

/// How long a child that is behind waits for the turn to write itself, before whoever wants it gets it as it is.
pub const CATCH_UP_WAIT: Duration = Duration::from_secs(1);

/// A child that could not catch up is tried again when it is used after this time.
pub const CATCH_UP_RETRY: Duration = Duration::from_secs(30);

/// Jobs of a schema whose tasks are kept, and that are kept themselves.
pub const JOBS_WITH_TASKS_KEPT: usize = 100;
pub const JOBS_KEPT: usize = 10_000;

/// Jobs and tasks in one answer, unless asked for fewer: a few hundred kibibytes.
pub const JOBS_LISTED: usize = 1_000;
pub const TASKS_LISTED: usize = 10_000;

/// How often `hranad jobs watch` looks how far a migration is.
pub const WATCH_INTERVAL: Duration = Duration::from_millis(200);

/// Rows of one table that violate foreign keys, as far as it is remembered which.
pub const VIOLATIONS_MAX: usize = 1_000;

const _: () = assert!(REPLY_KEPT_BYTES_MAX < STREAMS_BYTES_MAX);
const _: () = assert!(SQL_STORE_BYTES_MAX < STREAMS_BYTES_MAX);
const _: () = assert!(CURSOR_CHUNK_BYTES < RESPONSE_BYTES_MAX);
const _: () = assert!(SQL_BYTES_MAX <= VALUE_BYTES_MAX);
const _: () = assert!(DUMP_STATEMENT_BYTES_MAX <= i32::MAX as usize);
const _: () = assert!(STREAMS_HOLDING_MAX < CONNECTIONS_MAX);
