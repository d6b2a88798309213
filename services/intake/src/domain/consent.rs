//! What the caller agrees to, refuses and takes back. A refusal and a withdrawal are the same fact: from then on it is
//! not agreed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ids::OfficerId;
use serde::{Deserialize, Serialize};

use super::{Call, Effects, Event, Refusal, State, Subject, Update};

/// What a caller can agree to or refuse, each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// To speak by video.
    Video,
    /// To be recorded.
    Recording,
    /// To have stills taken.
    Stills,
    /// To be recorded also while they have covered the call.
    Covered,
    /// That officer and control room look at where they are.
    Location,
    /// That this child is spoken with or seen.
    Child,
    /// To this referral.
    Referral,
}

impl ConsentKind {
    /// It is about one child or one referral, of which there may be several.
    #[must_use]
    pub fn has_subject(self) -> bool {
        matches!(self, Self::Child | Self::Referral)
    }

    /// It can be acted on when the call is over too: where they are is looked at then as well, and referrals are made.
    fn outlives_the_call(self) -> bool {
        matches!(self, Self::Location | Self::Referral)
    }
}

/// One consent, given or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// To what.
    pub kind: ConsentKind,
    /// Which child or referral, of these kinds and no other.
    pub subject: Option<Subject>,
    /// Or refused.
    pub given: bool,
    /// "spoken on the 999 line".
    pub how: String,
}

/// The consents as they stand: `None` was never asked. A refusal counts as much as a yes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consents {
    /// To speak by video.
    pub video: Option<bool>,
    /// To be recorded.
    pub recording: Option<bool>,
    /// To have stills taken.
    pub stills: Option<bool>,
    /// To be recorded also while they have covered the call.
    pub covered: Option<bool>,
    /// That officer and control room look at where they are.
    pub location: Option<bool>,
    /// Each child's and each referral's.
    pub each: Each,
}

/// What was said of each child and of each referral.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Each {
    /// Of these children.
    pub child: BTreeMap<Subject, bool>,
    /// Of these referrals.
    pub referral: BTreeMap<Subject, bool>,
}

impl Consents {
    /// Anything agreed to that the call itself is about.
    #[must_use]
    pub fn any(&self) -> bool {
        [self.video, self.recording, self.stills, self.covered, self.location].contains(&Some(true))
    }

    /// This one, as it stands.
    #[must_use]
    pub fn get(&self, kind: ConsentKind, subject: Option<&Subject>) -> Option<bool> {
        match kind {
            ConsentKind::Video => self.video,
            ConsentKind::Recording => self.recording,
            ConsentKind::Stills => self.stills,
            ConsentKind::Covered => self.covered,
            ConsentKind::Location => self.location,
            ConsentKind::Child => subject.and_then(|child| self.each.child.get(child)).copied(),
            ConsentKind::Referral => subject.and_then(|referral| self.each.referral.get(referral)).copied(),
        }
    }

    fn set(&mut self, Consent { kind, subject, given, .. }: &Consent) {
        let (given, subject) = (*given, subject.clone().map(|subject| (subject, *given)));
        match kind {
            ConsentKind::Video => self.video = Some(given),
            ConsentKind::Recording => self.recording = Some(given),
            ConsentKind::Stills => self.stills = Some(given),
            ConsentKind::Covered => self.covered = Some(given),
            ConsentKind::Location => self.location = Some(given),
            ConsentKind::Child => self.each.child.extend(subject),
            ConsentKind::Referral => self.each.referral.extend(subject),
        }
    }
}

impl Call {
    /// Whether this officer of another force has the call now: of one that is over, given back, or another's,
    /// nothing is left to them.
    #[must_use]
    pub fn is_with_lent(&self, officer: &OfficerId) -> bool {
        matches!(&self.state, State::WithDesk(desk) if !desk.returned && desk.officer.as_ref() == Some(officer))
    }

    /// Whether this officer has the call, or had it: no one else at the desk speaks for its caller.
    ///
    /// # Errors
    /// They don't, or the desk hasn't said so yet.
    pub fn has_with_it(&self, officer: &OfficerId) -> Result<(), Refusal> {
        match &self.state {
            State::WithDesk(desk) | State::Closed { desk, .. } if desk.officer.as_ref() == Some(officer) => Ok(()),
            State::WithDesk(desk) if desk.before.as_ref() == Some(officer) => Ok(()),
            _ => Err(Refusal::NotYours),
        }
    }

