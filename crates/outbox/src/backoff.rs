//! Waiting longer after each failure in a row, up to a cap that keeps recovery within seconds.

use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    cap: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(50);

    pub(crate) fn capped(cap: Duration) -> Self {
        Self { next: Self::FIRST, cap }
    }

    /// How long to wait now; the next wait is twice as long.
    pub(crate) fn step(&mut self) -> Duration {
        let now = self.next.min(self.cap);
        self.next = now.saturating_mul(2);
        now
    }

    pub(crate) fn reset(&mut self) {
        self.next = Self::FIRST;
    }
}
