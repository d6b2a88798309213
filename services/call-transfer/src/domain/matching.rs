//! Who gets which call. A call's rank is when it was queued, less a head start for its risk: risk goes first, yet no
//! call is ever overtaken by one that came more than that head start after it, so nobody starves.

use chrono::{DateTime, Utc};
use ids::{CallId, OfficerId};

use super::{Call, Officer, Risk, Rules, State, earlier};

/// A call and the officer it is to be offered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The call.
    pub call: CallId,
    /// The officer.
    pub officer: OfficerId,
}

/// The order of the queue: the least comes first. Ids break ties, and sort by the time they were made.
fn rank(call: &Call, rules: &Rules) -> (DateTime<Utc>, CallId) {
    let head_start = match call.facts.risk {
        Risk::High => rules.high_risk_head_start,
        Risk::Medium => rules.medium_risk_head_start,
        Risk::Standard => return (call.queued_at, call.id),
    };
    (earlier(call.queued_at, head_start), call.id)
}

/// Puts calls in the order in which they are served.
pub fn sort(calls: &mut [Call], rules: &Rules) {
    calls.sort_by_cached_key(|call| rank(call, rules));
}

/// A call's place among those that wait: 1 is next.
#[must_use]
pub fn position(call: &Call, waiting: &[Call], rules: &Rules) -> u32 {
    let own = rank(call, rules);
    let ahead = waiting.iter().filter(|other| other.state == State::Queued && rank(other, rules) < own).count();
    u32::try_from(ahead).unwrap_or(u32::MAX).saturating_add(1)
}

/// Pairs queued calls with officers who have none. Each call in turn takes the longest-free officer who has not passed
/// on it in this round; if all have, whoever may be asked again.
#[must_use]
pub fn pair(calls: &[Call], officers: &[Officer], rules: &Rules, now: DateTime<Utc>) -> Vec<Pair> {
    let mut calls: Vec<&Call> = calls.iter().filter(|call| call.state == State::Queued).collect();
    calls.sort_by_cached_key(|call| rank(call, rules));
    let mut free: Vec<&Officer> = officers.iter().filter(|officer| officer.is_free(now)).collect();
    free.sort_by(|a, b| (a.free_since, &a.id).cmp(&(b.free_since, &b.id)));

    let mut pairs = Vec::new();
    for call in calls {
        let best =
            free.iter().enumerate().filter_map(|(place, officer)| Some((call.open_to(&officer.id, now)?, place))).min();
        if let Some((_, place)) = best {
            let officer = free.remove(place);
            pairs.push(Pair { call: call.id, officer: officer.id.clone() });
        }
    }
    pairs
}
