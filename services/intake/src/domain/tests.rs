//! The call machine under random commands, duplicates, and facts that overtake one another.

use ids::ExhibitId;
use proptest::prelude::*;

use super::*;

pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

pub(super) fn opened() -> Call {
    let id = CallId::from(uuid::Uuid::from_u128(7));
    let incident = IncidentRef::parse("2026-11-24", "1123").unwrap();
    Call::open(id, "wmp".parse().unwrap(), Line::Emergency, incident, now()).0
}

pub(super) fn answers(danger: bool, overheard: bool) -> Answers {
    Answers {
        thrive: Thrive::default(),
        device: Device { shared: false, messages_read: false, overheard },
        come_now: None,
        immediate_danger: danger,
        offender_present: false,
        can_join: true,
        can_listen: false,
        risk: Risk::High,
        language: Language::default(),
        children_present: true,
        needs: Needs::default(),
    }
}

pub(super) fn rules() -> Rules {
    Rules::read(include_str!("../../eligibility.toml")).unwrap()
}

fn occasion() -> Occasion {
    Occasion { reason: Some("he has come back".into()), taken_by: Some("CH4411".into()) }
}

pub(super) fn video(given: bool) -> Consent {
    Consent { kind: ConsentKind::Video, subject: None, given, how: "spoken".into() }
}

pub(super) fn triaged() -> Call {
    opened().triage(&answers(false, false), &Occasion::default(), &rules()).unwrap().0
}

pub(super) fn requested() -> Call {
    let (call, _) = triaged().consent(&[video(true)], now()).unwrap();
    call.request_transfer().unwrap().0
}

pub(super) fn seal(n: u8) -> Seal {
    let exhibit = ExhibitId::from(uuid::Uuid::from_u128(u128::from(n)));
    Seal { exhibit, reference: "WMP/1".into(), sha256: format!("{n:064x}") }
}

pub(super) fn ended() -> Fact {
    Fact::SessionEnded { reason: "OFFICER_ENDED".into(), recorded: true }
}

fn duress(acknowledged: bool) -> Duress {
    Duress { how: How::Corner, raised_at: now(), acknowledged }
}

pub(super) fn at(position: u32) -> Place {
    Place { position, expected_wait_s: Some(30 * position) }
}

fn fast_track() -> Fact {
    let wish = Wish {
        id: uuid::Uuid::from_u128(9).into(),
        officer: "PC1".parse().unwrap(),
        requested_at: now(),
        risk: Risk::High,
        reason: "DANGER".into(),
        still: Some("still-2".into()),
    };
    Fact::FastTrack(FastTrack::raise(wish, now(), chrono::TimeDelta::minutes(1)).news(true))
}

pub(super) fn accepted() -> Fact {
    Fact::Accepted("PC1".parse().unwrap())
}

#[derive(Debug, Clone)]
enum Step {
    Triage(bool, bool),
    Consent(bool),
    Request,
    Cancel,
    Hear(Fact),
    Sealed(u8),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (prop::bool::weighted(0.2), any::<bool>()).prop_map(|(danger, overheard)| Step::Triage(danger, overheard)),
        2 => prop::bool::weighted(0.6).prop_map(Step::Consent),
        3 => Just(Step::Request),
        1 => Just(Step::Cancel),
        6 => facts().prop_map(Step::Hear),
        1 => (0u8..2).prop_map(Step::Sealed),
    ]
}

fn facts() -> impl Strategy<Value = Fact> {
    prop_oneof![
        (1..4u32).prop_map(|position| Fact::Queued(at(position))),
        Just(Fact::Offered),
        Just(accepted()),
        Just(Fact::Accepted("PC2".parse().unwrap())),
        Just(Fact::Reassigned("PC3".parse().unwrap())),
        Just(Fact::Abandoned("CANCELLED_BY_CONTROL_ROOM".into())),
        Just(Fact::Returned("RETURNED_BY_DESK".into())),
        Just(Fact::InvitationIssued),
        Just(Fact::CallerJoined),
        Just(fast_track()),
        any::<bool>().prop_map(Fact::Cover),
        any::<bool>().prop_map(|acknowledged| Fact::Duress(duress(acknowledged))),
        any::<bool>().prop_map(|recorded| Fact::SessionEnded { reason: "CALLER_LEFT".into(), recorded }),
    ]
}

