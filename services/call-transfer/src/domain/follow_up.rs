//! A follow-up: an officer has rung the caller of an earlier call, and has them on the phone.

use chrono::{DateTime, Utc};
use ids::{CallId, OfficerId};

use super::{Call, Officer, Published, State, Step};

/// What makes a call a follow-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// The first call of the same caller.
    pub of: CallId,
    /// Who has rung them.
    pub officer: OfficerId,
}

impl Call {
    /// It is its officer's at once, without an offer: they have spoken with the caller already. Anything but a queued follow-up
    /// stays as it is.
    #[must_use]
    pub fn to_who_rang(mut self, now: DateTime<Utc>) -> Step {
        let officer = match (&self.state, &self.facts.follow_up) {
            (State::Queued, Some(follow_up)) => follow_up.officer.clone(),
            _ => return Step { call: self, settled: None, published: None, alert: None },
        };
        self.state = State::Accepted { officer: officer.clone(), at: now };
        Step { call: self, settled: None, published: Some(Published::Accepted(officer)), alert: None }
    }

    /// Whether this officer is one for it. Of a follow-up that is who has rung its caller, as long as they are among those who
    /// are, or will be, free and have not passed on it; otherwise whoever has the skills that it asks for.
    pub(super) fn is_for<'a>(&self, officer: &Officer, mut there: impl Iterator<Item = &'a Officer>) -> bool {
        match &self.facts.follow_up {
            Some(FollowUp { officer: who_rang, .. })
                if !self.was_passed_on_by(who_rang) && there.any(|one| one.id == *who_rang) =>
            {
                officer.id == *who_rang
            }
            _ => self.facts.suits(&officer.skills),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::tests::{RULES, at, call_id, free, officer, queued},
        *,
    };
    use crate::domain::{Matching, Pair, Present, Risk, pair};

    fn follow_up(of: u8) -> Call {
        let mut call = queued(1, Risk::High, 0);
        call.facts.follow_up = Some(FollowUp { of: call_id(9), officer: officer(of) });
        call
    }

    fn matched(call: &Call, idle: &[Officer], busy: &[Officer], now: i64) -> Matching {
        pair(std::slice::from_ref(call), &Present { idle, busy }, &RULES, at(now))
    }

    fn to(who: u8) -> Vec<Pair> {
        vec![Pair { call: call_id(1), officer: officer(who) }]
    }

    #[test]
    fn who_rang_has_it_without_an_offer_and_nobody_has_what_is_no_follow_up_or_waits_no_more() {
        let step = follow_up(1).to_who_rang(at(3));
        assert_eq!(step.call.state, State::Accepted { officer: officer(1), at: at(3) });
        assert_eq!((step.published, step.call.offers), (Some(Published::Accepted(officer(1))), 0));
        let plain = queued(1, Risk::High, 0);
        assert_eq!(plain.clone().to_who_rang(at(3)).call, plain);
        let over = follow_up(1).cancel().unwrap().call;
        assert_eq!(over.clone().to_who_rang(at(3)).published, None);
    }

    #[test]
    fn one_that_has_to_wait_is_kept_for_who_rang_while_they_will_come_and_then_is_anybody_s() {
        let call = follow_up(1);
        let soft = (call.waits.softens_at - at(0)).num_seconds();
        // Free: before one who has been free for longer.
        assert_eq!(matched(&call, &[free(2, 0), free(1, 5)], &[], 6).pairs, to(1));
        // In another call after which they come: kept for them, but no longer than for a skill.
        assert_eq!(matched(&call, &[free(2, 0)], &[free(1, 0)], 6), Matching::default());
        let late = matched(&call, &[free(2, 0)], &[free(1, 0)], soft);
        assert_eq!((late.pairs, late.without_skill), (to(2), vec![]), "an officer with every skill is not without one");
        // To whoever can speak with the child then, though another has been free for longer.
        let mut with_child = call.clone();
        with_child.facts.child_may_speak = true;
        let mut trained = free(3, 5);
        trained.skills.child_trained = true;
        let late = matched(&with_child, &[free(2, 0), trained], &[free(1, 0)], soft);
        assert_eq!((late.pairs, late.without_skill), (to(3), vec![]));
        // They have gone, or have passed on it.
        assert_eq!(matched(&call, &[free(2, 0)], &[], 6).pairs, to(2));
        let passed = call.offer(officer(1), at(0), &RULES).call;
        let passed = passed.decline(&officer(1), "no".to_owned(), at(1), &RULES).unwrap().call;
        assert_eq!(matched(&passed, &[free(2, 0)], &[free(1, 0)], 6).pairs, to(2));
    }
}
