//! Another officer takes the call over, in the middle of it.
//!
//! The desk names them, and until they have come the one who has the call stays, and commands it: the caller is never alone, and
//! never without somebody who may act for them.

use chrono::{DateTime, Utc};
use ids::OfficerId;

use super::{Fact, Role, Session};

impl Session {
    /// Whether this officer has the call, or is to take it over, and it goes on: all that an officer of another force may
    /// know of it.
    #[must_use]
    pub fn is_with(&self, officer: &OfficerId) -> bool {
        self.is_theirs(officer) && self.ending().is_none()
    }

    /// The same, though it be over.
    #[must_use]
    pub fn is_theirs(&self, officer: &OfficerId) -> bool {
        self.accepted.officer == *officer || self.successor.as_ref() == Some(officer)
    }

    /// The desk has given the call to this officer, who is yet to come. The last one named is who is meant; naming whoever
    /// has it takes back what was said before.
    #[must_use]
    pub fn hand_over_to(mut self, to: OfficerId) -> Self {
        if self.ending().is_none() {
            self.successor = Some(to).filter(|to| *to != self.accepted.officer);
        }
        self
    }

    /// A member of staff comes as the officer: if the call was given to them it is theirs from here on. Whoever had it is sent
    /// away, and so is the new officer from among the onlookers.
    #[must_use]
    pub fn taken_over_by(mut self, staff: &OfficerId, now: DateTime<Utc>) -> (Self, Vec<Fact>) {
        if self.ending().is_some() || self.successor.as_ref() != Some(staff) {
            return (self, Vec::new());
        }
        self.accepted.officer = staff.clone();
        self.successor = None;
        let mut facts = Vec::new();
        for one in &mut self.participants {
            let gives_way = one.role == Role::Officer || one.staff.as_ref() == Some(staff);
            if gives_way && one.removed_at.is_none() {
                one.removed_at = Some(now);
                facts.push(Fact::ParticipantRemoved { participant: one.id, role: one.role });
            }
        }
        (self, facts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::TimeDelta;
    use ids::{IncidentRef, ParticipantId};
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Accepted, EndReason, Illegal, Standing};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn officer(id: &str) -> OfficerId {
        id.parse().unwrap()
    }

    fn who(n: u128) -> ParticipantId {
        Uuid::from_u128(n).into()
    }

    /// A call that `o.one` has and is in, with the caller and, looking on, `o.two`.
    fn session() -> Session {
        let accepted = Accepted {
            call: Uuid::from_u128(1).into(),
            force: "wmp".parse().unwrap(),
            officer: officer("o.one"),
            incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
            recording: true,
            stills: true,
            covered: false,
            silent: None,
        };
        let session = Session::open(Uuid::from_u128(2).into(), accepted, at(0));
        let session = session.arrive(Role::Caller, None, who(3), at(1)).unwrap().0;
        let session = session.arrive(Role::Officer, Some(officer("o.one")), who(4), at(1)).unwrap().0;
        let session = session.arrive(Role::Observer, Some(officer("o.two")), who(5), at(1)).unwrap().0;
        session.admit(who(5), at(1)).unwrap().0
    }

    fn comes(session: Session, id: &str, as_whom: ParticipantId) -> Result<Session, Illegal> {
        session.joined_by(&officer(id), Role::Officer)?;
        let (session, _) = session.taken_over_by(&officer(id), at(9));
        session.arrive(Role::Officer, Some(officer(id)), as_whom, at(9)).map(|(session, ..)| session)
    }

    fn in_it(session: &Session) -> Vec<ParticipantId> {
        session.participants.iter().filter(|one| one.standing().0 == Standing::In).map(|one| one.id).collect()
    }

    #[test]
    fn whoever_has_it_stays_and_commands_until_the_other_has_come() {
        assert_eq!(comes(session(), "o.two", who(6)), Err(Illegal::NotYourCall), "nobody has given it to them");
        let session = session().hand_over_to(officer("o.two"));
        assert_eq!(in_it(&session), [who(3), who(4), who(5)]);
        assert!(session.commanded_by(&officer("o.one")).is_ok() && session.commanded_by(&officer("o.two")).is_err());
        // The page of whoever has it may be loaded anew meanwhile.
        assert_eq!(in_it(&comes(session.clone(), "o.one", who(7)).unwrap()), [who(3), who(4), who(5)]);
        let session = comes(session, "o.two", who(6)).unwrap();
        assert_eq!(in_it(&session), [who(3), who(6)], "neither the one before nor an onlooker any more");
        assert!(session.commanded_by(&officer("o.two")).is_ok() && session.commanded_by(&officer("o.one")).is_err());
        assert_eq!(comes(session.clone(), "o.one", who(8)), Err(Illegal::NotYourCall));
        assert!(session.joined_by(&officer("o.one"), Role::Observer).is_ok());
        assert_eq!(session.joined_by(&officer("o.one@kent"), Role::Observer), Err(Illegal::WrongRole));
    }

    #[test]
    fn the_last_one_named_is_who_is_meant() {
        let twice = session().hand_over_to(officer("o.two")).hand_over_to(officer("o.three"));
        assert_eq!(comes(twice.clone(), "o.two", who(6)), Err(Illegal::NotYourCall));
        assert!(comes(twice.clone(), "o.three", who(6)).is_ok());
        let back = twice.hand_over_to(officer("o.one"));
        assert_eq!((comes(back.clone(), "o.three", who(6)), back.successor), (Err(Illegal::NotYourCall), None));
    }

    #[test]
    fn it_is_with_whoever_has_it_and_whoever_is_to_come_and_over_it_is_with_nobody() {
        let with = |session: &Session| ["o.one", "o.two", "o.three"].map(|id| session.is_with(&officer(id)));
        assert_eq!(with(&session()), [true, false, false]);
        let given = session().hand_over_to(officer("o.two"));
        assert_eq!(with(&given), [true, true, false]);
        assert_eq!(with(&comes(given.clone(), "o.two", who(6)).unwrap()), [false, true, false]);
        assert_eq!(with(&given.end(EndReason::CallerLeft, at(5)).0), [false; 3]);
    }

    #[test]
    fn what_is_over_goes_to_nobody() {
        let over = session().end(EndReason::OfficerEnded, at(5)).0;
        assert_eq!(over.clone().hand_over_to(officer("o.two")), over);
        let given = session().hand_over_to(officer("o.two")).end(EndReason::CallerLeft, at(5)).0;
        assert_eq!(comes(given.clone(), "o.two", who(6)), Err(Illegal::SessionEnded));
        assert_eq!(given.clone().taken_over_by(&officer("o.two"), at(6)), (given, Vec::new()));
    }
}