#[derive(Default)]
struct Ledger {
    told: Vec<Told>,
    published: Vec<Event>,
}

impl Ledger {
    fn count(&self, like: fn(&Update) -> bool) -> usize {
        self.told.iter().filter(|t| like(&t.update)).count()
    }
}

fn apply(call: Call, step: Step) -> (Call, Effects) {
    let keep = call.clone();
    let done = match step {
        Step::Triage(danger, overheard) => {
            call.triage(&answers(danger, overheard), &occasion(), &rules()).map(|(call, _)| (call, Effects::default()))
        }
        Step::Consent(given) => call.consent(&[video(given)], now()),
        Step::Request => call.request_transfer(),
        Step::Cancel => call.cancel_transfer(now()),
        Step::Hear(fact) => {
            let (call, _, effects) = call.hear(fact, now());
            Ok((call, effects))
        }
        Step::Sealed(n) => {
            let (call, _, effects) = call.hear_sealed(seal(n), now());
            Ok((call, effects))
        }
    };
    done.unwrap_or((keep, Effects::default()))
}

proptest! {
    #[test]
    fn whatever_comes_the_call_stays_true(script in prop::collection::vec(steps(), 0..60)) {
        let mut call = opened();
        let mut ledger = Ledger::default();
        for step in script {
            let was_over = call.is_over();
            let video = call.consents.video;
            let (next, effects) = apply(call, step);
            if effects.publish.iter().any(|e| matches!(e, Event::TransferRequested { .. })) {
                prop_assert_eq!(video, Some(true), "nobody is passed on who did not agree to video");
            }
            prop_assert!(!was_over || effects.tell.is_empty(), "told after the end of the watch");
            prop_assert!(!was_over || next.is_over(), "what is over stays over");
            ledger.told.extend(effects.tell);
            ledger.published.extend(effects.publish);
            call = next;
        }

        let sequences: Vec<u64> = ledger.told.iter().map(|t| t.sequence).collect();
        prop_assert_eq!(sequences, (1..=call.told).collect::<Vec<_>>(), "no gap, no repeat");
        for once in [
            ledger.count(|u| matches!(u, Update::Ended { .. })),
            ledger.count(|u| matches!(u, Update::Sealed(_))),
            ledger.count(|u| matches!(u, Update::CallerJoined)),
            ledger.count(|u| matches!(u, Update::Cancelled)),
            ledger.count(|u| matches!(u, Update::Abandoned { .. })),
            ledger.count(|u| matches!(u, Update::Returned { .. })),
        ] {
            prop_assert!(once <= 1, "told twice");
        }
        // By one officer, and another only if the desk gave it to them.
        let accepted = ledger.count(|u| matches!(u, Update::Accepted { .. }));
        prop_assert!(accepted <= 2, "told as accepted {} times", accepted);
        let place = |like: fn(&Update) -> bool| ledger.told.iter().position(|t| like(&t.update));
        if let Some(sealed) = place(|u| matches!(u, Update::Sealed(_))) {
            let ended = place(|u| matches!(u, Update::Ended { .. }));
            prop_assert!(ended.is_some_and(|ended| ended < sealed), "sealed before the end");
        }
        let asked = ledger.published.iter().filter(|e| matches!(e, Event::TransferRequested { .. })).count();
        let cancelled = ledger.published.iter().filter(|e| matches!(e, Event::TransferCancelled)).count();
        prop_assert!(asked <= 1 && cancelled <= asked);

        let kept = serde_json::to_value(&call.state).unwrap();
        prop_assert_eq!(serde_json::from_value::<State>(kept).unwrap(), call.state);
    }

    /// Each stream keeps its own order; the three interleave as they like, and each fact may come twice.
    #[test]
    fn streams_may_overtake_one_another(order in prop::collection::vec(0usize..3, 30), twice in any::<[bool; 8]>()) {
        enum Came { Fact(Fact), Seal }
        let transfer = [Fact::Queued(at(1)), Fact::Offered, accepted()].map(Came::Fact);
        let session = [Fact::InvitationIssued, Fact::CallerJoined, ended()].map(Came::Fact);
        let mut streams = [transfer.into_iter().collect(), session.into_iter().collect(), vec![Came::Seal]]
            .map(std::collections::VecDeque::from);
        let mut call = requested();
        let mut told = vec![];
        let mut n = 0;
        for pick in order.into_iter().chain([0, 0, 0, 1, 1, 1, 2]) {
            let Some(next) = streams[pick].pop_front() else { continue };
            for _ in 0..1 + usize::from(twice[n % 8]) {
                let (after, heard, effects) = match &next {
                    Came::Fact(fact) => call.hear(fact.clone(), now()),
                    Came::Seal => call.hear_sealed(seal(1), now()),
                };
                prop_assert!(!matches!(heard, super::Heard::Unasked | super::Heard::Conflict));
                told.extend(effects.tell);
                call = after;
            }
            n += 1;
        }
        let desk = Desk { officer: Some("PC1".parse().unwrap()), caller_joined: true, ..Desk::default() };
        prop_assert_eq!(&call.state, &State::Closed { reason: "OFFICER_ENDED".into(), recorded: true, desk });
        prop_assert_eq!(&call.seal, &Some(seal(1)));
        prop_assert!(call.is_over());
        let last: Vec<_> = told[told.len() - 2..].iter().map(|t| t.update.clone()).collect();
        prop_assert_eq!(last, vec![Update::Ended { reason: "OFFICER_ENDED".into() }, Update::Sealed(seal(1))]);
    }
}

