//! What is data is refused by name if it makes no sense; answers come on top of what their author saw.

use super::{DARA, DASH, begun, dash, given, now, officer};
use crate::domain::risk::{BadQuestions, Finding, QuestionSet, Refusal};

#[test]
fn a_set_that_makes_no_sense_is_refused_and_says_what() {
    let bad = |from: &str, to: &str| {
        assert!(DASH.contains(from), "{from}");
        QuestionSet::read(&DASH.replacen(from, to, 1)).unwrap_err()
    };
    let said = |from: &str, to: &str| bad(from, to).to_string();
    assert!(matches!(QuestionSet::read("id = 1"), Err(BadQuestions::Shape(_))));
    assert!(matches!(bad("bold = true", "bald = true"), BadQuestions::Shape(_)));
    assert!(said("id = \"dash-demo\"", "id = \"DASH\"").contains("\"DASH\""));
    assert_eq!(bad("version = \"2026-11-27\"", "version = \"\""), BadQuestions::Version);
    assert!(said("title = \"Yes", "title = \" \"\n# ").contains("title"));
    assert!(said("key = \"frightened\"", "key = \"injured\"").contains("\"injured\" comes twice"));
    assert!(said("key = \"frightened\"", "key = \"so frightened\"").contains("\"so frightened\""));
    assert!(said("{ key = \"no\", ", "{ key = \"yes\", ").contains("\"yes\" comes twice"));
    assert!(said("{ key = \"dont-know\", ", "{ key = \"unsure\", ").contains("\"dont-know\""));
    assert!(said("{ key = \"not-asked\", ", "{ key = \"skipped\", ").contains("\"not-asked\""));
    assert!(said("text = \"Not asked\", ticks = 0", "text = \"Not asked\", ticks = 1").contains("\"not-asked\""));
    assert!(said("text = \"Yes\", ticks = 1", "text = \"Yes\", ticks = 0").contains("\"yes-no\""));
    assert!(said("text = \"Yes\", ticks = 1", "text = \"Yes\", ticks = 11").contains("\"yes-no\""));
    assert!(said("scale = \"yes-no\"", "scale = \"how\"").contains("\"injured\" is answered by the scale \"how\""));
    let again = DASH.replacen("section = \"The other person\"", "section = \"What happened now\"", 1);
    assert_eq!(QuestionSet::read(&again).unwrap_err(), BadQuestions::Section("What happened now".to_owned()));
    assert!(said("text = \"Were you hurt in what happened today?\"", "text = \"\"").contains("\"injured\""));
    let long = format!("help = \"{}\"", "a".repeat(401));
    assert!(
        said("help = \"Where, how, and has anybody looked at it. The first time, or one of many?\"", &long)
            .contains("help")
    );
    for (threshold, reachable) in [("high_from = 14", "high_from = 28"), ("medium_from = 7", "medium_from = 15")] {
        assert!(said(threshold, reachable).contains(threshold.split(' ').next().unwrap()), "{reachable}");
    }
    for (threshold, reachable) in
        [("reports_from = 3", "reports_from = 1"), ("reports_months = 12", "reports_months = 0")]
    {
        assert!(said(threshold, reachable).contains(threshold.split(' ').next().unwrap()), "{reachable}");
    }
    let rule = "{ question = \"record\", is = [\"no\"] }";
    assert!(said(rule, "{ question = \"recorded\", is = [\"no\"] }").contains("\"recorded\", which there isn't"));
    assert!(said(rule, "{ question = \"record\", is = [\"never\"] }").contains("\"never\", which there isn't"));
    for nothing in ["{ question = \"record\", is = [] }", "{ question = \"breached\", is = [\"no\"] }"] {
        assert!(matches!(bad(rule, nothing), BadQuestions::NoContradiction(_)), "{nothing}");
    }
    let empty = DARA.split("[[question]]").next().unwrap();
    assert_eq!(QuestionSet::read(empty).unwrap_err(), BadQuestions::Count(0));
}

#[test]
fn a_copy_of_a_set_is_the_set() {
    let set = dash();
    let kept = serde_json::to_value(&set).unwrap();
    assert_eq!(serde_json::from_value::<QuestionSet>(kept).unwrap(), set);
}

#[test]
fn an_answer_comes_on_top_of_the_one_that_its_author_saw_or_not_at_all() {
    let save = |assessment: &super::Assessment, given| assessment.clone().save(given, &officer(), now());
    let (first, saved) = save(&begun(dash()), vec![(given("injured", "yes"), 0), (given("follows", "no"), 0)]).unwrap();
    assert_eq!((first.version, saved.len(), saved[0].version), (1, 2, 1));
    // Of a request whose second answer is late, the first isn't saved either.
    let late = save(&first, vec![(given("weapon", "yes"), 0), (given("injured", "no"), 0)]);
    assert_eq!(late.unwrap_err(), Refusal::Changed(Some("injured".to_owned())));
    let ahead = save(&first, vec![(given("injured", "no"), 2)]);
    assert_eq!(ahead.unwrap_err(), Refusal::Changed(Some("injured".to_owned())));
    let (second, saved) = save(&first, vec![(given("injured", "no"), 1)]).unwrap();
    assert_eq!((second.version, saved[0].version, second.chosen("injured")), (2, 2, Some("no")));

    let refused = |answers| save(&second, answers).unwrap_err();
    assert_eq!(refused(vec![(given("shoe-size", "yes"), 0)]), Refusal::UnknownQuestion("shoe-size".to_owned()));
    let wordy = |words: usize, note: usize| {
        let given = given("weapon", "yes");
        super::Given { words: "é".repeat(words), note: "é".repeat(note), ..given }
    };
    for bad in [
        vec![],
        vec![(given("weapon", "perhaps"), 0)],
        vec![(given("weapon", "yes"), 0), (given("weapon", "no"), 0)],
        vec![(wordy(1_001, 0), 0)],
        vec![(wordy(0, 1_001), 0)],
    ] {
        assert!(matches!(refused(bad), Refusal::InvalidAnswer { .. }));
    }
    assert!(save(&second, vec![(wordy(1_000, 1_000), 0)]).is_ok());
}

#[test]
fn nothing_prints_what_somebody_said() {
    let said = super::Given { words: "he knows".to_owned(), note: "crying".to_owned(), ..given("injured", "yes") };
    let printed = format!("{said:?}");
    assert!(!printed.contains("knows") && !printed.contains("crying") && !printed.contains("yes"), "{printed}");
}

#[test]
fn contradictions_are_found_and_go_when_they_are_corrected() {
    let answers = |pairs: &[(&str, &str)]| {
        let answers: Vec<_> = pairs.iter().map(|(q, c)| ((*q).to_owned(), (*c).to_owned())).collect();
        Finding::of(&super::answered(dash(), &answers), 1)
    };
    let finding = answers(&[("record", "no"), ("breached", "yes")]);
    assert_eq!(finding.contradictions.len(), 1);
    assert_eq!(finding.contradictions[0].questions, ["record", "breached"]);
    for fine in [&[("record", "yes"), ("breached", "yes")], &[("record", "not-asked"), ("breached", "yes")]] {
        assert!(answers(fine).contradictions.is_empty());
    }
    assert!(answers(&[("breached", "yes")]).contradictions.is_empty(), "one of them isn't answered yet");
    assert!(finding.unanswered.len() == 25 && finding.bold.is_empty() && finding.ticks == 1);
    assert_eq!(answers(&[("injured", "yes"), ("record", "not-asked")]).bold, ["injured"]);
    assert_eq!(answers(&[("record", "not-asked")]).unanswered.len(), 27, "as good as no answer");
}
