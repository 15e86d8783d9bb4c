//! Tests of both encodings.

mod broken;
mod common;
mod depth;
mod random;
mod refused;
mod survive;
mod vectors;
