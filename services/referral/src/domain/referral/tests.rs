//! The machine under commands in any order, twice, late, and with consents that come and go.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Command {
    Rewrite,
    /// With the draft as it is, or as it was.
    Send {
        seen: bool,
        by_hand: bool,
    },
    Acknowledge(u8),
    Outcome(u8),
    Withdraw,
    ConsentTakenBack,
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Rewrite),
        (any::<bool>(), any::<bool>()).prop_map(|(seen, by_hand)| Command::Send { seen, by_hand }),
        any::<u8>().prop_map(Command::Acknowledge),
        any::<u8>().prop_map(Command::Outcome),
        Just(Command::Withdraw),
        Just(Command::ConsentTakenBack),
    ]
}

fn blocked() -> impl Strategy<Value = Vec<Blocked>> {
    let all = vec![Blocked::FieldsMissing, Blocked::ConsentMissing, Blocked::NoPartner, Blocked::NoRoute];
    prop_oneof![3 => Just(vec![]), 1 => prop::sample::subsequence(all, 1..4)]
}

fn at(n: usize) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + i64::try_from(n).unwrap(), 0).unwrap()
}

fn officer() -> OfficerId {
    "pc.a".parse().unwrap()
}

fn words(n: u8) -> Words {
    Words(format!("words {n}"))
}

fn new() -> Referral {
    Referral::draft(uuid::Uuid::from_u128(1).into(), ("idva", None), (Some(officer()), ""), at(0))
}

fn draft(blocked: &[Blocked]) -> Draft {
    let field = Field { key: "victim.name".into(), label: "Name".into(), value: "Canary".into(), required: true };
    Draft { fields: vec![field], missing: vec![], partner: None, version: 7, blocked: blocked.to_vec() }
}

fn sending(seen: bool, by_hand: bool, on_consent: bool, n: usize) -> Sending {
    Sending { seen: if seen { 7 } else { 6 }, by_hand: by_hand.then(|| words(0)), on_consent, by: officer(), at: at(n) }
}

fn apply(
    one: Referral,
    command: &Command,
    blocked: &[Blocked],
    on_consent: bool,
    n: usize,
) -> Result<(Referral, Option<Step>), ReferralRefusal> {
    match command {
        Command::Rewrite => one.rewrite(None, (words(9), None)).map(|one| (one, None)),
        Command::Send { seen, by_hand } => one.send(draft(blocked), sending(*seen, *by_hand, on_consent, n)),
        Command::Acknowledge(by) => one.acknowledge(words(*by), at(n)),
        Command::Outcome(what) => one.record_outcome(words(*what), at(n)),
        Command::Withdraw => one.withdraw(Withdrawn { at: at(n), by: Some(officer()), why: words(1) }),
        Command::ConsentTakenBack => Ok(one.consent_withdrawn(at(n))),
    }
}

/// How far it has come; what is withdrawn goes nowhere.
fn rank(one: &Referral) -> u8 {
    match one.stage {
        Stage::Draft => 0,
        Stage::Sent(_) => 1,
        Stage::Acknowledged(..) => 2,
        Stage::Outcome(..) => 3,
        Stage::Withdrawn(..) => 4,
    }
}

proptest! {
    #[test]
    fn it_goes_forward_only_and_what_was_sent_stays_as_it_was(
        commands in prop::collection::vec((command(), blocked()), 1..25),
        on_consent in any::<bool>(),
    ) {
        let mut one = new();
        let (mut sent, mut acknowledged, mut times_sent, mut times_told_back) = (None, None, 0, 0);
        for (n, (command, blocked)) in commands.iter().enumerate() {
            let before = one.clone();
            let Ok((next, step)) = apply(one.clone(), command, blocked, on_consent, n) else {
                continue;
            };
            one = next;
            prop_assert!(rank(&one) >= rank(&before), "{command:?}: {before:?} to {one:?}");
            if step.is_none() && !matches!(command, Command::Rewrite | Command::ConsentTakenBack) {
                prop_assert_eq!(&one, &before, "nothing was done, so nothing has changed");
            }
            if step == Some(Step::Sent) {
                times_sent += 1;
                prop_assert!(before.is_draft());
                let by_hand = one.sent().unwrap().by_hand.is_some();
                let kept = |b: &Blocked| !(by_hand && matches!(b, Blocked::NoPartner | Blocked::NoRoute));
                prop_assert!(!blocked.iter().any(kept), "sent though kept by {blocked:?}");
            }
            times_told_back += usize::from(matches!(step, Some(Step::Withdrawn | Step::Disowned)));
            // Word for word, and who was first stays.
            let words = one.sent().map(|sent| (sent.at, sent.fields.clone(), sent.version, sent.by_hand.clone()));
            if sent.is_some() {
                prop_assert_eq!(&words, &sent);
            }
            sent = words;
            let by = match &one.stage {
                Stage::Acknowledged(_, by) => Some(by.clone()),
                Stage::Outcome(_, by, _) | Stage::Withdrawn(_, by, _) => by.clone(),
                Stage::Draft | Stage::Sent(_) => None,
            };
            if acknowledged.is_some() {
                prop_assert_eq!(&by, &acknowledged);
            }
            acknowledged = by;
            if let Stage::Withdrawn(None, ..) = &one.stage {
                prop_assert_eq!(times_sent, 0);
            }
            // As it is kept.
            let kept = serde_json::to_value(&one).unwrap();
            prop_assert_eq!(serde_json::from_value::<Referral>(kept).unwrap(), one.clone());
        }
        prop_assert!(times_sent <= 1 && times_told_back <= 1, "a partner is told once, and told to stop once");
        if one.sent().is_some_and(|sent| sent.consent_withdrawn) {
            prop_assert!(on_consent && times_told_back == 1);
            prop_assert!(matches!(one.stage, Stage::Withdrawn(..) | Stage::Outcome(..)));
        }
    }

    #[test]
    fn a_consent_taken_back_before_is_nothing_of_a_draft_and_after_ends_it(by_hand in any::<bool>(), late in any::<bool>()) {
        let (untouched, step) = new().consent_withdrawn(at(1));
        prop_assert!(untouched == new() && step.is_none());
        let (sent, _) = new().send(draft(&[]), sending(true, by_hand, true, 2)).unwrap();
        let sent = if late { sent.record_outcome(words(1), at(3)).unwrap().0 } else { sent };
        let (stopped, step) = sent.consent_withdrawn(at(4));
        prop_assert_eq!(step, Some(if late { Step::Disowned } else { Step::Withdrawn }));
        prop_assert!(stopped.sent().unwrap().consent_withdrawn);
        let (again, step) = stopped.clone().consent_withdrawn(at(5));
        prop_assert!(again == stopped && step.is_none(), "told once");
    }
}

