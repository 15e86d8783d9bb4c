//! All tests that need a server: one binary, so that it links once.

mod harness;
mod tidy;
