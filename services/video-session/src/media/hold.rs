//! Sound first: a viewer whose path can't carry both is shown no picture for a while.
//!
//! How much more the path could carry nobody knows until it is tried, and a trial costs some sound. So the picture comes back
//! when it fits into what came through, or into twice that after a while, four times after two: and the while doubles each
//! time that it was in vain. It comes back with a key frame, which alone may fill a weak path for a moment.
//!
//! Simulcast would be another way out; but what the phone sends is recorded as it is, and layers that come and go would make
//! no recording.

use std::time::{Duration, Instant};

/// A path is full for so long before the picture is held.
const FULL_FOR: Duration = Duration::from_millis(250);
/// A picture that has just come is not judged yet.
const TRIAL: Duration = Duration::from_secs(1);
/// It is held for so long at least.
const HELD: Duration = Duration::from_secs(2);
/// After how long twice as much is dared, the first time and at most.
const DARES_AFTER: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(32));
/// A picture that went well for so long was not in vain.
const WENT_WELL: Duration = Duration::from_secs(30);

/// One viewer's picture.
#[derive(Debug)]
pub(super) struct Hold {
    is_held: bool,
    /// Since when it is as it is.
    since: Option<Instant>,
    full_since: Option<Instant>,
    /// The most that came through a full path since it last went well, in bits a second: in a trial's first moments it is little.
    came: u64,
    /// While it is held: bits a second that are dared, and since when.
    dares: (u64, Option<Instant>),
    dares_after: Duration,
}

impl Default for Hold {
    fn default() -> Self {
        let dares_after = DARES_AFTER.0 / 2;
        Self { is_held: false, since: None, full_since: None, came: 0, dares: (0, None), dares_after }
    }
}

impl Hold {
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// Looks at the path: what comes through if it is full, and what sound and picture together would need, in bits a second.
    /// `Some`: held, or not, from now on.
    pub(super) fn look(&mut self, now: Instant, limit: Option<u64>, needed: u64) -> Option<bool> {
        let lasted = now - *self.since.get_or_insert(now);
        let full_for = now - *self.full_since.get_or_insert(now);
        if limit.is_none() {
            self.full_since = None;
        }
        if !self.is_held {
            let limit = limit.filter(|_| lasted >= TRIAL && full_for >= FULL_FOR)?;
            if lasted < WENT_WELL {
                self.dares_after = (self.dares_after * 2).min(DARES_AFTER.1);
                self.came = self.came.max(limit);
            } else {
                self.dares_after = DARES_AFTER.0;
                self.came = limit;
            }
            self.dares = (self.came, Some(now));
        } else {
            if self.dares.1.is_some_and(|since| now >= since + self.dares_after) {
                self.dares = (self.dares.0.saturating_mul(2), Some(now));
            }
            if limit.is_some() || lasted < HELD || needed > self.dares.0 {
                return None;
            }
        }
        self.is_held = !self.is_held;
        self.since = Some(now);
        Some(self.is_held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 300_000;

    /// Looks ten times a second at a path that is full when this says so; says when it was held and when shown again.
    fn turns(seconds: u32, needed: u64, is_full: impl Fn(bool, u32) -> bool) -> Vec<(u32, bool)> {
        let (mut hold, now) = (Hold::default(), Instant::now());
        let looks = (0..seconds * 10).filter_map(|tenth| {
            let limit = is_full(hold.is_held(), tenth / 10).then_some(LIMIT);
            hold.look(now + Duration::from_millis(100) * tenth, limit, needed).map(|held| (tenth / 10, held))
        });
        looks.collect()
    }

    fn pauses(turns: &[(u32, bool)]) -> Vec<u32> {
        turns.chunks_exact(2).map(|pair| pair[1].0 - pair[0].0).collect()
    }

    #[test]
    fn what_never_fits_is_tried_less_and_less_often() {
        let turns = turns(300, 4 * LIMIT, |held, _| !held);
        assert_eq!(pauses(&turns), [8, 16, 32, 64, 64, 64], "{turns:?}");
    }

    #[test]
    fn what_fits_comes_back_at_once() {
        let turns = turns(60, LIMIT - 1, |held, second| !held && second == 10);
        assert_eq!(pauses(&turns), [2], "{turns:?}");
    }

    #[test]
    fn a_moment_costs_no_picture_and_a_full_path_brings_none_back() {
        assert_eq!(turns(60, LIMIT, |_, second| second < 1), [], "its first key frame");
        assert_eq!(turns(60, LIMIT, |held, second| held || second == 20).len(), 1);
    }

    #[test]
    fn what_little_comes_through_at_the_start_of_a_trial_says_nothing_of_the_path() {
        let (mut hold, now) = (Hold::default(), Instant::now());
        let mut look = |second, limit| hold.look(now + Duration::from_secs(second), limit, 2 * LIMIT);
        assert_eq!([look(0, Some(LIMIT)), look(1, Some(LIMIT))], [None, Some(true)]);
        assert_eq!(look(5, None), Some(false));
        assert_eq!([look(6, Some(LIMIT / 6)), look(7, Some(LIMIT / 6))], [None, Some(true)]);
        assert_eq!(look(15, None), Some(false));
    }

    #[test]
    fn after_it_went_well_it_is_dared_as_soon_as_the_first_time() {
        let turns = turns(150, 2 * LIMIT, |held, second| !held && (second < 20 || second == 100));
        let pauses = pauses(&turns);
        assert_eq!((pauses.first(), pauses.last()), (Some(&4), Some(&4)), "{turns:?}");
    }
}