#[test]
fn a_refused_command_names_what_is_missing() {
    assert_eq!(opened().consent(&[video(true)], now()).unwrap_err(), Refusal::NotTriaged);
    assert_eq!(opened().request_transfer().unwrap_err(), Refusal::NotTriaged);
    assert_eq!(opened().cancel_transfer(now()).unwrap_err(), Refusal::NotRequested);

    let triaged = triaged();
    assert_eq!(triaged.clone().request_transfer().unwrap_err(), Refusal::NoVideoConsent);
    let (refused, _) = triaged.consent(&[video(false)], now()).unwrap();
    assert_eq!(refused.request_transfer().unwrap_err(), Refusal::NoVideoConsent);

    let (danger, _) = opened().triage(&answers(true, false), &Occasion::default(), &rules()).unwrap();
    let (danger, _) = danger.consent(&[video(true)], now()).unwrap();
    assert_eq!(danger.clone().request_transfer().unwrap_err(), Refusal::NotEligible(Reason::ImmediateDanger));
    // Taken again, the consents stand.
    let (safe, assessment) = danger.triage(&answers(false, false), &Occasion::default(), &rules()).unwrap();
    assert_eq!(assessment.version, 2);
    assert!(safe.request_transfer().is_ok());

    let with_desk = requested().hear(accepted(), now()).0;
    assert_eq!(
        with_desk.clone().triage(&answers(false, false), &Occasion::default(), &rules()).unwrap_err(),
        Refusal::NoReason
    );
    assert_eq!(with_desk.clone().cancel_transfer(now()).unwrap_err(), Refusal::NotRequested);
    let closed = with_desk.hear(ended(), now()).0;
    assert_eq!(
        closed.clone().triage(&answers(false, false), &Occasion::default(), &rules()).unwrap_err(),
        Refusal::Closed
    );
    assert_eq!(closed.request_transfer().unwrap_err(), Refusal::Closed);
}

