//! The package `hrana.ws`: what a client sends, and what a server sends.

mod client;
mod server;