    /// Takes consents, given, refused or taken back; each is kept and published even if it changes nothing. Nobody has to
    /// be asked before they may say no, so only a yes needs the triage.
    ///
    /// Once nothing is left that an answer could act on it is refused, whichever it is: whoever was told that it is
    /// recorded would believe that it counts. Of what can be acted on after the call as well they may always change their
    /// mind.
    ///
    /// # Errors
    /// Triage comes first, or the call is over for good.
    pub fn consent(mut self, consents: &[Consent], now: DateTime<Utc>) -> Result<(Self, Effects), Refusal> {
        if self.is_past_changing() && consents.iter().any(|consent| !consent.kind.outlives_the_call()) {
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
        for consent in consents {
            let (kind, subject, given) = (consent.kind, consent.subject.clone(), consent.given);
            let stood = self.consents.get(kind, subject.as_ref());
            self.consents.set(consent);
            if stood != Some(given) && (stood.is_some() || is_asked) {
                changed.push(Update::ConsentChanged { consent: kind, subject, given });
            }
        }
        self.state = match self.state {
            State::Triaged(fit) if self.consents.any() => State::Consented(fit),
            other => other,
        };
        // Nobody watches a call that is over.
        let tell = if self.is_over() { vec![] } else { self.tell(now, changed) };
        let recorded = Event::ConsentRecorded { consents: consents.to_vec() };
        Ok((self, Effects { publish: vec![recorded], tell }))
    }

    /// No officer has it, and none will. A call that was taken back may turn out to have been quicker; one whose caller is to
    /// be rung back may still be an officer's.
    fn is_past_changing(&self) -> bool {
        matches!(
            self.state,
            State::Closed { .. }
                | State::Returned { awaits_call_back: false, .. }
                | State::Cancelled { confirmed: true }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{accepted, ended, now, opened, requested, rules, triaged},
        *,
    };
    use crate::domain::Refusal;

    fn about(kind: ConsentKind, subject: &str, given: bool) -> Consent {
        Consent { kind, subject: Some(Subject::parse(subject).unwrap()), given, how: "spoken".into() }
    }

    #[test]
    fn each_child_and_each_referral_is_agreed_to_and_taken_back_by_itself() {
        use ConsentKind::{Child, Referral};
        let news = |effects: &Effects| {
            let one = |update: &Update| match update {
                Update::ConsentChanged { consent, subject: Some(subject), given } => {
                    (*consent, subject.as_str().to_owned(), *given)
                }
                other => panic!("{other:?}"),
            };
            effects.tell.iter().map(|told| one(&told.update)).collect::<Vec<_>>()
        };
        assert_eq!(opened().consent(&[about(Child, "child-1", true)], now()).unwrap_err(), Refusal::NotTriaged);
        let (call, effects) = triaged().consent(&[about(Child, "child-1", true)], now()).unwrap();
        assert!(matches!(call.state, State::Triaged(_)), "that a child is spoken with is no yes to the call");
        assert!(effects.tell.is_empty(), "a first answer before the desk is asked for is no news");
        assert_eq!(call.request_transfer().unwrap_err(), Refusal::NoVideoConsent);

        let yes = [about(Child, "child-1", true), about(Child, "child-2", true), about(Referral, "child-1", true)];
        let (call, effects) = requested().hear(accepted(), now()).0.consent(&yes, now()).unwrap();
        assert_eq!(news(&effects).len(), 3);
        assert_eq!(effects.publish, [Event::ConsentRecorded { consents: yes.to_vec() }]);
        let (call, effects) = call.consent(&[about(Child, "child-1", false)], now()).unwrap();
        assert_eq!(news(&effects), [(Child, "child-1".to_owned(), false)]);
        let stands = |kind, subject: &str| call.consents.get(kind, Some(&Subject::parse(subject).unwrap()));
        assert_eq!(stands(Child, "child-1"), Some(false));
        assert_eq!(
            (stands(Child, "child-2"), stands(Referral, "child-1")),
            (Some(true), Some(true)),
            "the others stand"
        );
        assert_eq!((stands(Child, "child-3"), call.consents.get(Child, None)), (None, None));
        let kept = serde_json::to_value(&call.consents.each).unwrap();
        assert_eq!(serde_json::from_value::<Each>(kept).unwrap(), call.consents.each);
        assert_eq!(serde_json::from_value::<Each>(serde_json::json!({})).unwrap(), Each::default());

        // Referrals are made when the call is over, and taken back then; no child is spoken with any more.
        let closed = call.hear(ended(), now()).0;
        assert_eq!(closed.clone().consent(&[about(Child, "child-2", false)], now()).unwrap_err(), Refusal::Closed);
        let (_, effects) = closed.consent(&[about(Referral, "IDVA/7", true)], now()).unwrap();
        assert_eq!(news(&effects), [(Referral, "IDVA/7".to_owned(), true)]);
        assert!(rules().instead(crate::domain::Reason::NoConsent).contains("recorded is not needed"));
    }
}
