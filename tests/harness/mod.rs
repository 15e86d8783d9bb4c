//! A server in this process, on a free port, with a data directory of its own.
