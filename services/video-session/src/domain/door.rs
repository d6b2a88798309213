//! The door: who may guess at it how often, and what becomes of somebody with a right code when too many wrong ones were tried.
//!
//! A right code is never refused because of somebody's wrong ones: whoever wanted to keep a caller out would only have to type. Within
//! the limits it lets in; beyond them whoever has it may have guessed it, so they wait, hear and see nothing, are on the record,
//! and the officer asks on the phone line whether it is them. Within the limits 20 wrong codes a minute are 28,800 a day, times 30
//! callers' codes out at once, over 2^40: under one in a million. Beyond them a guess costs nothing and gains nothing.
//!
//! A guesser who is that lucky has used the code up. The caller is told so, is still on the phone line, and gets a new code at once;
//! with that whoever waits by the old one is turned away.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{ForceId, ParticipantId};

use super::{Fact, Illegal, Participant, Role, Session};

/// What may be used up at once.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// Whom a host lets in, and how many wrong codes it bears.
#[derive(Debug, Clone)]
pub struct Door {
    /// Whose callers; empty: everybody's.
    pub forces: Vec<ForceId>,
    /// Wrong codes a minute, everybody's together, and as many at once.
    pub wrong_a_minute: u32,
}

/// How far everybody's wrong codes have used up what they may: until then. Each adds its share of a minute, so that a minute's worth can
/// be had at once. The later of two clocks counts: what is used up is never given back but by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guesses {
    /// Until when.
    pub spent_until: DateTime<Utc>,
}

impl Door {
    /// Does it let this force's callers in?
    #[must_use]
    pub fn serves(&self, force: &ForceId) -> bool {
        self.forces.is_empty() || self.forces.contains(force)
    }

    /// After one more wrong code. `None`: there may be none, now.
    #[must_use]
    pub fn after_wrong(&self, guesses: Guesses, now: DateTime<Utc>) -> Option<Guesses> {
        let share = TimeDelta::microseconds(60_000_000_i64.checked_div(self.wrong_a_minute.into())?);
        let spent_until = guesses.spent_until.max(now) + share;
        (spent_until <= now + WINDOW).then_some(Guesses { spent_until })
    }
}

