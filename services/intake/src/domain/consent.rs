//! What the caller agrees to, refuses and takes back. A refusal and a withdrawal are the same fact: from then on it is
//! not agreed.

use chrono::{DateTime, Utc};
use ids::OfficerId;

use super::{Call, Consent, ConsentKind, Effects, Event, Refusal, State, Update};

impl Call {
    /// Whether this officer has the call, or had it: no one else at the desk speaks for its caller.
    ///
    /// # Errors
    /// They don't, or the desk hasn't said so yet.
    pub fn has_with_it(&self, officer: &OfficerId) -> Result<(), Refusal> {
        match &self.state {
            State::WithDesk(desk) | State::Closed { desk, .. } if desk.officer.as_ref() == Some(officer) => Ok(()),
            _ => Err(Refusal::NotYours),
        }
    }

    /// Takes consents, given, refused or taken back; each is kept and published even if it changes nothing. Nobody has to
    /// be asked before they may say no, so only a yes needs the triage.
    ///
    /// Once nothing is left that an answer could act on it is refused, whichever it is: whoever was told that it is
    /// recorded would believe that it counts. Where they are can be looked at after the call as well, so of that they may
    /// always change their mind.
    ///
    /// # Errors
    /// Triage comes first, or the call is over for good.
    pub fn consent(mut self, consents: &[Consent], now: DateTime<Utc>) -> Result<(Self, Effects), Refusal> {
        if self.is_past_changing() && consents.iter().any(|consent| consent.kind != ConsentKind::Location) {
            return Err(Refusal::Closed);
        }
        let agrees = consents.iter().any(|consent| consent.given);
        if agrees && self.triages == 0 {
            return Err(Refusal::NotTriaged);
        }
        // Until the desk is asked for, a first answer is no news to the control room, which has just written it down.
        let is_asked =
            !matches!(self.state, State::Open | State::Triaged(_) | State::Ineligible { .. } | State::Consented(_));
        let mut changed = vec![];
        for Consent { kind, given, .. } in consents {
            let stood = self.consents.get(*kind);
            self.consents.set(*kind, *given);
            if stood != Some(*given) && (stood.is_some() || is_asked) {
                changed.push(Update::ConsentChanged { consent: *kind, given: *given });
            }
        }
        self.state = match self.state {
            State::Triaged(fit) if agrees => State::Consented(fit),
            other => other,
        };
        // Nobody watches a call that is over.
        let tell = if self.is_over() { vec![] } else { self.tell(now, changed) };
        let recorded = Event::ConsentRecorded { consents: consents.iter().map(|c| (c.kind, c.given)).collect() };
        Ok((self, Effects { publish: vec![recorded], tell }))
    }

    /// No officer has it, and none will. A call that was taken back may turn out to have been quicker.
    fn is_past_changing(&self) -> bool {
        matches!(self.state, State::Closed { .. } | State::Returned { .. } | State::Cancelled { confirmed: true })
    }
}
