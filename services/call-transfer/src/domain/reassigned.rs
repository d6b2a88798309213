//! A sergeant gives a call to a named officer, waiting or in mid-call.

use chrono::{DateTime, Utc};
use ids::OfficerId;

use super::{Call, Offer, Officer, Outcome, Published, Refused, Rules, Settled, State, Step, Wish, later};

impl Call {
    /// Who has it, or has it on offer.
    #[must_use]
    pub fn officer(&self) -> Option<&OfficerId> {
        match &self.state {
            State::Offered(offer) => Some(&offer.officer),
            State::Accepted { officer, .. } => Some(officer),
            State::Queued | State::Ended { .. } | State::Abandoned | State::Returned { .. } => None,
        }
    }

    /// It goes to the named officer. One that waits is offered to them, whoever has it on offer and whether or not they passed
    /// on it; one that an officer has is theirs at once, for somebody must have it. `is_free`: they are at the desk, and have
    /// no call and none on offer.
    ///
    /// # Errors
    /// It is over, it is theirs already, or they aren't free.
    pub fn reassign(
        mut self,
        to: &OfficerId,
        is_free: bool,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> Result<Step, Refused> {
        if self.is_over() {
            return Err(Refused::CallOver);
        }
        if self.officer() == Some(to) {
            return Err(Refused::OfficerHasCall);
        }
        if !is_free {
            return Err(Refused::OfficerNotFree);
        }
        let nth = self.offers;
        self.offers += 1;
        self.passes.retain(|pass| pass.officer != *to);
        let offer = Offer { nth: self.offers, officer: to.clone(), expires_at: later(now, rules.offer_timeout) };
        let settled = |outcome| Some(Settled { nth, outcome, reason: None });
        let (state, settled, published) = match self.state {
            // It has waited since it was queued, whoever answers it in the end.
            State::Accepted { officer: from, at } => {
                let state = State::Accepted { officer: to.clone(), at };
                (state, settled(Outcome::HandedOn), Published::Reassigned { from, to: to.clone() })
            }
            State::Offered(_) => {
                (State::Offered(offer.clone()), settled(Outcome::Withdrawn), Published::Offered(offer))
            }
            _ => (State::Offered(offer.clone()), None, Published::Offered(offer)),
        };
        self.state = state;
        Ok(Step { call: self, settled, published: Some(published), alert: None })
    }
}

impl Officer {
    /// Their call is another's now. They may still be with the caller, so they are offered none before they say so.
    #[must_use]
    pub fn stands_down(mut self) -> Self {
        self.wish = Wish::Away;
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::tests::{RULES, at, officer, queued},
        *,
    };
    use crate::domain::Risk;

    fn given(call: Call, to: u8) -> Result<Step, Refused> {
        call.reassign(&officer(to), true, at(5), &RULES)
    }

    #[test]
    fn a_waiting_call_is_offered_to_the_named_officer_though_they_passed_on_it() {
        let call = queued(1, Risk::High, 0).offer(officer(1), at(0), &RULES).call;
        let call = call.decline(&officer(1), "no".to_owned(), at(1), &RULES).unwrap().call;
        let step = given(call, 1).unwrap();
        let offer = Offer { nth: 2, officer: officer(1), expires_at: at(25) };
        assert_eq!((&step.call.state, &step.settled), (&State::Offered(offer.clone()), &None));
        assert_eq!((step.published, step.call.passes.len()), (Some(Published::Offered(offer)), 0));
        // And away from whoever has it on offer, who can't take it any more.
        let step = given(step.call, 2).unwrap();
        assert_eq!(step.settled, Some(Settled { nth: 2, outcome: Outcome::Withdrawn, reason: None }));
        assert_eq!(step.call.clone().accept(&officer(1), at(6)), Err(Refused::NotOfferedToYou));
        assert!(step.call.accept(&officer(2), at(6)).is_ok());
    }

    #[test]
    fn in_mid_call_it_is_another_s_at_once_and_has_been_answered_when_it_was() {
        let call = queued(1, Risk::High, 0).offer(officer(1), at(0), &RULES).call;
        let step = given(call.accept(&officer(1), at(3)).unwrap().call, 2).unwrap();
        assert_eq!(step.call.state, State::Accepted { officer: officer(2), at: at(3) });
        assert_eq!(step.settled, Some(Settled { nth: 1, outcome: Outcome::HandedOn, reason: None }));
        assert_eq!(step.published, Some(Published::Reassigned { from: officer(1), to: officer(2) }));
        assert_eq!(step.call.clone().hand_back(&officer(1), false), Err(Refused::NotYourCall));
        assert_eq!(given(step.call.clone(), 1).unwrap().call.officer(), Some(&officer(1)), "and back");
        assert_eq!(step.call.end().unwrap().call.state, State::Ended { officer: officer(2) });
    }

    #[test]
    fn what_is_over_theirs_already_or_more_than_they_can_take_goes_to_nobody() {
        let call = queued(1, Risk::High, 0).offer(officer(1), at(0), &RULES).call;
        assert_eq!(given(call.clone(), 1), Err(Refused::OfficerHasCall));
        assert_eq!(call.clone().reassign(&officer(2), false, at(1), &RULES), Err(Refused::OfficerNotFree));
        let accepted = call.clone().accept(&officer(1), at(3)).unwrap().call;
        assert_eq!(given(accepted.clone(), 1), Err(Refused::OfficerHasCall));
        for over in [call.cancel().unwrap().call, accepted.end().unwrap().call] {
            assert_eq!(given(over, 2), Err(Refused::CallOver));
        }
    }
}