#[test]
fn an_officer_may_be_quicker_than_a_cancel() {
    let (cancelled, _) = requested().cancel_transfer(now()).unwrap();
    assert!(!cancelled.is_over() && cancelled.is_done());
    let (call, heard, effects) = cancelled.clone().hear(accepted(), now());
    assert_eq!(heard, Heard::Taken);
    assert!(matches!(call.state, State::WithDesk(_)));
    assert!(matches!(effects.tell[..], [Told { sequence: 2, update: Update::Accepted { .. }, .. }]));

    let (confirmed, _, _) = cancelled.hear(Fact::Abandoned("CANCELLED_BY_CONTROL_ROOM".into()), now());
    assert!(confirmed.is_over());
}

#[test]
fn a_second_seal_never_replaces_the_first() {
    let call = requested().hear(accepted(), now()).0.hear(ended(), now()).0;
    let (call, ..) = call.hear_sealed(seal(1), now());
    let (call, heard, effects) = call.hear_sealed(seal(2), now());
    assert_eq!((heard, effects), (Heard::Conflict, Effects::default()));
    assert_eq!(call.seal, Some(seal(1)));
}

#[test]
fn a_consent_is_taken_back_for_as_long_as_that_can_act() {
    let told = |effects: &Effects| effects.tell.iter().map(|told| told.update.clone()).collect::<Vec<_>>();
    let no = Update::ConsentChanged { consent: ConsentKind::Video, subject: None, given: false };
    let refused = Event::ConsentRecorded { consents: vec![video(false)] };

    // Never asked, not even triaged: kept, and the desk can't be asked for.
    let (call, effects) = opened().consent(&[video(false)], now()).unwrap();
    assert!(effects.tell.is_empty() && effects.publish == [refused.clone()]);
    let (call, _) = call.triage(&answers(false, false), &Occasion::default(), &rules()).unwrap();
    assert!(matches!(call.state, State::Triaged(_)), "a no alone is no consent");
    let (call, _) = call.consent(&[video(false)], now()).unwrap();
    assert!(matches!(call.state, State::Triaged(_)), "a no alone is no consent");
    assert_eq!(call.request_transfer().unwrap_err(), Refusal::NoVideoConsent);

    let with_desk = requested().hear(accepted(), now()).0;
    let (cancelled, _) = requested().cancel_transfer(now()).unwrap();
    for call in [requested(), cancelled.clone(), with_desk.clone()] {
        let (call, effects) = call.consent(&[video(false)], now()).unwrap();
        assert_eq!(effects.publish, std::slice::from_ref(&refused));
        assert_eq!(told(&effects), std::slice::from_ref(&no));
        // Twice: the fact is kept and published again, and nothing is told that was known.
        let (call, effects) = call.consent(&[video(false)], now()).unwrap();
        assert!(effects.tell.is_empty() && effects.publish == [refused.clone()]);
        // And given again.
        let (_, effects) = call.consent(&[video(true)], now()).unwrap();
        assert_eq!(
            told(&effects),
            [Update::ConsentChanged { consent: ConsentKind::Video, subject: None, given: true }]
        );
    }
    // A first answer is news once an officer may go by it.
    let stills = Consent { kind: ConsentKind::Stills, subject: None, given: true, how: "spoken".into() };
    let (_, effects) = with_desk.clone().consent(&[stills], now()).unwrap();
    assert_eq!(told(&effects), [Update::ConsentChanged { consent: ConsentKind::Stills, subject: None, given: true }]);

    let let_go = Fact::Abandoned("WAIT_LIMIT".into());
    for over in [(with_desk, ended()), (requested(), let_go.clone()), (cancelled, let_go)] {
        let over = over.0.hear(over.1, now()).0;
        for answer in [video(false), video(true)] {
            assert_eq!(over.clone().consent(&[answer], now()).unwrap_err(), Refusal::Closed);
        }
        // Where they are is still there to be looked at, and nobody watches.
        let where_they_are = Consent { kind: ConsentKind::Location, subject: None, given: false, how: "spoken".into() };
        let (call, effects) = over.consent(&[where_they_are], now()).unwrap();
        assert_eq!(call.consents.location, Some(false));
        assert!(effects.publish.len() == 1 && (effects.tell.is_empty() || !call.is_over()));
    }
}

