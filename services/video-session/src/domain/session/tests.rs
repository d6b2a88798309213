//! The machine under random commands, duplicates and late facts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{Consents, MOST_PHOTOGRAPHS, Pretext, RecordOrder, Tap};

/// People are named by the order in which they came; whoever doesn't exist is named, too.
#[derive(Debug, Clone)]
enum Command {
    Arrive(Role, Option<u8>),
    Doubtful(Role),
    Admit(usize),
    Remove(usize),
    Invite(Role),
    Publish(usize),
    Watch(usize, usize),
    Flows(usize, u32),
    Stops(usize, u32),
    Restart,
    Record(RecordOrder),
    Consent(Consents),
    Tap(usize, Tap, u32),
    Still(u32),
    Photograph(usize, u32),
    End(EndReason),
    Wait(i64),
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(&Role::ALL)
}

fn command() -> impl Strategy<Value = Command> {
    let who = || 0_usize..12;
    prop_oneof![
        6 => (role(), prop::option::of(0_u8..3)).prop_map(|(role, staff)| Command::Arrive(role, staff)),
        2 => role().prop_map(Command::Doubtful),
        5 => who().prop_map(Command::Admit),
        1 => who().prop_map(Command::Remove),
        1 => role().prop_map(Command::Invite),
        4 => who().prop_map(Command::Publish),
        2 => (who(), who()).prop_map(|(viewer, publisher)| Command::Watch(viewer, publisher)),
        6 => (who(), 0_u32..5).prop_map(|(who, n)| Command::Flows(who, n)),
        4 => (who(), 0_u32..5).prop_map(|(who, n)| Command::Stops(who, n)),
        1 => Just(Command::Restart),
        2 => (0_u32..20).prop_map(Command::Still),
        2 => (who(), 0_u32..25).prop_map(|(who, known)| Command::Photograph(who, known)),
        1 => any::<[Option<bool>; 3]>().prop_map(|[recording, stills, covered]| Command::Consent(Consents { recording, stills, covered, ..Consents::default() })),
        1 => Just(Command::Consent(Consents { video: Some(false), ..Consents::default() })),
        4 => (who(), prop::sample::select(&[Tap::Away, Tap::Back]), 0_u32..9).prop_map(|(who, tap, n)| Command::Tap(who, tap, n)),
        2 => prop::sample::select(&[RecordOrder::Pause, RecordOrder::Resume, RecordOrder::Stop]).prop_map(Command::Record),
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
        stills: true,
        covered: false,
        silent: None,
    };
    Session::open(SessionId::from(Uuid::from_u128(2)), accepted, at(0))
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn person(number: usize) -> ParticipantId {
    ParticipantId::from(Uuid::from_u128(10 + number as u128))
}

fn staff(number: u8) -> OfficerId {
    format!("o.{number}").parse().unwrap()
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

fn is_covered(session: &Session) -> bool {
    session.cover.since.is_some()
}

/// What must be so of any session, and of any step that one takes.
fn check(before: &Session, after: &Session) {
    let count = |wanted: &dyn Fn(&Participant) -> bool| after.participants.iter().filter(|one| wanted(one)).count();
    assert!(count(&|one| one.is_in()) <= MOST_IN);
    for role in [Role::Caller, Role::Officer] {
        assert!(count(&|one| one.role == role && one.is_in()) <= 1);
        assert!(count(&|one| one.role == role && one.standing().0 == Standing::Waiting) <= 1);
    }
    for (was, is) in before.participants.iter().zip(&after.participants) {
        assert_eq!((was.id, was.role, was.came_at), (is.id, is.role, is.came_at), "nobody goes, nobody changes");
        assert!(was.admitted_at.is_none() || was.admitted_at == is.admitted_at, "let in once");
        assert!(was.removed_at.is_none() || was.removed_at == is.removed_at, "sent away once");
        assert!(is.flowing.is_none() || is.admitted_at.is_some() && is.role.publishes(), "media of who wasn't let in");
    }
    assert!(rank(after.state) >= rank(before.state), "the state went back");
    assert!(before.ending().is_none() || after.ending() == before.ending(), "an ending is for good");
    let unsent = before.recording == Recording::Refused && before.participants.iter().all(|one| one.publications == 0);
    assert!(before.recording.is_kept() || unsent || after.recording == before.recording, "a stop is for good");
    assert!(before.ending().is_none() || after.recording == before.recording, "nothing more happens");
    assert!(before.ending().is_none() || after.cover == before.cover, "nor is it covered or uncovered");
    assert!(after.cover.tap >= before.cover.tap, "taps are counted");
    assert!(!is_covered(after) || after.accepted.covered || after.recorded() != Recording::On, "recorded unasked");
    assert!(is_covered(after) || after.recorded() == after.recording, "held for nothing");
    let a_principal_flows = count(&|one| one.role.is_principal() && one.flowing.is_some()) > 0;
    assert_eq!(after.gives_up_at(PATIENCE).is_none(), a_principal_flows || after.ending().is_some());
}

proptest! {
    #[test]
    fn whatever_comes(commands in prop::collection::vec(command(), 0..80)) {
        let mut session = session();
        let (mut second, mut tracks, mut joined) = (0, HashSet::new(), 0);
        let (mut there, mut admitted, mut removed) = (HashSet::new(), HashSet::new(), HashSet::new());
        let mut caller_came = false;
        for command in commands {
            let before = session.clone();
            let now = at(second);
            let stands = |who: usize| before.participant(person(who)).map(|one| (one.role, one.standing().0));
            let result = match command {
                Command::Wait(seconds) => {
                    second += seconds;
                    Ok((before.clone(), Vec::new()))
                }
                Command::Arrive(role, number) => {
                    let fresh = person(before.participants.len());
                    let came = before.clone().arrive(role, number.map(staff), fresh, now);
                    came.map(|(next, who, facts)| {
                        let one = next.participant(who).unwrap();
                        assert!(one.role == role && one.removed_at.is_none());
                        assert!(who == fresh || role.is_principal() || one.staff == number.map(staff));
                        (next, facts)
                    })
                }
                Command::Doubtful(role) => {
                    let fresh = person(before.participants.len());
                    before.clone().arrive_in_doubt(role, fresh, now).map(|(next, who, facts)| {
                        assert!(role != Role::Caller || next.participant(who).unwrap().standing().0 == Standing::Waiting);
                        assert_eq!((next.cover, next.in_role(role)), (before.cover, before.in_role(role).or(next.in_role(role))));
                        (next, facts)
                    })
                }
                Command::Admit(who) => before.clone().admit(person(who), now),
                Command::Remove(who) => before.clone().remove(person(who), now),
                Command::Invite(role) => before.clone().invite(role, Way::SpokenCode, now).map(|(next, invitation, facts)| {
                    assert!(invitation.role == role && role.comes_by_code());
                    assert_eq!(next.in_role(Role::Caller), before.in_role(Role::Caller), "who is in stays in");
                    (next, facts)
                }),
                Command::Publish(who) => before.clone().publish(person(who)).map(|(next, track)| {
                    assert!(matches!(stands(who), Ok((role, Standing::In)) if role.publishes()));
                    assert!(tracks.insert(track), "a track name came twice");
                    (next, Vec::new())
                }),
                Command::Watch(viewer, publisher) => before.may_watch(person(viewer), person(publisher)).map(|()| {
                    assert!([viewer, publisher].iter().all(|who| matches!(stands(*who), Ok((_, Standing::In)))));
                    (before.clone(), Vec::new())
                }),
                Command::Flows(who, n) => before.clone().media_flows(person(who), n),
                Command::Stops(who, n) => before.clone().media_stops(person(who), n, now),
                Command::Restart => Ok(before.clone().all_lost(now)),
                Command::Consent(consents) => {
                    let (next, facts) = before.clone().consented(consents, now);
                    let (over, Consents { video, recording, stills, covered }) = (before.ending().is_some(), consents);
                    assert!(over || covered.is_none_or(|covered| next.accepted.covered == covered));
                    assert!(over || stills.is_none_or(|stills| next.accepted.stills == stills));
                    assert!(over || recording != Some(false) || !next.recording.is_kept());
                    assert!(over || next.ending().is_some() == (video == Some(false)));
                    Ok((next, facts))
                }
                Command::Record(order) => before.clone().record(order),
                Command::Tap(who, tap, n) => before.clone().tap(person(who), tap, n, now).map(|(next, facts)| {
                    assert_eq!(stands(who), Ok((Role::Caller, Standing::In)));
                    if n > before.cover.tap {
                        assert_eq!((next.cover.since.is_some(), next.cover.tap), (tap == Tap::Away, n), "the newest counts");
                    } else {
                        assert_eq!((&next, facts.len()), (&before, 0), "what was overtaken, and a repeat");
                    }
                    assert_eq!(next.recording, before.recording, "a tap is no order");
                    assert!(tap == Tap::Back || next.recorded() >= before.recorded(), "none records more by covering");
                    (next, facts)
                }),
                Command::Still(known) => before.clone().still(known).map(|(next, number, facts)| {
                    assert!(before.accepted.stills && before.recording.is_kept() && before.ending().is_none());
                    assert!(number > known && number > before.stills_taken, "no number comes twice");
                    (next, facts)
                }),
                Command::Photograph(who, known) => before.photographed_by(person(who)).and_then(|()| {
                    assert_eq!(stands(who), Ok((Role::Caller, Standing::In)));
                    let (next, number, facts) = before.clone().photograph(known)?;
                    assert!(before.accepted.stills && before.recorded() == Recording::On && before.ending().is_none());
                    assert!(number > known && number > before.photographs_taken && number <= MOST_PHOTOGRAPHS);
                    Ok((next, facts))
                }),
                Command::End(reason) => Ok((before.clone().end(reason, now).0, Vec::new())),
            };
            let Ok((after, facts)) = result else { continue };
            for fact in &facts {
                match fact {
                    Fact::CallerJoined => joined += 1,
                    Fact::ParticipantAdmitted { participant, .. } => prop_assert!(admitted.insert(*participant)),
                    Fact::ParticipantRemoved { participant, .. } => prop_assert!(removed.insert(*participant)),
                    Fact::ParticipantJoined { participant, role } => {
                        caller_came |= *role == Role::Caller;
                        prop_assert!(there.insert(*participant));
                    }
                    Fact::ParticipantLeft { participant, .. } => prop_assert!(there.remove(participant)),
                    Fact::InvitationIssued { .. } => {
                        prop_assert!(before.in_role(Role::Caller).is_none_or(|caller| caller.flowing.is_none()));
                    }
                    Fact::StillCaptured { number } => prop_assert_eq!(*number, after.stills_taken),
                    Fact::PhotographTaken { number } => prop_assert_eq!(*number, after.photographs_taken),
                    Fact::RecordingChanged { recording } => prop_assert_eq!(*recording, after.recorded()),
                    Fact::CoverChanged { covered } => prop_assert_eq!(*covered, after.cover.since.is_some()),
                    Fact::DuressRaised { .. } | Fact::DuressSeen { .. } | Fact::FastTrackRequested { .. } => {
                        unreachable!("nobody has asked");
                    }
                }
            }
            let told = |wanted: fn(&Fact) -> bool| facts.iter().filter(|fact| wanted(fact)).count();
            let [recording, covered] = [before.recorded() != after.recorded(), is_covered(&before) != is_covered(&after)];
            prop_assert_eq!(told(|fact| matches!(fact, Fact::RecordingChanged { .. })), usize::from(recording));
            prop_assert_eq!(told(|fact| matches!(fact, Fact::CoverChanged { .. })), usize::from(covered));
            check(&before, &after);
            prop_assert_eq!(joined, usize::from(caller_came), "CallerJoined once, when a caller first came");
            session = after;
        }
    }
}

/// Somebody who comes, and who they are then.
fn came(session: Session, role: Role, number: u8) -> (Session, ParticipantId) {
    let fresh = person(session.participants.len());
    let name = (!role.comes_by_code()).then(|| staff(number));
    let (session, who, _) = session.arrive(role, name, fresh, at(1)).unwrap();
    (session, who)
}

fn both_there() -> (Session, ParticipantId, ParticipantId) {
    let (session, officer) = came(session(), Role::Officer, 0);
    let (session, caller) = came(session, Role::Caller, 0);
    let (session, _) = session.publish(officer).unwrap();
    let (session, track) = session.publish(caller).unwrap();
    assert_eq!(track.as_str(), "caller-1");
    let (session, _) = session.media_flows(officer, 1).unwrap();
    assert_eq!(session.state, State::Invited, "the officer alone is nobody's joining");
    let (session, facts) = session.media_flows(caller, 1).unwrap();
    assert_eq!(session.state, State::Live);
    assert!(facts.contains(&Fact::CallerJoined));
    (session, officer, caller)
}

#[test]
fn a_late_stop_of_the_old_publication_is_not_the_end_of_the_new_one() {
    let (session, _, caller) = both_there();
    let (session, track) = session.publish(caller).unwrap();
    assert_eq!(track.as_str(), "caller-2");
    let (session, facts) = session.media_flows(caller, 2).unwrap();
    assert_eq!(facts, [], "still the same person, never gone");
    let (session, facts) = session.media_stops(caller, 1, at(5)).unwrap();
    assert_eq!(facts, []);
    assert_eq!(session.in_role(Role::Caller).unwrap().flowing_track().unwrap().as_str(), "caller-2");
}

#[test]
fn a_minute_after_the_last_one_it_gives_up_whatever_guests_do() {
    let (session, officer, caller) = both_there();
    let (session, helper) = came(session, Role::Interpreter, 0);
    let (session, _) = session.admit(helper, at(2)).unwrap();
    let (session, _) = session.publish(helper).unwrap();
    let (session, _) = session.media_flows(helper, 1).unwrap();
    let (session, _) = session.media_stops(caller, 1, at(10)).unwrap();
    assert_eq!(session.gives_up_at(PATIENCE), None, "the officer is there still");
    let (session, _) = session.media_stops(officer, 1, at(20)).unwrap();
    assert_eq!(session.gives_up_at(PATIENCE), Some(at(80)));
    assert!(session.clone().invite(Role::Caller, Way::SpokenCode, at(30)).is_ok(), "the caller can be asked back");
}

#[test]
fn only_the_officer_who_accepted_commands() {
    assert_eq!(session().commanded_by(&"o.one".parse().unwrap()), Ok(()));
    assert_eq!(session().commanded_by(&"o.two".parse().unwrap()), Err(Illegal::NotYourCall));
    let (session, officer, caller) = both_there();
    assert_eq!(session.clone().invite(Role::Caller, Way::Sms, at(0)), Err(Illegal::CallerAlreadyJoined));
    assert_eq!(session.clone().invite(Role::Observer, Way::SpokenCode, at(0)), Err(Illegal::WrongRole));
    assert_eq!(
        session.clone().invite(Role::Interpreter, Way::Sms, at(0)),
        Err(Illegal::WrongRole),
        "only the caller is sent a link"
    );
    assert_eq!(session.clone().remove(officer, at(0)), Err(Illegal::OfficerStays));
    let (ended, _) = session.end(EndReason::OfficerEnded, at(9));
    assert_eq!(ended.clone().publish(caller), Err(Illegal::SessionEnded));
    assert_eq!(ended.end(EndReason::BothGone, at(99)).1.at, at(9));
}

#[test]
fn whoever_waits_sees_nothing_and_whoever_was_sent_away_comes_back_as_somebody_new() {
    let (session, officer, caller) = both_there();
    let (session, observer) = came(session, Role::Observer, 1);
    assert_eq!(session.may_watch(observer, caller), Err(Illegal::NotAdmitted));
    assert_eq!(session.may_watch(officer, observer), Err(Illegal::UnknownParticipant));
    let (session, facts) = session.admit(observer, at(3)).unwrap();
    assert_eq!(facts, [Fact::ParticipantAdmitted { participant: observer, role: Role::Observer }]);
    assert_eq!(session.may_watch(observer, caller), Ok(()));
    assert_eq!(session.clone().publish(observer), Err(Illegal::OnlyWatches));
    let (session, same) = came(session, Role::Observer, 1);
    assert_eq!(same, observer, "a page reloaded");

    let (session, _) = session.remove(observer, at(5)).unwrap();
    assert_eq!(session.may_watch(observer, caller), Err(Illegal::Removed));
    assert_eq!(session.clone().admit(observer, at(6)), Err(Illegal::Removed));
    let (session, anew) = came(session, Role::Observer, 1);
    assert_ne!(anew, observer);
    assert_eq!(session.participant(anew).unwrap().standing().0, Standing::Waiting);

    let (session, _) = session.remove(caller, at(7)).unwrap();
    let (session, caller) = came(session, Role::Caller, 0);
    let (_, track) = session.publish(caller).unwrap();
    assert_eq!(track.as_str(), "caller-2", "another row, the same count");
}

#[test]
fn four_guests_and_no_fifth_and_the_caller_still_has_a_place() {
    let (mut session, _) = came(session(), Role::Officer, 0);
    for role in [Role::Interpreter, Role::Interpreter, Role::Supporter, Role::Observer] {
        let (next, guest) = came(session, role, 1);
        session = next.admit(guest, at(2)).unwrap().0;
    }
    let (session, fifth) = came(session, Role::Observer, 2);
    assert_eq!(session.clone().admit(fifth, at(3)), Err(Illegal::Full));
    let (session, caller) = came(session, Role::Caller, 0);
    assert!(session.participant(caller).unwrap().is_in());
    assert_eq!(session.participants.iter().filter(|one| one.is_in()).count(), MOST_IN);
}

#[test]
fn a_pause_for_the_cover_ends_with_it_and_an_officers_does_not() {
    let (session, officer, caller) = both_there();
    assert_eq!(session.clone().tap(officer, Tap::Away, 1, at(5)), Err(Illegal::WrongRole));
    let (covered, facts) = session.tap(caller, Tap::Away, 1, at(5)).unwrap();
    let paused = Fact::RecordingChanged { recording: Recording::Paused };
    assert_eq!(facts, [Fact::CoverChanged { covered: true }, paused]);
    assert_eq!((covered.cover.since, covered.state), (Some(at(5)), State::Live));
    assert_eq!(covered.clone().record(RecordOrder::Resume), Err(Illegal::Covered));
    let (back, _) = covered.clone().tap(caller, Tap::Back, 2, at(6)).unwrap();
    assert_eq!(back.recorded(), Recording::On);
    let (paused, facts) = covered.clone().record(RecordOrder::Pause).unwrap();
    assert_eq!((paused.tap(caller, Tap::Back, 2, at(6)).unwrap().0.recorded(), facts), (Recording::Paused, Vec::new()));
    // They agree to it in the meantime, at the control room.
    let (agreed, facts) = covered.consented(Consents { covered: Some(true), ..Consents::default() }, at(7));
    assert_eq!(facts, [Fact::RecordingChanged { recording: Recording::On }]);
    let (withdrawn, _) = agreed.consented(Consents { covered: Some(false), ..Consents::default() }, at(8));
    assert_eq!(withdrawn.recorded(), Recording::Paused);
}

#[test]
fn whoever_comes_anew_by_a_code_sees_the_call_and_a_reload_does_not() {
    let (session, _, caller) = both_there();
    let (covered, _) = session.tap(caller, Tap::Away, 3, at(5)).unwrap();
    let lost = covered.clone().all_lost(at(6)).0;
    assert!(is_covered(&lost), "another instance takes it over as it is");
    let (removed, facts) = covered.clone().remove(caller, at(6)).unwrap();
    assert!(!is_covered(&removed) && facts.contains(&Fact::CoverChanged { covered: false }));
    let (anew, same, facts) = covered.arrive(Role::Caller, None, person(9), at(7)).unwrap();
    assert_eq!((same, anew.cover.tap, facts[0].clone()), (caller, 4, Fact::CoverChanged { covered: false }));
    let (late, _) = anew.tap(caller, Tap::Away, 4, at(8)).unwrap();
    assert!(!is_covered(&late), "what the page before it said last");
    let agreed = late.agree(Pretext::parse("quiz").unwrap()).unwrap();
    assert_eq!(agreed.cover.pretext.id(), "quiz");
    assert_eq!(agreed.end(EndReason::CallerLeft, at(9)).0.agree(Pretext::default()), Err(Illegal::SessionEnded));
}
