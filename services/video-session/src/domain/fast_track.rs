//! Fast-track: the officer asks the control room to send somebody now. What becomes of it is the control room's to say; here it is
//! remembered and shown, and each step is a line of the ledger. Nothing of the call changes.

use chrono::{DateTime, Utc};
use ids::{FastTrackId, OfficerId};

use super::{Fact, Illegal, Session};

/// One time that the officer asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FastTrack {
    /// Its id, in every service.
    pub id: FastTrackId,
    /// Who pressed.
    pub officer: OfficerId,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// How grave it is, as they see it.
    pub risk: Risk,
    /// Why.
    pub cause: Cause,
    /// The number of their last still, if there was one.
    pub still: Option<u32>,
    /// When it was raised again.
    pub raised_again: Vec<DateTime<Utc>>,
    /// That somebody took it on.
    pub taken: Option<Taken>,
    /// So many lines of the ledger are written. Saved by whoever wrote them, and by nobody else.
    pub noted: usize,
}

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the grades of the control room")]
pub enum Risk {
    Standard,
    Medium,
    High,
}

/// Why somebody is to be sent: a word of a list, never free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody is in danger.
    Danger,
    /// Whoever they fear has come back.
    OffenderBack,
    /// Somebody is hurt or ill.
    Medical,
    /// A child is.
    Child,
    /// Anything else.
    Other,
}

/// Somebody in the control room has taken it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Who.
    pub by: String,
    /// Whom they send; empty if that wasn't known.
    pub unit: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// One step of it, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark<'f> {
    /// The officer has pressed.
    Requested,
    /// It was raised for the nth time.
    RaisedAgain {
        /// Which.
        times: usize,
        /// When.
        at: DateTime<Utc>,
    },
    /// Somebody took it on.
    Taken(&'f Taken),
}

impl Risk {
    /// As the database and the ledger spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The grade spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Standard, Self::Medium, Self::High].into_iter().find(|risk| risk.as_str() == text)
    }
}

impl Cause {
    /// As the contract, the database and the ledger spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Danger => "DANGER",
            Self::OffenderBack => "OFFENDER_BACK",
            Self::Medical => "MEDICAL",
            Self::Child => "CHILD",
            Self::Other => "OTHER",
        }
    }

    /// The one spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Danger, Self::OffenderBack, Self::Medical, Self::Child, Self::Other];
        all.into_iter().find(|cause| cause.as_str() == text)
    }
}

impl FastTrack {
    /// How often it was raised.
    #[must_use]
    pub fn times(&self) -> usize {
        1 + self.raised_again.len()
    }

    /// All its steps. More may follow, and none changes.
    #[must_use]
    pub fn trail(&self) -> Vec<Mark<'_>> {
        let again = self.raised_again.iter().zip(2..).map(|(at, times)| Mark::RaisedAgain { times, at: *at });
        let taken = self.taken.as_ref().map(Mark::Taken);
        std::iter::once(Mark::Requested).chain(again).chain(taken).collect()
    }

    /// The steps that aren't in the ledger yet.
    #[must_use]
    pub fn unnoted(&self) -> Vec<Mark<'_>> {
        self.trail().split_off(self.noted.min(self.trail().len()))
    }
}

