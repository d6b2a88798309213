//! How many wrong codes come from one place. Everybody's together are counted in the database (`domain/door.rs` says what that is for);
//! these only keep one guesser from using them all up, though they had a whole IPv6 /48, so each instance has its own, in memory.
//! Beyond them a wrong code looks as any other and a right one is doubted: many phones share an address.

use std::{collections::HashMap, hash::Hash};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    config::Tries,
    subscriber::{Site, Subscriber},
};

const WINDOW: TimeDelta = TimeDelta::minutes(10);
/// Addresses, before the old ones are forgotten.
const REMEMBERED: usize = 10_000;

/// The counts of wrong codes.
pub struct Limiter {
    tries: Tries,
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
    /// Nobody has tried any.
    #[must_use]
    pub fn new(tries: Tries) -> Self {
        Self { tries, subscribers: Counts::default(), sites: Counts::default() }
    }

    /// Have there been as many from there as there may be?
    pub(super) fn is_beyond(&self, from: Subscriber, now: DateTime<Utc>) -> bool {
        let Tries { one_address, one_site, .. } = self.tries;
        self.subscribers.wrong(from, now) >= one_address || self.sites.wrong(from.site(), now) >= one_site
    }

    /// One more.
    pub(super) fn wrong(&mut self, from: Subscriber, now: DateTime<Utc>) {
        self.subscribers.add(from, now);
        self.sites.add(from.site(), now);
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
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").field("tries", &self.tries).finish_non_exhaustive()
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

    fn of(text: &str) -> Subscriber {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn one_place_has_so_many_in_ten_minutes_and_others_have_their_own() {
        let mut limiter = Limiter::new(Tries { everyone_per_minute: 20, one_address: 10, one_site: 15 });
        let (one, other) = (of("10.0.0.1"), of("10.0.0.2"));
        for _ in 0..10 {
            assert!(!limiter.is_beyond(one, at(1)));
            limiter.wrong(one, at(1));
        }
        assert!(limiter.is_beyond(one, at(600)) && !limiter.is_beyond(one, at(601)));
        assert!(!limiter.is_beyond(other, at(1)));
    }

    #[test]
    fn a_whole_site_has_no_more() {
        let mut limiter = Limiter::new(Tries { everyone_per_minute: 20, one_address: 10, one_site: 15 });
        for n in 0..15 {
            assert!(!limiter.is_beyond(of("2001:db8:1:ffff::1"), at(1)));
            limiter.wrong(of(&format!("2001:db8:1:{n}::1")), at(1));
        }
        assert!(limiter.is_beyond(of("2001:db8:1:ffff::1"), at(1)) && !limiter.is_beyond(of("2001:db8:2:1::1"), at(1)));
        limiter.wrong(of("2001:db8:1:1::1"), at(602));
        assert!(!limiter.is_beyond(of("2001:db8:1:ffff::1"), at(602)));
    }
}