#[test]
fn a_force_is_told_of_what_comes_back_to_it() {
    let of = |call: &Call, effects: &Effects| effects.for_force(&call.state);
    let incident = IncidentRef::parse("2026-11-24", "1123").unwrap();
    let id = CallId::from(uuid::Uuid::from_u128(7));
    let (call, effects) = Call::open(id, "wmp".parse().unwrap(), Line::NonEmergency, incident, now());
    assert_eq!(of(&call, &effects), [ForceUpdate::Opened { line: Line::NonEmergency, follow_up_of: None }]);

    let let_go = || Fact::Abandoned("WAIT_LIMIT".into());
    let (call, _, effects) = requested().hear(let_go(), now());
    assert_eq!(of(&call, &effects), [ForceUpdate::Returned { why: "WAIT_LIMIT".into() }]);
    let (call, effects) = requested().cancel_transfer(now()).unwrap();
    assert_eq!(of(&call, &effects), [ForceUpdate::Cancelled]);
    let (call, _, effects) = call.hear(let_go(), now());
    assert_eq!(of(&call, &effects), [ForceUpdate::Abandoned { reason: "WAIT_LIMIT".into() }]);

    // What goes well is told to whoever watches the call.
    let (call, _, effects) = requested().hear(accepted(), now());
    assert_eq!(of(&call, &effects), []);
    let (call, _, effects) = call.hear(Fact::Cover(true), now());
    assert_eq!((of(&call, &effects), &effects.tell[0].update), (vec![], &Update::Covered));
    let (call, _, effects) = call.hear(Fact::Duress(duress(false)), now());
    assert_eq!(of(&call, &effects), [ForceUpdate::Duress(duress(false))]);
    let (call, _, effects) = call.hear(fast_track(), now());
    assert!(matches!(&of(&call, &effects)[..], [ForceUpdate::FastTrack(news)] if news.located && news.times == 1));
    // Sealed before the end: both at the end, as WatchCall has them.
    let (call, _, effects) = call.hear_sealed(seal(1), now());
    assert_eq!(of(&call, &effects), []);
    let (call, _, effects) = call.hear(ended(), now());
    let end = ForceUpdate::Ended { reason: "OFFICER_ENDED".into() };
    assert_eq!(of(&call, &effects), [end, ForceUpdate::Sealed(seal(1))]);
    let update = of(&call, &effects).pop().unwrap();
    let kept = serde_json::to_value(&update).unwrap();
    assert_eq!(serde_json::from_value::<ForceUpdate>(kept).unwrap(), update);
}

#[test]
fn an_officer_s_call_is_assessed_again_with_a_reason_and_stays_where_it_is() {
    let with_desk = requested().hear(accepted(), now()).0;
    for half in [Occasion { reason: None, ..occasion() }, Occasion { taken_by: None, ..occasion() }] {
        assert_eq!(with_desk.clone().triage(&answers(true, false), &half, &rules()).unwrap_err(), Refusal::NoReason);
    }
    let (call, assessment) = with_desk.clone().triage(&answers(true, false), &occasion(), &rules()).unwrap();
    assert_eq!((assessment.version, assessment.verdict), (2, Verdict::Ineligible(Reason::ImmediateDanger)));
    assert_eq!(call, Call { triages: 2, ..with_desk });
    let closed = call.hear(ended(), now()).0;
    assert_eq!(closed.triage(&answers(true, false), &occasion(), &rules()).unwrap_err(), Refusal::Closed);
}
