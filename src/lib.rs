//! hranad: a server for libSQL's Hrana protocol, with a SQLite file per tenant.
//!
//! The modules, from the top down; each names only modules below it (ARCHITECTURE.md tells the rest):
//!
//! | module | what it is |
//! |---|---|
//! | [`commands`] | what the owner does without a client |
//! | [`server`] | builds everything and starts it |
//! | [`listener`] | sockets |
//! | [`router`] | every URL |
//! | [`platform`] | handlers of the platform API |
//! | [`admin`] | the admin API of sqld |
//! | [`http`] | handlers of the data plane |
//! | [`hrana`] | streams and what they can be asked |
//! | [`migration`] | what is changed in a schema database is changed in its children |
//! | [`namespace`] | the tenants' databases |
//! | [`catalog`] | which databases, groups and tokens there are |
//! | [`sqlite`] | connections, SQL policy, execution |
//! | [`tls`], [`names`] | certificates; what the server is called |
//! | [`auth`], [`error`], [`limits`] | who may; what went wrong; how much |

pub mod admin;
pub mod auth;
pub mod catalog;
pub mod commands;
pub mod config;
pub mod data_dir;
pub mod error;
pub mod fetch;
pub mod hrana;
pub mod http;
pub mod keys;
pub mod limits;
pub mod listener;
pub mod migration;
pub mod names;
pub mod namespace;
pub mod platform;
pub mod router;
pub mod server;
pub mod sqlite;
pub mod tls;
