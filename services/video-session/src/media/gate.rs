//! How much one connection may send us. More than any phone does, and little enough for a disk: whoever is in a call could
//! else fill the spool, or keep the loop from everybody. What is over is dropped undecrypted, and a loss like any other.

use std::time::{Duration, Instant};

use crate::bucket::Bucket;

/// What handling a datagram costs, whatever its length, in bytes: 5,000 a second are too many, too.
const EACH: u32 = 250;

/// Lets through what its bucket has.
pub(super) struct Gate {
    bucket: Bucket,
    since: Instant,
    /// How many did not pass.
    pub(super) turned_away: u64,
}

impl Gate {
    /// For all that a connection sends, in bytes: 10 Mb/s, where the pages ask their cameras for a quarter of it; two
    /// seconds' worth at once, for a network that stood still.
    pub(super) fn of_datagrams(now: Instant) -> Self {
        Self::new(1_250_000.0, 2_500_000.0, now)
    }

    /// For an ICE session's checks, each of which costs an answer and a check in return, and so more bytes out than in.
    /// Browsers begin with twenty a second.
    pub(super) fn of_checks(now: Instant) -> Self {
        Self::new(50.0, 100.0, now)
    }

    fn new(per_second: f64, most: f64, now: Instant) -> Self {
        Self { bucket: Bucket::full(per_second, most, Duration::ZERO), since: now, turned_away: 0 }
    }

    /// May a datagram of this length pass?
    pub(super) fn pass_datagram(&mut self, now: Instant, length: usize) -> bool {
        self.pass(now, f64::from(u32::try_from(length).unwrap_or(u32::MAX)) + f64::from(EACH))
    }

    /// May what costs so much pass?
    pub(super) fn pass(&mut self, now: Instant, cost: f64) -> bool {
        let passes = self.bucket.take(now.saturating_duration_since(self.since), cost);
        self.turned_away += u64::from(!passes);
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many a second, for ten seconds, pass.
    fn passed(per_second: u32, length: usize) -> u32 {
        let start = Instant::now();
        let mut gate = Gate::of_datagrams(start);
        let times = (0..10 * per_second).map(|n| start + Duration::from_secs(1) * n / per_second);
        let passed = times.filter(|now| gate.pass_datagram(*now, length)).count();
        assert_eq!(passed as u64 + gate.turned_away, u64::from(10 * per_second));
        u32::try_from(passed).unwrap_or(u32::MAX)
    }

    #[test]
    fn a_phone_passes_and_a_flood_does_not() {
        assert_eq!(passed(700, 1_200), 7_000, "6.7 Mb/s: the best of cameras");
        let flood = passed(10_000, 1_200);
        assert!(
            (8_000..=12 * 1_250_000 / 1_450 + 1).contains(&flood),
            "{flood}: ten seconds' worth, and what was saved"
        );
        assert!(passed(50_000, 20) <= 12 * 1_250_000 / 270 + 1, "small ones cost as much to look at");
    }
}