impl Session {
    /// Somebody comes by a right code while so many wrong ones are tried that it may be a guess. Others than the caller wait anyway; the
    /// caller does now. For who is in the call nothing changes.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn arrive_in_doubt(
        self,
        role: Role,
        fresh: ParticipantId,
        now: DateTime<Utc>,
    ) -> Result<(Self, ParticipantId, Vec<Fact>), Illegal> {
        if role != Role::Caller {
            return self.arrive(role, None, fresh, now);
        }
        self.open_still()?;
        let (mut session, facts) = self.turn_away_waiting_caller(now);
        session.participants.push(Participant::arriving(fresh, role, None, now));
        Ok((session, fresh, facts))
    }

    /// A newer code is out, or was used: whoever waits by the one before has no more to wait for.
    pub(super) fn turn_away_waiting_caller(mut self, now: DateTime<Utc>) -> (Self, Vec<Fact>) {
        let waits =
            |one: &&mut Participant| one.role == Role::Caller && one.admitted_at.is_none() && one.removed_at.is_none();
        let turn_away = |one: &mut Participant| {
            one.removed_at = Some(now);
            Fact::ParticipantRemoved { participant: one.id, role: one.role }
        };
        let facts = self.participants.iter_mut().filter(waits).map(turn_away).collect();
        (self, facts)
    }

    /// The caller who is in gives way to one whom the officer lets in, and whose page shows the call.
    pub(super) fn give_way(self, now: DateTime<Utc>) -> Result<(Self, Vec<Fact>), Illegal> {
        let (session, removed) = match self.in_role(Role::Caller).map(|caller| caller.id) {
            Some(before) => self.remove(before, now)?,
            None => (self, Vec::new()),
        };
        let (session, uncovered) = session.uncover(now);
        Ok((session, [removed, uncovered].concat()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ids::{CallId, IncidentRef, SessionId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Accepted, Standing, State, Tap, Way};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn person(number: u128) -> ParticipantId {
        ParticipantId::from(Uuid::from_u128(number))
    }

    fn session() -> Session {
        let accepted = Accepted {
            call: CallId::from(Uuid::from_u128(1)),
            force: "wmp".parse().unwrap(),
            officer: "o.one".parse().unwrap(),
            incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
            recording: true,
            stills: true,
            covered: true,
            silent: None,
        };
        Session::open(SessionId::from(Uuid::from_u128(2)), accepted, at(0))
    }

    fn door() -> Door {
        Door { forces: Vec::new(), wrong_a_minute: 20 }
    }

    #[test]
    fn a_days_guessing_is_hopeless() {
        let (door, mut guesses, mut within) = (door(), Guesses { spent_until: at(-86_400) }, 0_u64);
        for second in 0..86_400 {
            for _ in 0..5 {
                if let Some(next) = door.after_wrong(guesses, at(second)) {
                    (guesses, within) = (next, within + 1);
                }
            }
        }
        assert!((28_800..=28_820).contains(&within), "{within}");
        assert!((within * 30) as f64 / 2_f64.powi(40) < 1e-6);
        assert_eq!(Door { wrong_a_minute: 0, ..door }.after_wrong(guesses, at(90_000)), None);
    }

    proptest! {
        /// Clocks that differ, and go back, give nobody more: of the time from the first to the last, and a minute.
        #[test]
        fn no_clock_gives_any_back(nows in prop::collection::vec(0_i64..600, 1..200)) {
            let (door, mut guesses, mut within) = (door(), Guesses { spent_until: at(0) }, 0);
            for now in &nows {
                if let Some(next) = door.after_wrong(guesses, at(*now)) {
                    prop_assert!(next.spent_until > guesses.spent_until);
                    (guesses, within) = (next, within + 1);
                }
            }
            prop_assert!(within <= 20 + nows.iter().max().unwrap() / 3);
        }
    }

    #[test]
    fn a_host_serves_its_own_forces_or_all() {
        let (ours, other): (ForceId, ForceId) = ("wmp".parse().unwrap(), "kent".parse().unwrap());
        assert!(door().serves(&ours) && door().serves(&other));
        let own = Door { forces: vec![ours.clone()], ..door() };
        assert!(own.serves(&ours) && !own.serves(&other));
    }

    #[test]
    fn whoever_may_have_guessed_waits_and_changes_nothing_until_they_are_let_in() {
        let (session, real, _) = session().arrive(Role::Caller, None, person(3), at(1)).unwrap();
        let (session, _) = session.tap(real, Tap::Away, 1, at(2)).unwrap();
        let (waits, doubtful, facts) = session.clone().arrive_in_doubt(Role::Caller, person(4), at(3)).unwrap();
        assert!(facts.is_empty() && doubtful != real);
        assert_eq!(waits.participant(doubtful).unwrap().standing(), (Standing::Waiting, at(3)));
        assert_eq!((waits.cover, waits.in_role(Role::Caller).map(|one| one.id)), (session.cover, Some(real)));
        assert_eq!(waits.clone().publish(doubtful).unwrap_err(), Illegal::NotAdmitted);
        assert_eq!(waits.may_watch(doubtful, real), Err(Illegal::NotAdmitted));
        assert_eq!(waits.may_write(doubtful), Err(Illegal::NotAdmitted));

        let (admitted, facts) = waits.admit(doubtful, at(4)).unwrap();
        let (participant, role) = (doubtful, Role::Caller);
        let gone = Fact::ParticipantRemoved { participant: real, role };
        let open = Fact::CoverChanged { covered: false };
        assert_eq!(facts, [gone, open, Fact::ParticipantAdmitted { participant, role }]);
        assert_eq!(admitted.in_role(role).map(|one| one.id), Some(doubtful));
        assert_eq!(admitted.state, State::Invited, "nobody has been seen yet");
    }

    #[test]
    fn a_newer_code_turns_away_whoever_waits_by_the_one_before() {
        let (waits, guesser, _) = session().arrive_in_doubt(Role::Caller, person(3), at(1)).unwrap();
        let (session, _, facts) = waits.clone().invite(Role::Caller, Way::SpokenCode, at(2)).unwrap();
        assert_eq!(session.participant(guesser).unwrap().standing(), (Standing::Removed, at(2)));
        assert_eq!(facts[0], Fact::ParticipantRemoved { participant: guesser, role: Role::Caller });
        let (session, real, _) = session.arrive(Role::Caller, None, person(4), at(3)).unwrap();
        assert_eq!(session.participant(real).unwrap().standing().0, Standing::In);
        // And whoever comes, comes instead.
        let (both, other, _) = waits.arrive_in_doubt(Role::Caller, person(5), at(4)).unwrap();
        assert_eq!(both.participant(guesser).unwrap().standing().0, Standing::Removed);
        assert_eq!(both.participant(other).unwrap().standing().0, Standing::Waiting);
        let (helped, helper, _) = both
            .invite(Role::Supporter, Way::SpokenCode, at(5))
            .unwrap()
            .0
            .arrive_in_doubt(Role::Supporter, person(6), at(6))
            .unwrap();
        assert!([other, helper].iter().all(|one| helped.participant(*one).unwrap().standing().0 == Standing::Waiting));
    }
}