#[test]
fn an_outcome_by_link_is_said_once_and_binds_no_officer() {
    let sent = new().send(draft(&[]), sending(true, false, false, 1)).unwrap().0;
    let told = sent.record_outcome_by_link(words(1), at(2)).unwrap().0;
    assert_eq!(
        told.clone().record_outcome_by_link(words(1), at(3)),
        Ok((told.clone(), None)),
        "the same is nothing new"
    );
    assert_eq!(told.clone().record_outcome_by_link(words(2), at(3)), Err(ReferralRefusal::OutcomeKnown));
    let corrected = told.clone().record_outcome(words(2), at(4)).unwrap().0;
    assert_eq!(corrected.clone().record_outcome_by_link(words(1), at(5)), Err(ReferralRefusal::OutcomeKnown));
    let withdrawn = || Withdrawn { at: at(6), by: Some(officer()), why: words(1) };
    assert_eq!(told.withdraw(withdrawn()).unwrap().1, Some(Step::Withdrawn), "the letter went astray");
    assert_eq!(corrected.withdraw(withdrawn()), Err(ReferralRefusal::NotOpen));
}

#[test]
fn an_outcome_in_the_same_words_is_the_one_that_there_is() {
    let (sent, _) = new().send(draft(&[]), sending(true, true, false, 1)).unwrap();
    let (done, step) = sent.record_outcome(words(1), at(2)).unwrap();
    assert_eq!(step, Some(Step::Outcome));
    assert_eq!(done.clone().record_outcome(words(1), at(3)), Ok((done.clone(), None)));
    let (other, step) = done.record_outcome(words(2), at(4)).unwrap();
    assert!(
        step == Some(Step::Outcome)
            && matches!(other.stage, Stage::Outcome(.., Outcome { what, .. }) if what == words(2))
    );
}

#[test]
fn what_keeps_it_is_said_and_a_hand_needs_no_way() {
    let send = |blocked: &[Blocked], by_hand| new().send(draft(blocked), sending(true, by_hand, false, 1));
    for blocked in [Blocked::FieldsMissing, Blocked::ConsentMissing, Blocked::NoPartner, Blocked::NoRoute] {
        assert_eq!(send(&[blocked], false), Err(ReferralRefusal::Blocked(blocked, vec![])));
        let by_hand = matches!(blocked, Blocked::NoPartner | Blocked::NoRoute);
        assert_eq!(send(&[blocked], true).is_ok(), by_hand, "{blocked:?}");
    }
    let stale = new().send(draft(&[]), sending(false, true, false, 1));
    assert_eq!(stale, Err(ReferralRefusal::ChangedMeanwhile));
    let (sent, _) = send(&[], true).unwrap();
    assert_eq!(sent.clone().rewrite(None, (words(1), None)), Err(ReferralRefusal::NotADraft));
    assert_eq!(new().acknowledge(words(1), at(1)), Err(ReferralRefusal::NotSent));
    let withdrawn = Withdrawn { at: at(2), by: None, why: words(1) };
    let (gone, _) = sent.withdraw(withdrawn.clone()).unwrap();
    assert_eq!(gone.clone().withdraw(withdrawn), Err(ReferralRefusal::NotOpen));
    assert_eq!(gone.record_outcome(words(1), at(3)), Err(ReferralRefusal::NotSent));
}
