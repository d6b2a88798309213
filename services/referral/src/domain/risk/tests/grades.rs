//! What always holds of a grade.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{DARA, answered, begun, dash, given, now, officer};
use crate::domain::risk::{
    self, Assessment, By, Finding, Given, Grade, Grading, Judgement, QuestionSet, Refusal, in_words,
};

/// Each question at most once, in any order.
fn answers(set: &QuestionSet) -> impl Strategy<Value = Vec<(String, String)>> + use<> {
    let questions: Vec<_> = set
        .questions()
        .iter()
        .map(|question| (question.key.clone(), question.choices.iter().map(|c| c.key.clone()).collect::<Vec<_>>()))
        .collect();
    let picked = questions.into_iter().map(|(key, choices)| {
        proptest::option::weighted(0.8, proptest::sample::select(choices)).prop_map(move |choice| (key.clone(), choice))
    });
    let one_each = picked
        .collect::<Vec<_>>()
        .prop_map(|all| all.into_iter().filter_map(|(key, choice)| Some((key, choice?))).collect::<Vec<_>>());
    one_each.prop_shuffle()
}

fn either() -> impl Strategy<Value = (QuestionSet, Vec<(String, String)>)> {
    let sets = [dash(), QuestionSet::read(DARA).unwrap()];
    proptest::sample::select(sets.to_vec()).prop_flat_map(|set| {
        let answers = answers(&set);
        (Just(set), answers)
    })
}

fn any_grade() -> impl Strategy<Value = Grade> {
    proptest::sample::select(Grade::ALL.to_vec())
}

fn judgement(grade: Grade, reason: &str, assessment: &Assessment) -> Judgement {
    Judgement { grade, reason: reason.to_owned(), seen: assessment.version, is_sergeant: true }
}

proptest! {
    #[test]
    fn judgement_never_lowers(
        (set, answers) in either(),
        reports in 1_u32..6,
        grade in any_grade(),
        before in proptest::option::of(any_grade()),
        open: bool,
        is_sergeant: bool,
        reason in "(|because)",
    ) {
        let assessment = answered(set, &answers);
        let finding = Finding::of(&assessment, reports);
        let judgement = Judgement { grade, reason: reason.clone(), seen: assessment.version, is_sergeant };
        match judgement.decide(&assessment, &finding, before, open) {
            Ok(decision) => {
                prop_assert_eq!(decision.grade, grade.max(finding.least));
                prop_assert!(grade == finding.least || (decision.by == By::Judgement && !reason.is_empty()));
                prop_assert!(grade != finding.least || decision.by != By::Judgement);
                prop_assert!(before.is_none_or(|before| grade >= before) || (is_sergeant && !reason.is_empty()));
                prop_assert!(grade == Grade::High || (!open && (finding.contradictions.is_empty() || !reason.is_empty())));
            }
            Err(Refusal::BelowCount(least)) => prop_assert!(grade < least && least == finding.least),
            Err(_) => prop_assert!(grade >= finding.least),
        }
        // Whatever came before, and whoever it is: high can be given, with a reason.
        let high = Judgement { grade: Grade::High, reason: "because".to_owned(), seen: assessment.version, is_sergeant };
        prop_assert!(high.decide(&assessment, &finding, before, open).is_ok());
    }

    #[test]
    fn one_answer_more_with_more_ticks_never_lowers_it((set, answers) in either(), n: prop::sample::Index, reports in 1_u32..6) {
        let before = Finding::of(&answered(set.clone(), &answers), reports);
        let question = n.get(set.questions());
        let most = question.choices.iter().max_by_key(|choice| choice.ticks).unwrap();
        let mut more = answers;
        more.push((question.key.clone(), most.key.clone()));
        let after = Finding::of(&answered(set, &more), reports);
        prop_assert!(after.ticks >= before.ticks && after.least >= before.least);
        prop_assert!(after.bold.len() >= before.bold.len());
    }

    #[test]
    fn the_order_of_answers_does_not_matter((set, answers) in either(), reports in 1_u32..6) {
        let mut sorted = answers.clone();
        sorted.sort();
        prop_assert_eq!(
            Finding::of(&answered(set.clone(), &answers), reports),
            Finding::of(&answered(set, &sorted), reports)
        );
    }

    #[test]
    fn history_never_lowers_it((set, answers) in either(), few in 1_u32..20, more in 0_u32..20) {
        let assessment = answered(set, &answers);
        let (once, often) = (Finding::of(&assessment, few), Finding::of(&assessment, few + more));
        prop_assert!(often.least >= once.least);
        prop_assert!(few + more < assessment.set.grades().reports_from || often.least == Grade::High);
        prop_assert!(few + more >= assessment.set.grades().reports_from || often.least == often.by_count());
    }

    #[test]
    fn below_an_earlier_grade_only_a_sergeant_goes((set, answers) in either(), before in any_grade(), reports in 1_u32..4) {
        let assessment = answered(set, &answers);
        let finding = Finding::of(&assessment, reports);
        let least = |is_sergeant| Judgement { is_sergeant, ..judgement(finding.least, "corrected", &assessment) };
        let officers = least(false).decide(&assessment, &finding, Some(before), false);
        prop_assert!(least(true).decide(&assessment, &finding, Some(before), false).is_ok());
        let refused = Err(Refusal::SergeantRequired);
        prop_assert_eq!(officers.map(|_| ()), if finding.least < before { refused } else { Ok(()) });
        let silent = judgement(finding.least, " ", &assessment).decide(&assessment, &finding, Some(before), false);
        prop_assert!(finding.least >= before || silent.is_err());
    }
}

