//! One tenant's file: its connections, its turn to write, its share of the threads.

use std::num::NonZero;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::checkpoint;
use super::connection::Connection;
use super::executor::Executor;
use super::file::{self, Sharing};
use super::group_commit::GroupCommit;
use super::meter::Meter;
use super::read_locks::ReadLocks;
use super::session::SavedSession;
use super::threads::detach;
use super::write_turn::WriteTurn;
use crate::auth::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// What all databases of the server share.
pub struct Engine {
    threads: Arc<Semaphore>,
    threads_max: usize,
    threads_per_database: usize,
    /// Threads of the runtime that may wait for the disk.
    quick_syncs: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    connections_max: usize,
    /// Children that all migrations may work on at once.
    migrations: Arc<Semaphore>,
    migrations_max: usize,
    write_wait: Duration,
    /// How long one statement may run.
    pub statement_timeout: Duration,
}

impl Engine {
    /// `threads` is the number of statements that may run at once, `connections` how many may be open, `migrations` how
    /// many children are worked on at once.
    pub fn new(
        threads: usize,
        connections: usize,
        migrations: usize,
        write_wait: Duration,
        statement_timeout: Duration,
    ) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Engine {
            threads: Arc::new(Semaphore::new(threads)),
            threads_max: threads,
            // As many as there are processors, unless told otherwise: more of one tenant's queries would end no sooner,
            // and all others would wait behind them.
            threads_per_database: (threads / 4).max(1),
            // The other processors go on with what does not write.
            quick_syncs: Arc::new(Semaphore::new((processors / 2).max(1))),
            connections: Arc::new(Semaphore::new(connections)),
            connections_max: connections,
            migrations: Arc::new(Semaphore::new(migrations)),
            migrations_max: migrations,
            write_wait,
            statement_timeout,
        }
    }

    /// A place for work on one database that is being migrated.
    pub async fn admit_migration(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.migrations).acquire_owned().await.ok()
    }

    /// How long a migration waits for the turn to write a database: longer than those who write it.
    pub fn migration_wait(&self) -> Duration {
        2 * self.write_wait
    }

    /// How many of these places there are.
    pub fn migrations_max(&self) -> usize {
        self.migrations_max
    }

    /// How many statements run.
    pub fn statements(&self) -> usize {
        self.threads_max - self.threads.available_permits()
    }

    /// Whether so few connections may still be opened that idle ones should be closed.
    pub fn is_crowded(&self) -> bool {
        self.connections.available_permits() <= self.connections_max / 20
    }
}

/// A tenant's file as this process sees it. Exists once per file, so that there is one turn to write.
pub struct Database {
    path: PathBuf,
    executor: Executor,
    write_turn: WriteTurn,
    commits: Arc<GroupCommit>,
    read_locks: ReadLocks,
    meter: Arc<Meter>,
    engine: Arc<Engine>,
    connections: Mutex<Connections>,
    /// In pages; how large the file may become.
    pages_max: AtomicU32,
    /// Whether what is executed on it is to become a migration of others.
    is_schema: bool,
    /// The file is gone, or going: no connection is kept.
    is_closed: AtomicBool,
}

/// The connections of clients; those of migrations are not among them.
#[derive(Default)]
struct Connections {
    idle: Vec<Idle>,
    /// How many are in the hands of streams, or still have to be rolled back.
    lent: usize,
}

struct Idle {
    connection: Box<Connection>,
    /// The stream that used it last.
    owner: u64,
    since: Instant,
}

/// Who wants a connection.
#[derive(Clone, Debug)]
pub struct Tenancy {
    /// The id of a stream that comes back, 0 for a new one.
    pub owner: u64,
    pub access: Access,
    pub session: SavedSession,
}

