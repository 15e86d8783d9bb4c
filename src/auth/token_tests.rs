//! The tokens as one table.
