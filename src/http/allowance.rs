//! How much of a connection is read before it is known who is at its other end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Shared by a socket and by who speaks over it; without a limit at first, as requests have limits of their own. A
/// message of a WebSocket is in memory as a whole before anybody can look whether its sender may say so much.
#[derive(Clone, Debug)]
pub struct Allowance(Arc<AtomicU64>);

impl Default for Allowance {
    fn default() -> Self {
        Allowance(Arc::new(AtomicU64::new(UNLIMITED)))
    }
}

const UNLIMITED: u64 = u64::MAX;

impl Allowance {
    /// Lets about this many more bytes be read.
    pub(super) fn limit(&self, bytes: u64) {
        self.0.store(bytes, Relaxed);
    }

    /// Lets everything be read again.
    pub(super) fn lift(&self) {
        self.limit(UNLIMITED);
    }

    /// Counts what was read. `false` if that was more than there may be.
    pub fn spend(&self, bytes: u64) -> bool {
        let left = self.0.load(Relaxed);
        if left == UNLIMITED {
            return true;
        }
        self.0.store(left.saturating_sub(bytes), Relaxed);
        left > bytes
    }
}
