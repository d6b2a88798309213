//! How often one link may be used. Each process counts by itself, in memory: it is to keep one holder of a link from the database, and
//! not from saying what they have to say.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use ids::ReferralId;

/// Requests by one link in a minute. Who fills a form in needs four.
const A_MINUTE: u32 = 30;
const MINUTE: TimeDelta = TimeDelta::minutes(1);
/// Referrals, before old minutes are forgotten.
const REMEMBERED: usize = 10_000;

/// How often each was used, since when.
#[derive(Debug, Default)]
pub(super) struct Pace(HashMap<ReferralId, (DateTime<Utc>, u32)>);

impl Pace {
    /// It is used once more. False: too often.
    pub(super) fn takes(&mut self, referral: ReferralId, now: DateTime<Utc>) -> bool {
        // A clock that was set back begins a new minute.
        let is_over = |since: DateTime<Utc>| now < since || now - since >= MINUTE;
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, (since, _)| !is_over(*since));
        }
        let (since, count) = self.0.entry(referral).or_insert((now, 0));
        if is_over(*since) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= A_MINUTE
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_link_is_used_so_often_in_a_minute_and_another_has_its_own() {
        let at = |seconds| DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        let referral = |n| ReferralId::from(uuid::Uuid::from_u128(n));
        let mut pace = Pace::default();
        let taken = (0..50).filter(|n| pace.takes(referral(1), at(*n))).count();
        assert_eq!(taken, 30);
        assert!(pace.takes(referral(2), at(50)));
        assert!(!pace.takes(referral(1), at(59)) && pace.takes(referral(1), at(60)));
        assert!(pace.takes(referral(1), at(-9)), "set back");
        for n in 0..20_000 {
            pace.takes(referral(n), at(i64::try_from(n / 10).unwrap()));
        }
        assert!(pace.0.len() <= 10_600, "what is over is forgotten");
    }
}
