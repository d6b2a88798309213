//! So much a second, evenly, and as much at once as was saved meanwhile. What it is of, and since when its time is counted, is the
//! affair of whoever has one: a packet goes by the monotonic clock, a code by the wall's.

use std::time::Duration;

/// What may be had.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_second: f64,
    most: f64,
    left: f64,
    /// When that was left.
    at: Duration,
}

impl Bucket {
    /// A full one.
    pub(crate) fn full(per_second: f64, most: f64, now: Duration) -> Self {
        Self { per_second, most, left: most, at: now }
    }

    /// How much is left. A clock that was set back adds nothing.
    pub(crate) fn left(&mut self, now: Duration) -> f64 {
        let since = now.saturating_sub(self.at).as_secs_f64();
        self.left = (self.left + since * self.per_second).min(self.most);
        self.at = now;
        self.left
    }

    /// Is it as if nothing had ever been taken?
    pub(crate) fn is_full(&mut self, now: Duration) -> bool {
        self.left(now) >= self.most
    }

    /// Takes so much, if it is there.
    pub(crate) fn take(&mut self, now: Duration, cost: f64) -> bool {
        let is_there = self.left(now) >= cost;
        if is_there {
            self.left -= cost;
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_can_be_had_at_once_and_no_more() {
        let at = Duration::from_secs;
        let mut bucket = Bucket::full(2.0, 10.0, at(100));
        assert!(bucket.is_full(at(100)) && !bucket.take(at(100), 10.5) && bucket.take(at(100), 10.0));
        assert!(!bucket.take(at(100), 0.5) && bucket.take(at(102), 4.0) && !bucket.is_full(at(106)));
        assert!(!bucket.take(at(50), 9.0) && !bucket.take(at(50), 9.0), "set back: nothing comes of it");
        assert!(bucket.is_full(at(51)), "and it counts on from there");
    }
}
