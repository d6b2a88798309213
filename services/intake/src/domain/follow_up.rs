//! A follow-up: an officer has rung the caller of an earlier call back, has asked them anew, and has them on the phone. It is a call
//! of its own, for what a session was had about has its exhibit, and that is sealed.

use chrono::{DateTime, Utc};
use ids::{CallId, OfficerId};

use super::{Answers, Assessment, Call, Consent, Effects, Event, Occasion, Refusal, Rules, State};

/// What the officer who rang has asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// Who.
    pub officer: OfficerId,
    /// Whether it is safe now, and what is as it was found last.
    pub answers: Answers,
    /// What the caller agrees to now. What they agreed to before doesn't count.
    pub consents: Vec<Consent>,
}

impl Call {
    /// The first of the calls that belong together.
    #[must_use]
    pub fn first(&self) -> CallId {
        self.follow_up_of.unwrap_or(self.id)
    }

    /// Begins a further call of this one's caller, and asks for the desk. It is judged by the same rules as any, and nothing of it
    /// is skipped: triage, consents, and the refusal to ask for the desk without them.
    ///
    /// # Errors
    /// This one isn't closed; or the new one may not come to the desk: not eligible, or no consent to video.
    pub fn follow_up(
        &self,
        id: CallId,
        rung: &Rung,
        rules: &Rules,
        now: DateTime<Utc>,
    ) -> Result<(Self, Assessment, Effects), Refusal> {
        if !matches!(self.state, State::Closed { .. }) {
            return Err(Refusal::NotOver);
        }
        let (call, _) = Self::open(id, self.force.clone(), self.line, self.incident.clone(), now);
        let call = Self { follow_up_of: Some(self.first()), ..call };
        let (call, assessment) = call.triage(&rung.answers, &rung.occasion(), rules)?;
        let (call, consented) = call.consent(&rung.consents, now)?;
        let (call, requested) = call.request_for(Some(rung.officer.clone()))?;
        let (line, incident, follow_up_of) = (call.line, call.incident.clone(), call.follow_up_of);
        let opened = Event::CallOpened { line, incident, follow_up_of };
        let started = Event::FollowUpStarted { first: self.first(), officer: rung.officer.clone() };
        // First that it is one: whoever hears of its consents and of the desk knows by then.
        let publish = [opened, started].into_iter().chain(consented.publish).chain(requested.publish).collect();
        let tell = consented.tell.into_iter().chain(requested.tell).collect();
        Ok((call, assessment, Effects { publish, tell }))
    }
}

impl Rung {
    /// Who took its triage.
    #[must_use]
    pub fn occasion(&self) -> Occasion {
        Occasion { reason: None, taken_by: Some(self.officer.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{accepted, answers, ended, now, opened, requested, rules, seal, video},
        *,
    };
    use crate::domain::{ForceUpdate, Reason, Route, Verdict};

    fn rung(given: bool) -> Rung {
        Rung { officer: "PC1".parse().unwrap(), answers: answers(false, false), consents: vec![video(given)] }
    }

    fn id(n: u128) -> CallId {
        uuid::Uuid::from_u128(n).into()
    }

    fn closed() -> Call {
        requested().hear(accepted(), now()).0.hear(ended(), now()).0.hear_sealed(seal(1), now()).0
    }

    #[test]
    fn a_follow_up_is_a_call_of_its_own_that_asks_for_the_desk_and_for_its_officer() {
        let first = closed();
        let (call, assessment, effects) = first.follow_up(id(8), &rung(true), &rules(), now()).unwrap();
        assert!(matches!(call.state, State::TransferRequested(_)));
        assert_eq!((call.follow_up_of, &call.incident, call.line), (Some(first.id), &first.incident, first.line));
        assert_eq!(
            (call.seal.as_ref(), call.told, call.consents.recording),
            (None, 0, None),
            "nothing is carried over"
        );
        assert_eq!((assessment.version, assessment.verdict), (1, Verdict::Eligible(Route::SpokenCode)));
        let [opened, started, consented, asked] = effects.publish.as_slice() else { panic!("{effects:?}") };
        assert!(matches!(opened, Event::CallOpened { follow_up_of, .. } if *follow_up_of == Some(first.id)));
        let officer: OfficerId = "PC1".parse().unwrap();
        assert_eq!(*started, Event::FollowUpStarted { first: first.id, officer: officer.clone() });
        assert_eq!(*consented, Event::ConsentRecorded { consents: vec![video(true)] });
        assert!(matches!(asked, Event::TransferRequested { for_officer, .. } if *for_officer == Some(officer)));
        let told = effects.for_force(&call.state);
        assert_eq!(told, [ForceUpdate::Opened { line: first.line, follow_up_of: Some(first.id) }]);

        // Of a follow-up of a follow-up it is the first call that counts.
        let over = call.hear(accepted(), now()).0.hear(ended(), now()).0;
        assert_eq!(over.follow_up(id(9), &rung(true), &rules(), now()).unwrap().0.follow_up_of, Some(first.id));
    }

    #[test]
    fn neither_the_rules_nor_a_no_nor_a_call_that_goes_on_can_be_gone_round() {
        let first = closed();
        let refused = |call: &Call, rung: &Rung| call.follow_up(id(8), rung, &rules(), now()).unwrap_err();
        let danger = Rung { answers: answers(true, false), ..rung(true) };
        assert_eq!(refused(&first, &danger), Refusal::NotEligible(Reason::ImmediateDanger));
        assert_eq!(refused(&first, &rung(false)), Refusal::NoVideoConsent);
        assert_eq!(refused(&first, &Rung { consents: vec![], ..rung(true) }), Refusal::NoVideoConsent);
        let with_desk = requested().hear(accepted(), now()).0;
        let cancelled = requested().cancel_transfer(now()).unwrap().0;
        for call in [opened(), requested(), with_desk, cancelled] {
            assert_eq!(refused(&call, &rung(true)), Refusal::NotOver, "{:?}", call.state);
        }
    }
}
