//! Whether a statement is expected to take long, from how long it took before.
//!
//! A statement may be slow once because its thread had to wait for a processor, or because a page was not in
//! memory. So a verdict does not last: after some executions the long way it is given another chance, and each
//! time that fails it has to wait twice as long for the next.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slowness {
    /// Executions in a row that were slow.
    strikes: u8,
    /// Executions for which it counts as slow from now on.
    sentence: u16,
}

/// 2 to the power of this is the longest sentence: a second try costs less than a tenth of a percent then.
const STRIKES_MAX: u8 = 10;

impl Slowness {
    pub(super) fn is_expected(self) -> bool {
        self.sentence > 0
    }

    /// Takes an execution into account.
    pub(super) fn note(&mut self, is_slow: bool) {
        if self.sentence > 0 {
            self.sentence -= 1;
        } else if is_slow {
            self.strikes = (self.strikes + 1).min(STRIKES_MAX);
            self.sentence = 1 << self.strikes;
        } else {
            self.strikes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slowness;

    #[test]
    fn one_slow_execution_is_soon_forgotten() {
        let mut slowness = Slowness::default();
        slowness.note(true);
        assert!(slowness.is_expected());
        slowness.note(false);
        slowness.note(false);
        assert!(!slowness.is_expected());
        slowness.note(false);
        assert_eq!(slowness, Slowness::default());
    }

    #[test]
    fn what_is_always_slow_is_seldom_tried_again() {
        let mut slowness = Slowness::default();
        let mut tries = 0;
        for _ in 0..10_000 {
            tries += u32::from(!slowness.is_expected());
            slowness.note(true);
        }
        assert!(tries < 25, "{tries}");
    }
}
