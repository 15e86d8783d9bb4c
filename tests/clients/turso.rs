//! The `turso` CLI, as published: what its users type, what it prints, and what works afterwards. It finds the
//! server by its environment alone.

mod api_tokens;
mod auth;
mod cli;
mod config;
mod databases;
mod drop_in;
mod example;
mod export;
mod groups;
mod inspect;
mod organizations;
mod proxy;
mod readme;
mod schemas;
mod seeds;
mod shell;
pub(super) mod starter;
mod terminal;
mod tokens;
mod troubleshooting;
mod walkthrough;
mod workshop;
