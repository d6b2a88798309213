//! The machine under random commands, duplicates and late facts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

#[derive(Debug, Clone)]
enum Command {
    Admit(Role),
    Invite,
    Publish(Role),
    Flows(Role, u32),
    Stops(Role, u32),
    Restart,
    End(EndReason),
    Wait(i64),
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Caller), Just(Role::Officer)]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => role().prop_map(Command::Admit),
        1 => Just(Command::Invite),
        4 => role().prop_map(Command::Publish),
        6 => (role(), 0_u32..5).prop_map(|(role, n)| Command::Flows(role, n)),
        4 => (role(), 0_u32..5).prop_map(|(role, n)| Command::Stops(role, n)),
        1 => Just(Command::Restart),
        1 => prop_oneof![Just(EndReason::OfficerEnded), Just(EndReason::BothGone)].prop_map(Command::End),
        3 => (0_i64..90).prop_map(Command::Wait),
    ]
}

fn session() -> Session {
    let accepted = Accepted {
        call: CallId::from(Uuid::from_u128(1)),
        force: "wmp".parse().unwrap(),
        officer: "o.one".parse().unwrap(),
        incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
        recording: true,
    };
    Session::open(SessionId::from(Uuid::from_u128(2)), accepted, at(0))
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn person(role: Role) -> ParticipantId {
    ParticipantId::from(Uuid::from_u128(match role {
        Role::Caller => 10,
        Role::Officer => 11,
    }))
}

fn rank(state: State) -> u8 {
    match state {
        State::Invited => 0,
        State::Joined => 1,
        State::Live => 2,
        State::Ended(_) => 3,
    }
}

const PATIENCE: Patience = Patience { both_gone: TimeDelta::seconds(60), never_came: TimeDelta::minutes(15) };

proptest! {
    #[test]
    fn whatever_comes(commands in prop::collection::vec(command(), 0..60)) {
        let mut session = session();
        let (mut second, mut tracks, mut joined) = (0, HashSet::new(), 0);
        let (mut there, mut caller_came) = (HashSet::new(), false);
        for command in commands {
            let before = session.clone();
            let result = match command {
                Command::Wait(seconds) => {
                    second += seconds;
                    Ok((before.clone(), Vec::new()))
                }
                Command::Admit(role) => before.clone().admit(role, person(role)).map(|(next, _)| (next, Vec::new())),
                Command::Invite => before.invite(at(second)).map(|(_, facts)| (before.clone(), facts)),
                Command::Publish(role) => before.clone().publish(person(role)).map(|(next, track)| {
                    assert!(tracks.insert(track), "a track name came twice");
                    (next, Vec::new())
                }),
                Command::Flows(role, n) => before.clone().media_flows(person(role), n),
                Command::Stops(role, n) => before.clone().media_stops(person(role), n, at(second)),
                Command::Restart => Ok(before.clone().all_lost(at(second))),
                Command::End(reason) => Ok((before.clone().end(reason, at(second)).0, Vec::new())),
            };
            let Ok((after, facts)) = result else { continue };
            for fact in &facts {
                match fact {
                    Fact::CallerJoined => joined += 1,
                    Fact::ParticipantJoined { participant, .. } => prop_assert!(there.insert(*participant)),
                    Fact::ParticipantLeft { participant, .. } => prop_assert!(there.remove(participant)),
                    Fact::InvitationIssued { .. } => prop_assert!(!there.contains(&person(Role::Caller))),
                }
            }
            caller_came |= there.contains(&person(Role::Caller));
            prop_assert!(rank(after.state) >= rank(before.state), "the state went back");
            if let Some(ending) = before.ending() {
                prop_assert_eq!(after.ending(), Some(ending), "an ending is for good");
            }
            prop_assert_eq!(joined, usize::from(caller_came), "CallerJoined once, when the caller first came");
            prop_assert_eq!(after.gives_up_at(PATIENCE).is_some(), there.is_empty() && after.ending().is_none());
            session = after;
        }
    }
}

fn both_there() -> Session {
    let (session, officer) = session().admit(Role::Officer, person(Role::Officer)).unwrap();
    let (session, caller) = session.admit(Role::Caller, person(Role::Caller)).unwrap();
    let (session, _) = session.publish(officer).unwrap();
    let (session, track) = session.publish(caller).unwrap();
    assert_eq!(track.as_str(), "caller-1");
    let (session, _) = session.media_flows(officer, 1).unwrap();
    assert_eq!(session.state, State::Invited, "the officer alone is nobody's joining");
    let (session, facts) = session.media_flows(caller, 1).unwrap();
    assert_eq!(session.state, State::Live);
    assert!(facts.contains(&Fact::CallerJoined));
    session
}

#[test]
fn a_late_stop_of_the_old_publication_is_not_the_end_of_the_new_one() {
    let caller = person(Role::Caller);
    let (session, track) = both_there().publish(caller).unwrap();
    assert_eq!(track.as_str(), "caller-2");
    let (session, facts) = session.media_flows(caller, 2).unwrap();
    assert_eq!(facts, [], "still the same person, never gone");
    let (session, facts) = session.media_stops(caller, 1, at(5)).unwrap();
    assert_eq!(facts, []);
    assert_eq!(session.in_role(Role::Caller).unwrap().flowing_track().unwrap().as_str(), "caller-2");
}

#[test]
fn a_minute_after_the_last_one_it_gives_up() {
    let (session, _) = both_there().media_stops(person(Role::Caller), 1, at(10)).unwrap();
    assert_eq!(session.gives_up_at(PATIENCE), None, "the officer is there still");
    let (session, _) = session.media_stops(person(Role::Officer), 1, at(20)).unwrap();
    assert_eq!(session.gives_up_at(PATIENCE), Some(at(80)));
    assert!(session.invite(at(30)).is_ok(), "the caller can be asked back");
}

#[test]
fn only_the_officer_who_accepted_commands() {
    assert_eq!(session().commanded_by(&"o.one".parse().unwrap()), Ok(()));
    assert_eq!(session().commanded_by(&"o.two".parse().unwrap()), Err(Illegal::NotYourCall));
    assert!(both_there().invite(at(0)).is_err_and(|error| error == Illegal::CallerAlreadyJoined));
    let (ended, _) = both_there().end(EndReason::OfficerEnded, at(9));
    assert_eq!(ended.clone().publish(person(Role::Caller)), Err(Illegal::SessionEnded));
    assert_eq!(ended.end(EndReason::BothGone, at(99)).1.at, at(9));
}