impl Database {
    /// `meter` counts what its statements do. What is executed on a schema database is to become a migration.
    pub fn new(path: PathBuf, engine: &Arc<Engine>, meter: Arc<Meter>, is_schema: bool) -> Self {
        let wait = if is_schema { limits::MIGRATION_QUEUE_WAIT } else { engine.write_wait };
        let write_turn = WriteTurn::new(wait);
        let read_locks = ReadLocks::default();
        Database {
            commits: Arc::new(GroupCommit::new(
                &path,
                read_locks.clone(),
                write_turn.clone(),
                Arc::clone(&engine.quick_syncs),
            )),
            read_locks,
            path,
            executor: Executor::new(&engine.threads, engine.threads_per_database),
            write_turn,
            is_schema,
            meter,
            engine: Arc::clone(engine),
            connections: Mutex::default(),
            pages_max: AtomicU32::new(file::PAGES_MAX),
            is_closed: AtomicBool::new(false),
        }
    }

    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Sets how many bytes the file may have; what is there already stays. Counts from the next request on.
    pub fn set_size_limit(&self, bytes: Option<u64>) {
        self.pages_max.store(file::pages(bytes), Relaxed);
    }

    /// Lends a connection; opens one if none is idle, so call it where blocking is allowed.
    pub fn connect(self: &Arc<Self>, tenancy: &Tenancy) -> Result<Lease> {
        if let Some(lease) = self.connect_idle(tenancy) {
            return Ok(lease);
        }
        let mut connection =
            self.open(Sharing::Shared, &tenancy.access, Arc::clone(&self.meter))?;
        connection.join_commits(&self.commits)?;
        if self.is_schema {
            connection.begin_rehearsals()?;
        }
        connection.begin_session(tenancy.session, &tenancy.access);
        self.lock_connections().lent += 1;
        Ok(Lease::new(Box::new(connection), self, tenancy.owner))
    }

    fn open(&self, sharing: Sharing, access: &Access, meter: Arc<Meter>) -> Result<Connection> {
        let open = Arc::clone(&self.engine.connections).try_acquire_owned().map_err(crowded)?;
        let turn = self.write_turn.clone();
        let mut connection =
            Connection::open(&self.path, sharing, access.clone(), turn, meter, open)?;
        connection.set_pages_max(self.pages_max.load(Relaxed))?;
        if sharing == Sharing::Shared {
            self.read_locks.join(&connection.db)?;
        }
        Ok(connection)
    }

    /// Opens a connection that takes migrations over, for whoever has the turn to write. Its statements are not the
    /// tenant's, and are not counted. Blocks.
    pub fn open_for_migration(&self, sharing: Sharing) -> Result<Connection> {
        let mut connection = self.open(sharing, &Access::FULL, Arc::default())?;
        connection.begin_migrations(sharing)?;
        Ok(connection)
    }

