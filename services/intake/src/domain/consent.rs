//! What the caller agrees to, refuses and takes back. A refusal and a withdrawal are the same fact: from then on it is
//! not agreed.

use chrono::{DateTime, Utc};

use super::{Call, Consent, Effects, Event, Refusal, State, Update};

impl Call {
    /// Takes consents, given or refused. From the triage on always: a caller may change their mind at any time.
    ///
    /// # Errors
    /// Triage comes first.
    pub fn consent(self, consents: &[Consent], now: DateTime<Utc>) -> Result<(Self, Effects), Refusal> {
        if self.triages == 0 {
            return Err(Refusal::NotTriaged);
        }
        Ok(self.agree(consents, now))
    }

    /// Takes a consent back: whether it was given until now, and the same fact as a refusal, kept and published even if
    /// it changes nothing. Before the triage too: nobody has to be asked before they may say no.
    ///
    /// # Errors
    /// The session is over: nothing is left that it could stop.
    pub fn withdraw(self, consent: &Consent, now: DateTime<Utc>) -> Result<(Self, bool, Effects), Refusal> {
        if matches!(self.state, State::Closed { .. }) {
            return Err(Refusal::Closed);
        }
        let was_given = self.consents.get(consent.kind) == Some(true);
        let (call, effects) = self.agree(std::slice::from_ref(consent), now);
        Ok((call, was_given, effects))
    }

    fn agree(mut self, consents: &[Consent], now: DateTime<Utc>) -> (Self, Effects) {
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
            State::Triaged(fit) => State::Consented(fit),
            other => other,
        };
        // Nobody watches a call that is over.
        let tell = if self.is_over() { vec![] } else { self.tell(now, changed) };
        let recorded = Event::ConsentRecorded { consents: consents.iter().map(|c| (c.kind, c.given)).collect() };
        (self, Effects { publish: vec![recorded], tell })
    }
}
