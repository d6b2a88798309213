//! How long a call will wait, as far as that can be told, and when that is news.

use std::time::Duration;

/// Fewer calls than this are no experience.
const ENOUGH: usize = 3;
/// What is told is in steps of this.
const STEP: u64 = 30;
/// A wait that changes by less is no news.
const NEWS: Duration = Duration::from_secs(60);

/// How fast a desk answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    call: Duration,
    free: u32,
    at_work: u32,
}

/// Where a waiting call stands, as the control room is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// 1 is next.
    pub position: u32,
    /// How long until an officer answers; `None`: nobody can tell.
    pub wait: Option<Duration>,
}

impl Pace {
    /// Of a desk whose newest calls took so long, with so many officers free, of so many who are there. A call takes as
    /// long as the one in the middle: one that lasts for hours says little about the next.
    #[must_use]
    pub fn new(mut recent: Vec<Duration>, usual: Duration, free: u32, at_work: u32) -> Self {
        recent.sort_unstable();
        let call = if recent.len() < ENOUGH { usual } else { recent[recent.len() / 2] };
        Self { call, free, at_work: at_work.max(free) }
    }

    /// How long the call at this place waits: the free officers take the first ones at once, and then one of those
    /// who are there comes free in each n-th part of a call.
    #[must_use]
    pub fn expected(&self, position: u32) -> Option<Duration> {
        let turns = u64::from(position.saturating_sub(self.free));
        let seconds = self.call.as_secs().saturating_mul(turns).checked_div(u64::from(self.at_work))?;
        Some(Duration::from_secs(seconds.div_ceil(STEP).saturating_mul(STEP)))
    }

    /// The call at this place.
    #[must_use]
    pub fn standing(&self, position: u32) -> Standing {
        Standing { position, wait: self.expected(position) }
    }
}

impl Standing {
    /// Whether the control room should hear of it, having heard `told`.
    #[must_use]
    pub fn is_news(&self, told: &Self) -> bool {
        let waits_differ = match (self.wait, told.wait) {
            (Some(now), Some(then)) => now.abs_diff(then) >= NEWS,
            (now, then) => now != then,
        };
        self.position != told.position || waits_differ
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const USUAL: Duration = Duration::from_secs(1200);

    fn minutes(minutes: &[u64]) -> Vec<Duration> {
        minutes.iter().map(|m| Duration::from_secs(m * 60)).collect()
    }

    #[test]
    fn who_is_free_answers_at_once_and_the_others_share_the_rest() {
        let pace = Pace::new(minutes(&[10, 90, 8]), USUAL, 1, 4);
        let wait = |position| pace.expected(position).unwrap().as_secs();
        assert_eq!((wait(1), wait(2), wait(3), wait(5)), (0, 150, 300, 600));
        assert_eq!(Pace::new(minutes(&[1, 1]), USUAL, 0, 1).expected(1), Some(USUAL), "two calls are no experience");
        assert_eq!(Pace::new(vec![], USUAL, 0, 0).expected(1), None, "nobody is there");
    }

    #[test]
    fn a_new_place_is_news_and_half_a_minute_is_not() {
        let at = |position, seconds| Standing { position, wait: Some(Duration::from_secs(seconds)) };
        assert!(at(2, 60).is_news(&at(3, 60)));
        assert!(!at(2, 60).is_news(&at(2, 90)) && at(2, 60).is_news(&at(2, 120)));
        assert!(at(2, 60).is_news(&Standing { position: 2, wait: None }));
    }

    proptest! {
        #[test]
        fn behind_is_never_sooner_and_more_officers_never_later(
            recent in prop::collection::vec(1..20_000u64, 0..30), free in 0..9u32, busy in 0..9u32, position in 1..200u32,
        ) {
            let recent: Vec<_> = recent.into_iter().map(Duration::from_secs).collect();
            let pace = Pace::new(recent.clone(), USUAL, free, free + busy);
            prop_assert!(pace.expected(position) <= pace.expected(position + 1));
            let more = Pace::new(recent, USUAL, free + 1, free + busy + 1);
            prop_assert!(pace.expected(position).is_none() || more.expected(position) <= pace.expected(position));
            prop_assert_eq!(pace.expected(position).is_none(), free + busy == 0);
        }
    }
}
