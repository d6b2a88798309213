//! One round of the desk: what it does by itself whenever something has changed, or time has passed.

use chrono::{DateTime, Utc};
use ids::CallId;

use super::{Call, Matching, Pair, Present, Rules, Step, pair};

/// What a round comes to, to be performed in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// What waited and is now on offer, in the order in which calls are served.
    pub offered: Vec<Step>,
    /// Calls that ask for skills and get, or would have to take, an officer without.
    pub without_skill: Vec<CallId>,
    /// What goes back to the control room.
    pub returned: Vec<Step>,
}

/// Offers what waits to whoever is free. What is still without an offer then goes back if it has waited for too long, or if the
/// desk is closed; what is on offer may still be answered.
#[must_use]
pub fn round(calls: &[Call], present: &Present<'_>, is_open: bool, rules: &Rules, now: DateTime<Utc>) -> Round {
    let Matching { pairs, without_skill } = pair(calls, present, rules, now);
    let offer = |Pair { call, officer }: &Pair| {
        let call = calls.iter().find(|one| one.id == *call)?;
        Some(call.clone().offer(officer.clone(), now, rules))
    };
    let offered: Vec<Step> = pairs.iter().filter_map(offer).collect();
    let left = calls.iter().filter(|call| !pairs.iter().any(|pair| pair.call == call.id)).cloned();
    let returned = left.filter_map(|call| if is_open { call.overdue(now) } else { call.closed() }).collect();
    Round { offered, without_skill, returned }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::{
            Published, Risk, State, Why,
            tests::{RULES, at, call_id, free, officer, queued},
        },
        *,
    };

    fn ids(steps: &[Step]) -> Vec<CallId> {
        steps.iter().map(|step| step.call.id).collect()
    }

    fn held(calls: &[Call], idle: &[super::super::Officer], is_open: bool, now: i64) -> Round {
        round(calls, &Present { idle, busy: &[] }, is_open, &RULES, at(now))
    }

    #[test]
    fn what_nobody_is_free_for_goes_back_when_its_time_is_over_and_what_is_on_offer_stays() {
        // Of high risk a call waits for 600 s.
        let [late, later, on_offer] = [1, 2, 3].map(|n| queued(n, Risk::High, 0));
        let on_offer = on_offer.offer(officer(9), at(590), &RULES).call;
        let soon = queued(4, Risk::High, 300);
        let calls = [soon.clone(), on_offer.clone(), later.clone(), late.clone()];
        let came = held(&calls, &[free(1, 0)], true, 600);
        assert_eq!(ids(&came.offered), [late.id], "the first in the queue is not overdue: somebody is free for it");
        assert_eq!(came.offered[0].call.officer(), Some(&officer(1)));
        assert_eq!(ids(&came.returned), [later.id], "one too few");
        assert_eq!(came.returned[0].published, Some(Published::Returned { why: Why::WaitLimit, officer: None }));
        // Again, with what the round has made of them: nothing more is to be done.
        let after: Vec<Call> =
            came.offered.iter().chain(&came.returned).map(|step| step.call.clone()).chain([soon, on_offer]).collect();
        assert_eq!(held(&after, &[], true, 600), Round::default());
    }

    #[test]
    fn a_closed_desk_still_gives_calls_to_who_is_there_and_no_others_wait() {
        let calls = [queued(1, Risk::High, 0), queued(2, Risk::High, 1)];
        let came = held(&calls, &[free(1, 0)], false, 2);
        assert_eq!((ids(&came.offered), ids(&came.returned)), (vec![call_id(1)], vec![call_id(2)]));
        assert_eq!(came.returned[0].call.state, State::Returned { why: Why::DeskClosed, officer: None });
    }
}