impl Session {
    /// The officer asks for somebody to be sent. While nobody has taken it on, the same again is the same one: a frightened hand
    /// presses more than once.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn ask_for_unit(
        mut self,
        fresh: FastTrackId,
        officer: OfficerId,
        (risk, cause): (Risk, Cause),
        now: DateTime<Utc>,
    ) -> Result<(Self, FastTrack, Vec<Fact>), Illegal> {
        self.open_still()?;
        let same = |one: &&FastTrack| one.taken.is_none() && (one.risk, one.cause) == (risk, cause);
        if let Some(known) = self.fast_tracks.iter().find(same).cloned() {
            return Ok((self, known, Vec::new()));
        }
        let still = Some(self.stills_taken).filter(|taken| *taken > 0);
        let fast_track = FastTrack {
            id: fresh,
            officer,
            requested_at: now,
            risk,
            cause,
            still,
            raised_again: Vec::new(),
            taken: None,
            noted: 0,
        };
        self.fast_tracks.push(fast_track.clone());
        let asked = Fact::FastTrackRequested { fast_track: fast_track.clone() };
        Ok((self, fast_track, vec![asked]))
    }

    /// The control room has been told for the nth time. What was heard before, and whatever comes after somebody took it on, changes
    /// nothing.
    #[must_use]
    pub fn unit_asked_again(mut self, id: FastTrackId, times: u32, at: DateTime<Utc>) -> Self {
        if let Some(one) = self.fast_tracks.iter_mut().find(|one| one.id == id)
            && one.taken.is_none()
            && usize::try_from(times).is_ok_and(|times| times > one.times())
        {
            one.raised_again.push(at);
        }
        self
    }

    /// Somebody in the control room has taken it on. Who was first stays.
    #[must_use]
    pub fn unit_sent(mut self, id: FastTrackId, taken: Taken) -> Self {
        if let Some(one) = self.fast_tracks.iter_mut().find(|one| one.id == id) {
            one.taken.get_or_insert(taken);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::TimeDelta;
    use ids::{CallId, IncidentRef, SessionId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Accepted, EndReason};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn session() -> Session {
        let accepted = Accepted {
            call: CallId::from(Uuid::from_u128(1)),
            force: "wmp".parse().unwrap(),
            officer: "o.one".parse().unwrap(),
            incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
            recording: true,
            stills: true,
            covered: false,
            silent: None,
        };
        Session::open(SessionId::from(Uuid::from_u128(2)), accepted, at(0))
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Ask(Cause),
        Again(u128, u32),
        Taken(u128),
        Noted(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let cause = prop_oneof![Just(Cause::Danger), Just(Cause::Medical)];
        prop_oneof![
            1 => cause.prop_map(Step::Ask),
            3 => (0..4_u128, 0..6_u32).prop_map(|(id, times)| Step::Again(id, times)),
            1 => (0..4_u128).prop_map(Step::Taken),
            1 => (0..4_usize).prop_map(Step::Noted),
        ]
    }

    proptest! {
        #[test]
        fn its_trail_only_grows_ends_when_it_is_taken_on_and_touches_nothing_else(
            steps in prop::collection::vec(step(), 0..60),
        ) {
            let mut session = session();
            for (n, step) in steps.into_iter().enumerate() {
                let (before, now) = (session.clone(), at(i64::try_from(n).unwrap()));
                match step {
                    Step::Ask(cause) => {
                        let fresh = Uuid::from_u128(before.fast_tracks.len() as u128).into();
                        let asked = session.ask_for_unit(fresh, "o.one".parse().unwrap(), (Risk::High, cause), now);
                        let (after, one, facts) = asked.unwrap();
                        let stands = before.fast_tracks.iter().find(|one| one.taken.is_none() && one.cause == cause);
                        prop_assert_eq!(stands.is_some(), facts.is_empty());
                        prop_assert_eq!(stands.unwrap_or(&one), &one);
                        session = after;
                    }
                    Step::Again(id, times) => session = session.unit_asked_again(Uuid::from_u128(id).into(), times, now),
                    Step::Taken(id) => {
                        let taken = Taken { by: format!("CH{n}"), unit: String::new(), at: now };
                        session = session.unit_sent(Uuid::from_u128(id).into(), taken);
                    }
                    Step::Noted(lines) => {
                        for one in &mut session.fast_tracks {
                            one.noted = one.noted.max(lines.min(one.trail().len()));
                        }
                    }
                }
                for (one, known) in session.fast_tracks.iter().zip(&before.fast_tracks) {
                    prop_assert!(one.trail().starts_with(&known.trail()), "a line that is written stays true");
                    prop_assert!(known.taken.is_none() || one.trail() == known.trail());
                    prop_assert_eq!(one.unnoted().len(), one.trail().len() - one.noted);
                }
                prop_assert_eq!(Session { fast_tracks: before.fast_tracks.clone(), ..session.clone() }, before);
            }
        }
    }

    #[test]
    fn nobody_is_sent_to_a_call_that_is_over() {
        let over = session().end(EndReason::OfficerEnded, at(1)).0;
        let what = (Risk::High, Cause::Danger);
        let refused = over.ask_for_unit(Uuid::from_u128(1).into(), "o.one".parse().unwrap(), what, at(2));
        assert_eq!(refused.unwrap_err(), Illegal::SessionEnded);
    }
}
