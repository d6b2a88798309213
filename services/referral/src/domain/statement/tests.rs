//! Nothing is in a draft that isn't on record, and everything that is.

use chrono::{NaiveDate, TimeZone};
use ids::PersonId;

use super::*;
use crate::domain::{Child, Details};

fn at(second: u32) -> DateTime<Utc> {
    // Summer: London is an hour ahead.
    Utc.with_ymd_and_hms(2026, 7, 1, 8, 14, second).unwrap()
}

fn person(part: Part, given: &str, child: Option<Child>) -> Person {
    let details = Details {
        part,
        given_name: given.to_owned(),
        family_name: "Jones".to_owned(),
        date_of_birth: (part == Part::Child).then(|| NaiveDate::from_ymd_opt(2018, 3, 4).unwrap()),
        gender: String::new(),
        language: String::new(),
        interpreter_needed: false,
        address: "1 Low Road".to_owned(),
        postcode: String::new(),
        phone: "+447700900123".to_owned(),
        email: String::new(),
        relationship: if part == Part::Child { "daughter".to_owned() } else { String::new() },
        needs: String::new(),
        safe_contact: None,
        child,
    };
    let id = PersonId::from(uuid::Uuid::from_u128(1));
    Person { id, details, version: 1, saved_by: "PC1".parse().unwrap(), saved_at: at(0) }
}

fn full() -> OnRecord {
    let child = Child {
        present: Known::Yes,
        saw_or_heard: Known::Yes,
        spoken_to: Known::Yes,
        spoken_to_alone: Known::No,
        voice: "He shouted at Mummy".to_owned(),
        ..Child::default()
    };
    OnRecord {
        officer: "PC 4411".to_owned(),
        spoke: None,
        incident: Some("2026-07-01 1123".to_owned()),
        session: (Some(at(0)), Some(at(59))),
        recorded: Some(true),
        consents: Some("video: given, recording: given".to_owned()),
        people: vec![person(Part::Victim, "Ann", None), person(Part::Child, "Mia", Some(child))],
        chapters: vec![Chapter { at: at(5), kind: "account".to_owned(), note: "what happened on Sunday".to_owned() }],
        lines: vec![Line { at: at(6), role: "caller".to_owned(), words: "he is asleep".to_owned() }],
        answers: vec![Told {
            question: "Are you frightened?".to_owned(),
            answer: "Yes. \u{201c}all the time\u{201d}".to_owned(),
        }],
        grade: Some(("high".to_owned(), "he has a key".to_owned())),
        referrals: vec!["MARAC, sent at 09:15".to_owned()],
        exhibits: vec!["ALC/7F3K9Q2M/1".to_owned()],
    }
}

#[test]
fn a_draft_says_what_is_on_record() {
    let text = draft(&full());
    for said in [
        "Statement of: PC 4411",
        "Incident: 2026-07-01 1123",
        "At 09:14 on 1 July 2026 I spoke by video with Ann Jones",
        "It was recorded.",
        "Mia Jones (a child, daughter, born 4 March 2018); was in the house; saw or heard what happened; was spoken to; \
         not alone; said: \u{201c}He shouted at Mummy\u{201d}.",
        "09:14:05 (account): what happened on Sunday",
        "09:14:06 caller: \u{201c}he is asleep\u{201d}",
        "\u{201c}Are you frightened?\u{201d} Yes. \u{201c}all the time\u{201d}",
        "I assessed the risk as high, because: he has a key.",
        "MARAC, sent at 09:15",
        "I produce as exhibits: ALC/7F3K9Q2M/1.",
        DECLARATION,
    ] {
        assert!(text.contains(said), "{said}\n---\n{text}");
    }
    // A statement is disclosed: where to find her is not for him to read.
    for kept in ["Low Road", "7700900123"] {
        assert!(!text.contains(kept), "{kept}");
    }
}

#[test]
fn what_is_not_on_record_is_left_to_the_officer() {
    let text = draft(&OnRecord::default());
    assert!(text.contains("At [...] I spoke by video with [...]"), "{text}");
    for invented in
        ["recorded", "Consent", "These people", "I asked", "risk", "going", "exhibits", "written in the call"]
    {
        assert!(!text.contains(invented), "{invented}\n---\n{text}");
    }
    let unasked = OnRecord { people: vec![person(Part::Child, "Mia", Some(Child::default()))], ..OnRecord::default() };
    assert!(draft(&unasked).contains("Mia Jones (a child, daughter, born 4 March 2018).\n"), "{}", draft(&unasked));
}

#[test]
fn each_version_is_written_on_the_last_one_and_a_declared_one_is_finished() {
    let written = |text: &str, declared| Statement {
        version: 9,
        text: text.to_owned(),
        declared,
        saved_by: "PC1".parse().unwrap(),
        saved_at: at(0),
    };
    let first = Statement::after(0, 0, written("At [...] I spoke", false)).unwrap();
    assert_eq!((first.version, first.declared), (1, false));
    let second = Statement::after(first.version, 1, written("At nine I spoke", true)).unwrap();
    assert_eq!((second.version, second.declared), (2, true));
    let refused = |base, text: &str, declared| Statement::after(first.version, base, written(text, declared)).err();
    assert_eq!(refused(0, "At nine I spoke", false), Some(BadStatement::Changed));
    assert_eq!(refused(2, "At nine I spoke", false), Some(BadStatement::Changed));
    assert_eq!(refused(1, "\n ", false), Some(BadStatement::Length));
    assert_eq!(refused(1, &"a".repeat(50_001), false), Some(BadStatement::Length));
    assert_eq!(refused(1, "At [...] I spoke", true), Some(BadStatement::Unfinished));
}

#[test]
fn what_another_officer_has_done_is_not_said_in_the_first_person() {
    let own = draft(&OnRecord { spoke: Some("PC 4411".to_owned()), ..full() });
    assert!(own.contains("I spoke by video") && own.contains("I assessed the risk"), "{own}");
    let anothers = draft(&OnRecord { spoke: Some("PC 1".to_owned()), ..full() });
    assert!(
        anothers.contains("I am PC 4411. At 09:14 on 1 July 2026 PC 1 spoke by video with Ann Jones"),
        "{anothers}"
    );
    for first_person in ["I spoke", "I marked", "I asked", "I assessed", "I set"] {
        assert!(!anothers.contains(first_person), "{first_person}");
    }
}
