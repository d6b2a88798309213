//! Nothing is told before its time, whatever is recorded in whatever order.

use proptest::prelude::*;

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn recorded(stage: Stage) -> Recorded {
    Recorded { stage, by: "PC1".parse().unwrap(), at: now() }
}

fn check(check: Check) -> Stage {
    Stage::Check { check, result: "as they said".to_owned() }
}

fn decision(disclose: bool) -> Stage {
    Stage::Decision { disclose, reasons: "a pattern of it".to_owned(), decided_by: "DI Low".to_owned() }
}

fn plan() -> Stage {
    Stage::Plan { when: now(), way: "at her mother's".to_owned(), present: "DC High".to_owned() }
}

fn told(immediate_protection: &str) -> Stage {
    let immediate_protection = immediate_protection.to_owned();
    Stage::Told { when: now(), to: "DC High to the applicant".to_owned(), unrecorded: true, immediate_protection }
}

fn after(stages: &[Stage]) -> Result<Disclosure, NotRecorded> {
    stages.iter().try_fold(Disclosure::default(), |disclosure, stage| {
        let base = disclosure.version();
        disclosure.record(base, recorded(stage.clone()))
    })
}

#[test]
fn an_application_goes_its_way() {
    use Standing::{Applied, Disclosed, Planned, Refused, ToBePlanned, ToldOfRefusal};
    let yes = [check(Check::Identity), check(Check::Safety), decision(true), plan(), plan(), told("")];
    let standings = [Applied, Applied, Applied, ToBePlanned, Planned, Planned, Disclosed];
    for (length, standing) in standings.into_iter().enumerate() {
        assert_eq!(after(&yes[..length]).unwrap().standing(), standing);
    }
    let no = [check(Check::Safety), check(Check::Identity), decision(false), told("")];
    assert_eq!(after(&no[..3]).unwrap().standing(), Refused);
    assert_eq!(after(&no).unwrap().standing(), ToldOfRefusal);
}

#[test]
fn what_comes_out_of_turn_is_refused_by_its_reason() {
    use NotRecorded::{Invalid, Past, Unchecked, Undecided, Unplanned};
    let (identity, safety) = (check(Check::Identity), check(Check::Safety));
    let refused = |stages: &[Stage]| after(stages).unwrap_err();
    assert_eq!(refused(&[decision(true)]), Unchecked);
    assert_eq!(refused(&[identity.clone(), decision(true)]), Unchecked);
    assert_eq!(refused(&[plan()]), Undecided);
    assert_eq!(refused(&[told("")]), Undecided);
    assert_eq!(refused(&[identity.clone(), safety.clone(), decision(true), told("")]), Unplanned);
    assert_eq!(refused(&[identity.clone(), safety.clone(), decision(true), decision(true)]), Past);
    assert_eq!(refused(&[identity.clone(), safety.clone(), decision(false), plan()]), Past);
    assert_eq!(refused(&[identity, safety, decision(false), told(""), told("")]), Past);
    let empty = Stage::Check { check: Check::Partners, result: " ".to_owned() };
    assert_eq!(refused(&[empty]), Invalid("result"));
    let disclosure = after(&[check(Check::Identity)]).unwrap();
    assert_eq!(disclosure.record(0, recorded(check(Check::Safety))).unwrap_err(), NotRecorded::Changed);
}

#[test]
fn who_must_be_protected_at_once_is_told_at_once_and_it_is_decided_all_the_same() {
    let urgent = after(&[told("he is on his way, and has done this before")]).unwrap();
    assert_eq!(urgent.standing(), Standing::Disclosed);
    let decided = after(&[told("he comes"), check(Check::Identity), check(Check::Safety), decision(true)]).unwrap();
    assert_eq!((decided.standing(), decided.decision()), (Standing::ToBePlanned, Some(true)), "the rest is planned");
    let refused = [check(Check::Identity), check(Check::Safety), decision(false), told("he is at her door")];
    assert_eq!(after(&refused).unwrap().standing(), Standing::Disclosed);
}

fn any_stage() -> impl Strategy<Value = Stage> {
    prop_oneof![
        Just(check(Check::Identity)),
        Just(check(Check::Safety)),
        Just(check(Check::Partners)),
        any::<bool>().prop_map(decision),
        Just(plan()),
        Just(told("")),
        Just(told("he is at the door")),
    ]
}

proptest! {
    #[test]
    fn nothing_is_told_without_a_decision_and_a_plan_or_a_reason(stages in prop::collection::vec(any_stage(), 0..24)) {
        let mut disclosure = Disclosure::default();
        for stage in stages {
            let base = disclosure.version();
            if let Ok(next) = disclosure.clone().record(base, recorded(stage)) {
                prop_assert_eq!(next.version(), base + 1);
                disclosure = next;
            }
        }
        let kept: Vec<_> = disclosure.stages.iter().map(|recorded| &recorded.stage).collect();
        let decisions = kept.iter().filter(|stage| matches!(stage, Stage::Decision { .. })).count();
        prop_assert!(decisions <= 1);
        if let Some(at) = kept.iter().position(|stage| matches!(stage, Stage::Told { .. })) {
            let Stage::Told { immediate_protection, .. } = kept[at] else { unreachable!() };
            let before = &kept[..at];
            let refused = before.iter().any(|stage| matches!(stage, Stage::Decision { disclose: false, .. }));
            let planned = before.iter().any(|stage| matches!(stage, Stage::Plan { .. }));
            prop_assert!(refused || planned || !immediate_protection.is_empty());
        }
    }
}
