#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Nobody starves: whatever risk, vulnerability and skills the calls that keep coming have, each is served before any that
//! came more than a bound after it.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{
    tests::{RULES, at, call_id, facts, force, free, queued},
    *,
};

/// By how much later a call may have come that is served before: all of the head start that there is, or the longest time
/// that a call is kept for an officer with its skills.
fn bound() -> TimeDelta {
    let head_start = RULES.high_risk_head_start + RULES.great_vulnerability_head_start;
    let ByRisk { standard, medium, high } = RULES.skill_patience;
    TimeDelta::from_std(head_start.max(standard).max(medium).max(high)).unwrap()
}

fn needs() -> impl Strategy<Value = Facts> {
    let risk = prop_oneof![4 => Just(Risk::High), 1 => Just(Risk::Medium), 1 => Just(Risk::Standard)];
    let vulnerability = prop_oneof![
        3 => Just(Vulnerability::Great), 1 => Just(Vulnerability::Some), 2 => Just(Vulnerability::None)
    ];
    let language = prop_oneof![3 => Just("en"), 1 => Just("pa"), 1 => Just("pl")];
    let gender = prop_oneof![3 => Just(None), 1 => Just(Some(Gender::Woman)), 1 => Just(Some(Gender::Man))];
    (risk, vulnerability, language, gender, prop::bool::weighted(0.2)).prop_map(
        |(risk, vulnerability, language, officer_asked_for, child_may_speak)| Facts {
            vulnerability,
            language: language.to_owned(),
            officer_asked_for,
            child_may_speak,
            ..facts(risk)
        },
    )
}

fn skills() -> impl Strategy<Value = Skills> {
    let languages = prop::collection::vec(prop_oneof![Just("pa".to_owned()), Just("pl".to_owned())], 0..2);
    let gender = prop_oneof![Just(None), Just(Some(Gender::Woman)), Just(Some(Gender::Man))];
    (languages, any::<bool>(), gender).prop_map(|(languages, child_trained, gender)| Skills {
        languages,
        child_trained,
        gender,
    })
}

proptest! {
    #[test]
    fn nobody_starves(
        arrivals in prop::collection::vec((0..300i64, needs()), 1..80),
        desk in prop::collection::vec(skills(), 1..4),
        service in 60..1200i64,
    ) {
        let mut came = 0;
        let mut coming: Vec<Call> = arrivals.into_iter().enumerate().map(|(n, (gap, facts))| {
            came += gap;
            Call::queue(call_id(n as u128), force(), facts, at(came), &RULES).call
        }).rev().collect();
        let desk: Vec<Officer> =
            (1u8..).zip(desk).map(|(n, skills)| Officer { expires_at: at(10_000_000), ..free(n, 0) }.with_skills(skills)).collect();
        let mut free_from = vec![0; desk.len()];
        let (mut now, mut waiting, mut served) = (0, Vec::<Call>::new(), Vec::<Call>::new());
        while !coming.is_empty() || !waiting.is_empty() {
            while coming.last().is_some_and(|next| next.queued_at <= at(now)) {
                waiting.push(coming.pop().unwrap());
            }
            let (idle, busy): (Vec<_>, Vec<_>) = desk.iter().zip(&free_from).partition(|(_, from)| **from <= now);
            let [idle, busy] = [idle, busy].map(|some| some.into_iter().map(|(who, _)| who.clone()).collect::<Vec<_>>());
            for Pair { call, officer } in pair(&waiting, &Present { idle: &idle, busy: &busy }, &RULES, at(now)).pairs {
                let place = waiting.iter().position(|one| one.id == call).unwrap();
                served.push(waiting.remove(place));
                free_from[desk.iter().position(|who| who.id == officer).unwrap()] = now + service;
            }
            now += 15;
            prop_assert!(now < 2_000_000, "never served: {waiting:?}");
        }
        for (n, late) in served.iter().enumerate() {
            for early in &served[..n] {
                prop_assert!(early.queued_at <= late.queued_at + bound(), "{} overtaken by {}", late.id, early.id);
            }
        }
    }
}

#[test]
fn vulnerability_counts_as_waiting_and_never_for_more_than_its_head_start() {
    let great = |n, since| {
        let mut call = queued(n, Risk::Standard, since);
        call.facts.vulnerability = Vulnerability::Great;
        call
    };
    let first = |calls: &[Call]| {
        let idle = [free(1, 0)];
        pair(calls, &Present { idle: &idle, busy: &[] }, &RULES, at(2000)).pairs[0].call
    };
    assert_eq!(first(&[queued(1, Risk::Standard, 0), great(2, 899)]), call_id(2));
    assert_eq!(first(&[queued(1, Risk::Standard, 0), great(2, 901)]), call_id(1));
    assert_eq!(first(&[queued(1, Risk::High, 0), great(2, 0)]), call_id(1), "risk counts for more");
}

