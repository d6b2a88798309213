//! How often a code may be guessed: by everybody together, and from one address.
//!
//! Everybody's bucket is what makes the arithmetic hold: 20 wrong codes a minute are 28,800 a day, times 30 callers' codes
//! out at once, over 2^40: under one in a million. Helpers' codes lead no further than to where one waits for the officer
//! to say yes, so they don't count. The address' count comes first, and its site's, so that one guesser can't empty the bucket
//! for everybody, though they had a whole IPv6 /48. A right code costs nothing. Whoever has dozens of sites can empty it, and nobody
//! gets in by a code while they go on: a bucket that let right codes through would be no limit to guessing.

use std::{collections::HashMap, hash::Hash};

use chrono::{DateTime, TimeDelta, Utc};

use super::pace::{a_minute, counted};
use crate::{
    bucket::Bucket,
    config::Tries,
    subscriber::{Site, Subscriber},
};

const WINDOW: TimeDelta = TimeDelta::minutes(10);
/// Addresses, before the old ones are forgotten.
const REMEMBERED: usize = 10_000;

/// The counts of wrong codes.
pub struct Limiter {
    tries: Tries,
    everyone: Bucket,
    subscribers: Counts<Subscriber>,
    sites: Counts<Site>,
}

/// Wrong codes in the last ten minutes.
struct Counts<K>(HashMap<K, Count>);

struct Count {
    since: DateTime<Utc>,
    wrong: u32,
}

impl Limiter {
    /// A full bucket.
    #[must_use]
    pub fn new(tries: Tries, now: DateTime<Utc>) -> Self {
        let everyone = a_minute(tries.everyone_per_minute, now);
        Self { everyone, tries, subscribers: Counts::default(), sites: Counts::default() }
    }

    /// Asks for one try. False: not now.
    pub(super) fn take(&mut self, from: Subscriber, now: DateTime<Utc>) -> bool {
        let Tries { one_address, one_site, .. } = self.tries;
        let is_spent =
            self.subscribers.wrong(from, now) >= one_address || self.sites.wrong(from.site(), now) >= one_site;
        if is_spent || !self.everyone.take(counted(now), 1.0) {
            return false;
        }
        self.subscribers.add(from, now);
        self.sites.add(from.site(), now);
        true
    }

    /// The try was no guess.
    pub(super) fn give_back(&mut self, from: Subscriber) {
        self.everyone.give_back(1.0);
        self.subscribers.take_off(from);
        self.sites.take_off(from.site());
    }
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Counts<K> {
    fn wrong(&self, who: K, now: DateTime<Utc>) -> u32 {
        self.0.get(&who).filter(|count| now - count.since < WINDOW).map_or(0, |count| count.wrong)
    }

    fn add(&mut self, who: K, now: DateTime<Utc>) {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, count| now - count.since < WINDOW);
        }
        let count = self.0.entry(who).or_insert(Count { since: now, wrong: 0 });
        if count.wrong == 0 || now - count.since >= WINDOW {
            *count = Count { since: now, wrong: 0 };
        }
        count.wrong += 1;
    }

    fn take_off(&mut self, who: K) {
        if let Some(count) = self.0.get_mut(&who) {
            count.wrong = count.wrong.saturating_sub(1);
        }
    }
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").field("everyone", &self.everyone).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::IpAddr;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn from(last: u16) -> Subscriber {
        let [high, low] = last.to_be_bytes();
        IpAddr::from([10, 0, high, low]).into()
    }

    #[test]
    fn a_days_guessing_is_hopeless() {
        let tries = Tries { everyone_per_minute: 20, one_address: 10, one_site: 15 };
        let mut limiter = Limiter::new(tries, at(0));
        let mut guesses = 0;
        // A thousand addresses, each as fast as it can, all day.
        for second in 0..86_400 {
            for n in 0..5 {
                let guesser = from(u16::try_from((second * 5 + n) % 1000).unwrap());
                guesses += u64::from(limiter.take(guesser, at(second)));
            }
        }
        assert!(guesses <= 20 * 1440 + 20, "{guesses}");
        assert!((guesses * 30) as f64 / 2_f64.powi(40) < 1e-6);
    }

    #[test]
    fn one_address_can_not_shut_the_door_for_others() {
        let mut limiter = Limiter::new(Tries { everyone_per_minute: 20, one_address: 10, one_site: 15 }, at(0));
        assert_eq!((0..100).filter(|_| limiter.take(from(1), at(1))).count(), 10);
        assert!(limiter.take(from(2), at(1)));
        assert!(!limiter.take(from(1), at(599)), "ten minutes are not over");
        assert!(limiter.take(from(1), at(602)));
    }

    #[test]
    fn right_codes_cost_nothing() {
        let mut limiter = Limiter::new(Tries { everyone_per_minute: 2, one_address: 1, one_site: 1 }, at(0));
        for _ in 0..50 {
            assert!(limiter.take(from(1), at(1)));
            limiter.give_back(from(1));
        }
    }

    #[test]
    fn a_whole_site_can_not_shut_it_either() {
        let tries = Tries { everyone_per_minute: 20, one_address: 10, one_site: 15 };
        let mut limiter = Limiter::new(tries, at(0));
        let of = |site: u16, n: u16| Subscriber::from(IpAddr::from([0x2001, 0xdb8, site, n, 0, 0, 0, 1]));
        assert_eq!((0..1_000).filter(|n| limiter.take(of(1, *n), at(1))).count(), 15);
        assert!(limiter.take(of(2, 0), at(1)));
        limiter.give_back(of(1, 0));
        assert!(
            limiter.take(of(1, 2_000), at(1)) && !limiter.take(of(1, 2_001), at(1)),
            "a right code costs no site either"
        );
        assert!(!limiter.take(of(1, 1), at(599)) && limiter.take(of(1, 1), at(602)));
    }
}
