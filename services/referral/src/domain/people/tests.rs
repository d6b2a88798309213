//! Who may be written down.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::{Child, SafeContact, Way};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn today() -> NaiveDate {
    day("2026-11-27")
}

fn details(part: Part) -> Details {
    Details {
        part,
        given_name: "Given".into(),
        family_name: "Family".into(),
        date_of_birth: None,
        gender: String::new(),
        language: String::new(),
        interpreter_needed: false,
        address: "1 Road\nTown".into(),
        postcode: "B1 1AA".into(),
        phone: "+447700900123".into(),
        email: "a@b.example".into(),
        relationship: String::new(),
        needs: String::new(),
        safe_contact: None,
        child: None,
    }
}

fn born(part: Part, relationship: &str, date: &str) -> Details {
    Details { relationship: relationship.into(), date_of_birth: Some(day(date)), ..details(part) }
}

fn person(n: u128, details: Details) -> Person {
    let saved_at = DateTime::<Utc>::UNIX_EPOCH;
    Person { id: uuid::Uuid::from_u128(n).into(), details, version: 1, saved_by: "pc.a".parse().unwrap(), saved_at }
}

fn new(details: Details) -> Saving {
    Saving { id: None, version: 0, details }
}

#[track_caller]
fn wrong(people: &[Person], details: Details) -> (&'static str, &'static str) {
    match save(people, &new(details), today()) {
        Err(PeopleRefusal::Invalid(InvalidPerson { field, rule })) => (field, rule),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_version_is_counted_and_an_older_one_is_refused() {
    let people = [person(1, details(Part::Victim))];
    let save = |id, version| {
        let id = id as Option<PersonId>;
        super::save(&people, &Saving { id, version, details: details(Part::Victim) }, today())
    };
    assert_eq!(save(Some(people[0].id), 1), Ok(2));
    assert_eq!(save(Some(people[0].id), 0), Err(PeopleRefusal::ChangedMeanwhile));
    assert_eq!(save(Some(people[0].id), 2), Err(PeopleRefusal::ChangedMeanwhile));
    assert_eq!(save(None, 1), Err(PeopleRefusal::ChangedMeanwhile));
    assert_eq!(save(Some(uuid::Uuid::from_u128(2).into()), 1), Err(PeopleRefusal::Unknown));
    assert_eq!(remove(&people, people[0].id, 1, false), Ok(2));
    assert_eq!(remove(&people, people[0].id, 2, false), Err(PeopleRefusal::ChangedMeanwhile));
    assert_eq!(remove(&people, people[0].id, 1, true), Err(PeopleRefusal::InUse));
}

#[test]
fn there_is_one_victim_and_up_to_32_people() {
    let victim = [person(1, details(Part::Victim))];
    assert_eq!(wrong(&victim, details(Part::Victim)).0, "role");
    let many: Vec<_> = (0..32).map(|n| person(n, details(Part::Other))).collect();
    assert_eq!(save(&many, &new(details(Part::Other)), today()), Err(PeopleRefusal::TooMany));
    assert_eq!(save(&many[1..], &new(details(Part::Other)), today()), Ok(1));
    let changed = Saving { id: Some(many[3].id), version: 1, details: details(Part::Suspect) };
    assert_eq!(save(&many, &changed, today()), Ok(2));
}

#[test]
fn each_field_has_its_rule() {
    type Spoil = fn(&mut Details);
    let spoilt: [(&str, Spoil); 18] = [
        ("given_name", |d| d.given_name = "n".repeat(101)),
        ("family_name", |d| d.family_name = "a\nb".into()),
        ("family_name", |d| d.family_name = "a\0b".into()),
        ("gender", |d| d.gender = "g".repeat(41)),
        ("language", |d| d.language = "Welsh please".into()),
        ("address", |d| d.address = "a".repeat(301)),
        ("postcode", |d| d.postcode = "B1, 1AA".into()),
        ("phone", |d| d.phone = "07700900123".into()),
        ("email", |d| d.email = "nobody".into()),
        ("email", |d| d.email = "a@b.example, c@d.example".into()),
        ("relationship", |d| d.relationship = "r".repeat(61)),
        ("needs", |d| d.needs = "n".repeat(501)),
        ("date_of_birth", |d| d.date_of_birth = Some(day("2026-11-28"))),
        ("date_of_birth", |d| d.date_of_birth = Some(day("1890-01-01"))),
        ("safe_contact.when", |d| d.safe_contact = Some(SafeContact { when: "w".repeat(201), ..Default::default() })),
        ("safe_contact.ways", |d| {
            d.safe_contact = Some(SafeContact { ways: vec![Way::Sms, Way::Sms], ..Default::default() });
        }),
        ("child", |d| d.child = Some(Child::default())),
        ("safe_contact", |d| {
            d.part = Part::Suspect;
            d.safe_contact = Some(SafeContact::default());
        }),
    ];
    for (field, spoil) in spoilt {
        let mut details = details(Part::Victim);
        spoil(&mut details);
        assert_eq!(wrong(&[], details).0, field);
    }
    let child = |child| Details { child: Some(child), ..details(Part::Child) };
    for (field, of) in [
        ("child.school", Child { school: "s".repeat(151), ..Default::default() }),
        ("child.voice", Child { voice: "v".repeat(2001), ..Default::default() }),
        ("child.chapters", Child { chapters: vec![2, 2], ..Default::default() }),
    ] {
        assert_eq!(wrong(&[], child(of)).0, field);
    }
    let voice = Child { voice: "he shouted\nand then".into(), chapters: vec![2, 3], ..Default::default() };
    assert_eq!(save(&[], &new(child(voice)), today()), Ok(1));
}

#[test]
fn a_child_is_under_18_until_the_day() {
    assert_eq!(wrong(&[], born(Part::Child, "", "2008-11-27")), ("date_of_birth", "a child is under 18"));
    assert_eq!(save(&[], &new(born(Part::Child, "", "2008-11-28")), today()), Ok(1));
    // Born on 29 February: of age on 1 March.
    let leap = new(born(Part::Child, "", "2008-02-29"));
    assert_eq!(save(&[], &leap, day("2026-02-28")), Ok(1));
    assert!(save(&[], &leap, day("2026-03-01")).is_err());
}

#[test]
fn nobody_is_as_old_as_their_parent_in_whatever_order_they_are_written_down() {
    const OLDER: (&str, &str) = ("date_of_birth", "a child is younger than its parent");
    let case = |victim: &str, suspect: (&str, &str), child: (&str, &str)| {
        let all = [
            born(Part::Victim, "", victim),
            born(Part::Suspect, suspect.0, suspect.1),
            born(Part::Child, child.0, child.1),
        ];
        let said: Vec<_> = (0..3)
            .map(|last| {
                let others: Vec<_> = (0..3).filter(|n| *n != last).map(|n| person(n as u128, all[n].clone())).collect();
                save(&others, &new(all[last].clone()), today())
            })
            .collect();
        assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
        said[0]
    };
    let refused = Err(PeopleRefusal::Invalid(InvalidPerson { field: OLDER.0, rule: OLDER.1 }));
    let husband = ("husband", "1990-01-01");
    assert_eq!(case("1992-02-02", husband, ("daughter", "2015-05-05")), Ok(1));
    assert_eq!(case("2015-05-05", husband, ("daughter", "2015-05-05")), refused);
    assert_eq!(case("2016-02-02", husband, ("my eldest son", "2015-05-05")), refused);
    // Nothing is concluded of somebody else's child, nor of a step-child.
    for other in ["her sister's son", "stepson", "son-in-law", "friend of my daughter", "", "grandson"] {
        assert_eq!(case("2016-02-02", husband, (other, "2015-05-05")), Ok(1), "{other}");
    }
    // The suspect, where it is said that they are the child's parent too.
    let young = ("husband", "2016-01-01");
    assert_eq!(case("1992-02-02", young, ("daughter", "2015-05-05")), Ok(1));
    assert_eq!(case("1992-02-02", young, ("our daughter", "2015-05-05")), refused);
    assert_eq!(
        case("1992-02-02", ("ex-partner, father of the children", "2016-01-01"), ("son", "2015-05-05")),
        refused
    );
    // A victim is a child too, and a suspect may be their son.
    assert_eq!(case("1992-02-02", ("father", "1993-01-01"), ("", "2015-05-05")), refused);
    assert_eq!(case("1992-02-02", ("father", "1960-01-01"), ("", "2015-05-05")), Ok(1));
    assert_eq!(case("1992-02-02", ("son", "1991-01-01"), ("", "2015-05-05")), refused);
}

proptest! {
    #[test]
    fn what_is_refused_is_never_quoted(name in ".{90,140}", relationship in ".{0,80}", email in ".{0,20}") {
        let details = Details { given_name: name.clone(), relationship, email: email.clone(), ..details(Part::Other) };
        if let Err(refusal) = save(&[], &new(details), today()) {
            let said = refusal.to_string();
            prop_assert!(!said.contains(&name) && (email.len() < 6 || !said.contains(&email)), "{}", said);
        }
    }
}