#[test]
fn a_call_waits_for_who_suits_it_while_they_are_there_and_no_longer_than_its_patience() {
    let mut call = queued(1, Risk::Standard, 0);
    call.facts.language = "pa".to_owned();
    let speaks = Skills { languages: vec!["pa".to_owned()], ..Skills::default() };
    let (plain, able) = (free(1, 0), free(2, 5).with_skills(speaks));
    let ask = |call: &Call, idle: &[Officer], busy: &[Officer], now| {
        let matching = pair(std::slice::from_ref(call), &Present { idle, busy }, &RULES, at(now));
        (matching.pairs.first().map(|pair| pair.officer.clone()), !matching.without_skill.is_empty())
    };
    let both = [plain.clone(), able.clone()];
    let [one, two] = both.clone().map(|officer| Some(officer.id));
    assert_eq!(ask(&call, &both, &[], 10), (two, false), "not the longest free, but who speaks it");
    let (some, nobody) = (std::slice::from_ref(&plain), &[][..]);
    let busy = std::slice::from_ref(&able);
    assert_eq!(ask(&call, some, busy, 119), (None, false), "kept for who is in a call");
    assert_eq!(ask(&call, some, busy, 120), (one.clone(), true), "its patience is over");
    assert_eq!(ask(&call, some, nobody, 1), (one.clone(), true), "nobody at the desk speaks it");
    assert_eq!(ask(&call, nobody, some, 1), (None, true), "nor would");
    assert_eq!(ask(&call, nobody, nobody, 1), (None, false), "nobody is there at all");
    let leaving = Officer { wish: Wish::Away, ..able.clone() };
    assert_eq!(ask(&call, some, &[leaving], 1), (one.clone(), true), "nor will, who is away after their call");
    let call = call.offer(able.id.clone(), at(10), &RULES).call;
    let call = call.decline(&able.id, "I know him".to_owned(), at(11), &RULES).unwrap().call;
    assert_eq!(ask(&call, &both, &[], 12), (one, true), "nobody waits for one who has declined it");
    assert_eq!(ask(&call, busy, nobody, 12), (None, false), "which is no lack of skill");
    let silent = Officer { expires_at: at(3), ..able };
    let call = queued(2, Risk::Standard, 0);
    let call = Call { facts: Facts { language: "pa".to_owned(), ..call.facts }, ..call };
    assert!(ask(&call, some, &[silent], 4).1, "nor for one who is gone");
}

#[test]
fn a_call_that_waits_too_long_goes_back_unless_it_is_on_offer() {
    let call = queued(1, Risk::High, 0);
    assert_eq!(call.clone().overdue(at(599)), None);
    let step = call.clone().overdue(at(600)).unwrap();
    assert_eq!(step.published, Some(Published::Returned { why: Why::WaitLimit, officer: None }));
    assert_eq!(step.call.clone().overdue(at(601)), None);
    assert_eq!(step.call.hand_back(&tests::officer(1), true), Err(Refused::CallOver));
    let offered = call.offer(tests::officer(1), at(590), &RULES).call;
    assert_eq!(offered.clone().overdue(at(605)), None, "the officer may still answer");
    let expired = offered.expire(at(610)).unwrap();
    assert_eq!(expired.alert.as_ref().map(|alert| alert.kind), Some(AlertKind::NotAnswered));
    assert!(expired.call.overdue(at(610)).is_some());
}

#[test]
fn a_call_that_has_waited_too_long_is_offered_to_who_has_not_had_it_and_once() {
    let call = queued(1, Risk::High, 0).offer(tests::officer(1), at(590), &RULES).call.expire(at(610)).unwrap().call;
    let ask = |call: &Call, idle: &[Officer], now| {
        let present = Present { idle, busy: &[] };
        pair(std::slice::from_ref(call), &present, &RULES, at(now)).pairs.first().map(|pair| pair.officer.clone())
    };
    let both = [free(1, 0), free(2, 605)];
    assert_eq!(ask(&call, &both, 610), Some(tests::officer(2)));
    assert_eq!(ask(&call, &both[..1], 610), None, "or it would be theirs for ever, who doesn't answer");
    let call = call.offer(tests::officer(2), at(610), &RULES).call.expire(at(630)).unwrap().call;
    assert_eq!(ask(&call, &both, 630), None);
    assert!(call.overdue(at(630)).is_some());
}

#[test]
fn a_call_is_given_back_from_wherever_it_is() {
    let call = queued(1, Risk::High, 0);
    let offered = call.clone().offer(tests::officer(1), at(0), &RULES).call;
    let accepted = offered.clone().accept(&tests::officer(1), at(1)).unwrap().call;
    for (call, settled, had_it) in
        [(call, None, None), (offered, Some(Outcome::Withdrawn), None), (accepted, None, Some(tests::officer(1)))]
    {
        let (mine, other) = (tests::officer(1), tests::officer(2));
        assert_eq!(call.clone().hand_back(&other, false), Err(Refused::NotYourCall));
        assert_eq!(call.clone().hand_back(&mine, false).is_ok(), call.state != State::Queued, "a sergeant's to do");
        let step = call.hand_back(&other, true).unwrap();
        assert_eq!(step.settled.map(|settled| settled.outcome), settled);
        assert_eq!(step.published, Some(Published::Returned { why: Why::ByDesk, officer: had_it }));
        assert_eq!(step.call.clone().end(), None, "its session's end changes nothing");
        assert_eq!(step.call.clone().cancel(), None);
        assert_eq!(step.call.accept(&tests::officer(1), at(2)), Err(Refused::CallNotWaiting));
    }
}
