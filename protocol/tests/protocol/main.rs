//! Tests of both encodings.

mod broken;
mod common;
mod depth;
mod memory;
mod proportion;
mod random;
mod refused;
mod survive;
mod vectors;