#[test]
fn a_partner_reads_the_grade_why_and_each_answer_in_the_set_s_order() {
    let strangled = Given { words: "my neck".to_owned(), note: "crying".to_owned(), ..given("strangled", "yes") };
    let answers = vec![(strangled, 0), (given("injured", "no"), 0), (given("follows", "not-asked"), 0)];
    let (assessment, _) = begun(dash()).save(answers, &officer(), now()).unwrap();
    let finding = Finding::of(&assessment, 3);
    let ungraded = in_words(None, &finding, vec![]);
    assert!(ungraded.grade.is_empty() && ungraded.because.is_empty());
    let decision = judgement(Grade::High, "", &assessment).decide(&assessment, &finding, None, false).unwrap();
    let reason = "terrified".to_owned();
    let grading = Grading { decision, reason, officer: officer(), at: now(), version: assessment.version };
    let words = in_words(Some(&grading), &finding, risk::answered(&assessment));
    assert_eq!((&*words.grade, words.answers.len()), ("high", 2));
    assert_eq!(words.because, "1 of 27 ticks, medium from 7; third call in 12 months; officer: terrified");
    assert_eq!(words.answers[0].1, "No");
    assert_eq!(words.answers[1].1, "Yes. \u{201c}my neck\u{201d}. Officer: crying");
}

fn yes(count: usize) -> Assessment {
    let set = dash();
    let calm: BTreeMap<_, _> = [("record", "yes"), ("frightened", "yes"), ("children-home", "yes")].into();
    let mut keys: Vec<_> = set.questions().iter().map(|question| question.key.clone()).collect();
    keys.sort_by_key(|key| !calm.contains_key(key.as_str()));
    let answers: Vec<_> = keys.into_iter().take(count).map(|key| (key, "yes".to_owned())).collect();
    answered(set, &answers)
}

#[test]
fn thresholds_are_where_the_set_has_them() {
    for (count, least) in [
        (0, Grade::Standard),
        (6, Grade::Standard),
        (7, Grade::Medium),
        (13, Grade::Medium),
        (14, Grade::High),
        (27, Grade::High),
    ] {
        assert_eq!(Finding::of(&yes(count), 2).least, least, "{count}");
    }
    let finding = Finding::of(&yes(14), 1);
    assert_eq!(finding.because, ["14 of 27 ticks, high from 14"]);
    let third = Finding::of(&yes(2), 3);
    assert_eq!((third.least, third.by_count()), (Grade::High, Grade::Standard));
    assert_eq!(third.because, ["2 of 27 ticks, medium from 7", "third call in 12 months"]);
    assert_eq!(Finding::of(&yes(2), 11).because[1], "call 11 in 12 months");
}

#[test]
fn what_made_it_so_is_said_and_what_is_missing_is_asked_for() {
    let decide = |assessment: &Assessment, reports, judgement: Judgement, before, open| {
        judgement.decide(assessment, &Finding::of(assessment, reports), before, open)
    };
    let few = yes(3);
    let by = |reports, grade, reason| {
        decide(&few, reports, judgement(grade, reason, &few), None, false).map(|decision| decision.by)
    };
    assert_eq!(by(1, Grade::Standard, ""), Ok(By::Count));
    assert_eq!(by(3, Grade::High, ""), Ok(By::Escalation));
    assert_eq!(by(1, Grade::High, "she is terrified"), Ok(By::Judgement));
    assert_eq!(by(1, Grade::Medium, " "), Err(Refusal::ReasonRequired));
    assert_eq!(by(3, Grade::Medium, "no"), Err(Refusal::BelowCount(Grade::High)));
    assert_eq!(by(1, Grade::High, &"a".repeat(1_001)), Err(Refusal::ReasonRequired));

    let stale = Judgement { seen: few.version - 1, ..judgement(Grade::Standard, "", &few) };
    assert_eq!(decide(&few, 1, stale, None, false), Err(Refusal::Changed(None)));
    let open = decide(&few, 1, judgement(Grade::Medium, "afraid", &few), None, true);
    assert_eq!(open, Err(Refusal::MatchesOpen));
    assert!(decide(&few, 1, judgement(Grade::High, "afraid", &few), None, true).is_ok(), "nothing keeps from it");

    let pairs = [("record", "no"), ("breached", "yes")].map(|(q, c)| (q.to_owned(), c.to_owned()));
    let contrary = answered(dash(), &pairs);
    let refused = decide(&contrary, 1, judgement(Grade::Standard, "", &contrary), None, false);
    assert!(matches!(refused, Err(Refusal::Contradiction(rule)) if rule.contains("bail")));
    assert!(decide(&contrary, 1, judgement(Grade::Standard, "another force's", &contrary), None, false).is_ok());
    assert!(decide(&contrary, 3, judgement(Grade::High, "", &contrary), None, false).is_ok());
    assert_eq!(begun(dash()).version, 0);
}
