//! The `turso` CLI, as published: what its users type, what it prints, and what works afterwards. It finds the
//! server by its environment alone.

mod api_tokens;
mod auth;
mod cli;
mod config;
mod databases;
mod example;
mod export;
mod groups;
mod inspect;
mod organizations;
mod readme;
mod schemas;
mod seeds;
mod shell;
mod terminal;
mod tokens;
mod walkthrough;
mod workshop;