    /// What is committed, and whether it is durable.
    pub fn commits(&self) -> &Arc<GroupCommit> {
        &self.commits
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The right to write it, and whether it is a migration that has it.
    pub fn write_turn(&self) -> &WriteTurn {
        &self.write_turn
    }

    /// Lends a connection that is open and idle, if there is one. Does not block.
    pub fn connect_idle(self: &Arc<Self>, tenancy: &Tenancy) -> Option<Lease> {
        let Idle { connection, owner, .. } = self.take_idle(tenancy.owner)?;
        let mut lease = Lease::new(connection, self, tenancy.owner);
        lease.set_pages_max(self.pages_max.load(Relaxed)).ok()?;
        if tenancy.owner == 0 || owner != tenancy.owner {
            lease.begin_session(tenancy.session, &tenancy.access);
        }
        Some(lease)
    }

    /// The connection that the owner had before, or else the one used last.
    fn take_idle(&self, owner: u64) -> Option<Idle> {
        let mut connections = self.lock_connections();
        let idle = &mut connections.idle;
        let taken = match idle.iter().position(|other| owner != 0 && other.owner == owner) {
            Some(index) => idle.remove(index),
            None => idle.pop()?,
        };
        connections.lent += 1;
        Some(taken)
    }

    fn take_back(self: &Arc<Self>, mut connection: Box<Connection>, owner: u64) {
        if connection.is_at_rest() {
            if let Some(connection) = self.keep(connection, owner) {
                dispose(connection);
            }
            return;
        }
        let database = Arc::clone(self);
        detach(move || {
            connection.roll_back();
            drop(database.keep(connection, 0));
        });
    }

    /// Puts a connection that was lent with the idle ones, or gives it back if it cannot serve anybody else.
    fn keep(&self, connection: Box<Connection>, owner: u64) -> Option<Box<Connection>> {
        let mut connections = self.lock_connections();
        connections.lent -= 1;
        let has_room = connections.idle.len() < limits::IDLE_CONNECTIONS_PER_DATABASE;
        if connection.is_clean() && has_room && !self.is_closed.load(Relaxed) {
            connections.idle.push(Idle { connection, owner, since: Instant::now() });
            None
        } else {
            Some(connection)
        }
    }

    /// Moves what is in the WAL into the file and empties the WAL. Writers wait for it, and it waits for readers of
    /// what is in the way.
    pub async fn checkpoint(&self) -> Result<()> {
        let _open = Arc::clone(&self.engine.connections).try_acquire_owned().map_err(crowded)?;
        let _turn = self.write_turn.take().await?;
        let started = Instant::now();
        while !self
            .executor
            .run(|| checkpoint::try_checkpoint(&self.path, &self.read_locks))
            .await??
        {
            if started.elapsed() >= limits::BUSY_WAIT {
                return Err(Error::new(
                    ErrorKind::Sqlite(rusqlite::ffi::SQLITE_BUSY),
                    format!(
                        "SQLite error: database is locked: readers have held an older state of it for {} s; \
                         checkpoint again when they are done",
                        limits::BUSY_WAIT.as_secs()
                    ),
                ));
            }
            tokio::time::sleep(limits::BUSY_RETRY).await;
        }
        Ok(())
    }

    /// Keeps no connection from now on, and returns those it had, to be dropped where blocking is allowed.
    pub fn close(&self) -> Vec<Connection> {
        let mut connections = self.lock_connections();
        self.is_closed.store(true, Relaxed);
        connections.idle.drain(..).map(|idle| *idle.connection).collect()
    }

    /// Takes out the connections that nobody has used since `before`, to be dropped where blocking is allowed.
    pub fn take_unused(&self, before: Instant) -> Vec<Connection> {
        let mut connections = self.lock_connections();
        let unused = connections.idle.extract_if(.., |idle| idle.since < before);
        unused.map(|idle| *idle.connection).collect()
    }

    /// Lets programs outside have the locks that nobody is reading under.
    pub fn give_back_read_locks(&self) {
        self.read_locks.give_back();
    }

    /// Whether clients use it, or have lately. A migration does not count.
    pub fn is_in_use(&self) -> bool {
        let connections = self.lock_connections();
        connections.lent > 0 || !connections.idle.is_empty()
    }

    fn lock_connections(&self) -> std::sync::MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn crowded(_: TryAcquireError) -> Error {
    Error::new(
        ErrorKind::Overloaded,
        "the server has as many database connections open as it may; try again later",
    )
}

/// Closing writes: it rolls back, and the last connection of a file checkpoints the WAL.
fn dispose(connection: Box<Connection>) {
    detach(move || drop(connection));
}

/// A connection in the hands of one stream; goes back to its database when dropped.
pub struct Lease {
    connection: Option<Box<Connection>>,
    database: Arc<Database>,
    owner: u64,
}

impl Lease {
    fn new(connection: Box<Connection>, database: &Arc<Database>, owner: u64) -> Self {
        Lease { connection: Some(connection), database: Arc::clone(database), owner }
    }

    /// Gives the connection back. The stream that is its owner gets the same one again if it is still free.
    pub fn return_from(mut self, owner: u64) {
        self.owner = owner;
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("present until dropped")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("present until dropped")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.database.take_back(connection, self.owner);
        }
    }
}
