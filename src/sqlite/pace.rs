//! How work on a connection is to be done.

use super::threads::Threads;

/// How work is to be done.
#[derive(Clone, Copy)]
pub enum Pace<'a> {
    /// On a thread that others need: only statements known to be short, and of these such that can be begun again
    /// elsewhere when they are not, or have one of these permits.
    Quick(&'a Threads),
    /// Where blocking is allowed.
    Full,
}

impl Pace<'_> {
    pub fn is_quick(self) -> bool {
        matches!(self, Pace::Quick(_))
    }
}
