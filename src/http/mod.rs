//! HTTP: the data plane's handlers, and what all requests have in common. The URLs are in [`crate::router`].

mod alarms;
pub mod allowance;
pub mod arrival;
pub mod caller;
mod chunks;
mod closings;
pub mod cursor;
pub mod detached;
pub mod dump;
pub mod export;
mod failure;
pub mod info;
pub mod jobs;
pub mod legacy;
pub mod local;
pub mod pipeline;
mod streams;
pub mod target;
pub mod upload;
pub mod v1;
pub mod wire;
pub mod ws;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::auth::{Authority, Gate};
use crate::catalog::Catalog;
use crate::config::Network;
use crate::error::Result;
use crate::hrana::Streams;
use crate::keys::Keys;
use crate::migration::Migrator;
use crate::names::Names;
use crate::namespace::{Namespaces, Seeds};
use crate::sqlite::block;

/// What the handlers share.
pub struct App {
    pub catalog: Arc<Catalog>,
    pub namespaces: Arc<Namespaces>,
    pub migrator: Arc<Migrator>,
    pub seeds: Arc<Seeds>,
    pub streams: Arc<Streams>,
    pub gate: Arc<Gate>,
    /// Mints tokens.
    pub authority: Arc<Authority>,
    /// Keys of others.
    pub keys: Arc<Keys>,
    /// Places for WebSockets.
    pub sockets: Arc<Semaphore>,
    /// How long the client of a WebSocket may say nothing.
    pub client_silence: Duration,
    /// Says when the server stops.
    pub stopped: watch::Receiver<bool>,
    /// Where the server listens, for URLs in answers when a request does not say how it came.
    pub address: SocketAddr,
    pub names: Names,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<Network>,
}

impl App {
    /// Takes over what has changed of the keys of others, also for those who are connected.
    pub fn refresh_keys(&self) -> Result<()> {
        if block(|| self.keys.refresh())? {
            self.namespaces.note_revision();
        }
        Ok(())
    }
}
