//! All tests that need a server: one binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "a test that panics says what is wrong")]

mod access;
mod admin;
mod bad_input;
mod clients;
mod command_line;
mod commands;
mod connections;
mod conversations;
mod crash;
mod faults;
mod fuzz;
mod harness;
mod idle;
mod jwks;
mod migrations;
mod names;
mod platform;
mod program;
mod readme;
mod routing;
mod sockets;
mod stateless;
mod streams;
mod tidy;
mod tls;
mod tokens;
mod writers;
