//! What is said of whom, and what a partner isn't told.

use chrono::{DateTime, Utc};

use super::*;
use crate::domain::{
    Answer, Child, ConsentsEach, Kinds, Referral, Words,
    draft::{self, Onwards, Towards},
    referral::{Blocked, Recipient},
};

fn kinds() -> Kinds {
    toml::from_str(include_str!("../../../kinds.toml")).unwrap()
}

fn details(part: Part, given_name: &str) -> Details {
    Details {
        part,
        given_name: given_name.into(),
        family_name: "Finch".into(),
        date_of_birth: Some("1992-02-29".parse().unwrap()),
        gender: String::new(),
        language: String::new(),
        interpreter_needed: false,
        address: "1 Mill Lane\nBirmingham".into(),
        postcode: "B1 1AA".into(),
        phone: "+447700900123".into(),
        email: "a@b.example".into(),
        relationship: String::new(),
        needs: String::new(),
        safe_contact: None,
        child: None,
    }
}

fn people() -> Vec<Person> {
    let safe =
        SafeContact { ways: vec![Way::Email], when: "mornings".into(), never: "ring".into(), ..Default::default() };
    let child = Child {
        school: "Mill Lane Primary".into(),
        present: Known::Yes,
        saw_or_heard: Known::Unknown,
        ..Default::default()
    };
    let all = [
        Details { safe_contact: Some(safe), ..details(Part::Victim, "Vera") },
        Details { relationship: "husband".into(), ..details(Part::Suspect, "Sam") },
        Details {
            child: Some(child.clone()),
            date_of_birth: Some("2016-03-04".parse().unwrap()),
            ..details(Part::Child, "Mia")
        },
        Details { child: Some(child), date_of_birth: None, ..details(Part::Child, "Noor") },
    ];
    let person = |(n, details): (usize, &Details)| Person {
        id: uuid::Uuid::from_u128(n as u128).into(),
        details: details.clone(),
        version: 1,
        saved_by: "pc.a".parse().unwrap(),
        saved_at: DateTime::<Utc>::UNIX_EPOCH,
    };
    all.iter().enumerate().map(person).collect()
}

fn incident() -> IncidentRef {
    IncidentRef::parse("2026-11-24", "1123").unwrap()
}

fn filled(kind: &str, people: &[Person], about: Option<usize>) -> Vec<Field> {
    let risk =
        RiskWords { grade: "high".into(), because: "15 of 27".into(), answers: vec![("Afraid?".into(), "yes".into())] };
    let story = Story { incident: &incident(), people, risk: &risk };
    fill(kinds().get(kind).unwrap(), story, about.map(|n| people[n].id))
}

#[track_caller]
fn value(fields: &[Field], key: &str) -> String {
    fields.iter().find(|field| field.key == key).map(|field| field.value.clone()).expect(key)
}

#[test]
fn nothing_that_is_known_is_typed_again() {
    let people = people();
    for kind in ["idva", "marac", "encompass", "clares-law-ask", "housing"] {
        let about = (kind == "encompass").then_some(2);
        assert_eq!(missing(&filled(kind, &people, about)), Vec::<String>::new(), "{kind}");
    }
    let notice = filled("encompass", &people, Some(2));
    for (key, said) in [
        ("child.name", "Mia Finch"),
        ("child.date_of_birth", "4 March 2016"),
        ("child.school", "Mill Lane Primary"),
        ("child.present", "yes"),
        ("child.saw_or_heard", "asked, and not known"),
        ("incident.reference", "2026-11-24/1123"),
        ("contact", "Do not contact the family about this."),
    ] {
        assert_eq!(value(&notice, key), said);
    }
    assert_eq!(missing(&filled("encompass", &people, Some(3))), ["child.date_of_birth"]);
    let marac = filled("marac", &people, None);
    assert_eq!(value(&marac, "children"), "Mia Finch, born 4 March 2016; Noor Finch");
    assert_eq!(
        (value(&marac, "suspect.relationship"), value(&marac, "risk.answers.1")),
        ("husband".into(), "yes".into())
    );
}

#[test]
fn a_number_that_is_not_safe_is_told_to_nobody_who_would_ring_it() {
    let mut people = people();
    let idva = filled("idva", &people, None);
    assert_eq!((value(&idva, "victim.phone"), value(&idva, "victim.email")), (String::new(), "a@b.example".into()));
    assert_eq!(value(&idva, "victim.safe_contact.ways"), "e-mail");
    assert_eq!(value(&idva, "victim.safe_contact.never"), "ring");
    assert_eq!(value(&filled("marac", &people, None), "victim.phone"), "+447700900123");
    // Nor where they live, as long as letters aren't safe; but where the referral is about just that.
    assert_eq!(value(&idva, "victim.address"), "");
    for kind in ["marac", "housing", "clares-law-ask"] {
        assert_eq!(value(&filled(kind, &people, None), "victim.address"), "1 Mill Lane, Birmingham, B1 1AA", "{kind}");
    }
    let ways = &mut people[0].details.safe_contact.as_mut().unwrap().ways;
    ways.push(Way::Post);
    assert_eq!(value(&filled("idva", &people, None), "victim.address"), "1 Mill Lane, Birmingham, B1 1AA");
    // Nothing is known to be safe: it can't go to who would make contact.
    people[0].details.safe_contact = None;
    assert_eq!(missing(&filled("idva", &people, None)), ["victim.safe_contact.ways"]);
    // A school is told no way at all.
    let all = filled("encompass", &people, Some(2));
    assert!(all.iter().all(|field| !field.key.starts_with("victim.") && field.value != "+447700900123"));
}

#[test]
fn a_draft_says_what_keeps_it_and_is_another_when_it_says_something_else() {
    let (people, kinds) = (people(), kinds());
    let idva = kinds.get("idva").unwrap();
    let risk = RiskWords { grade: "medium".into(), ..Default::default() };
    let one = Referral::draft(uuid::Uuid::from_u128(9).into(), ("idva", None), (None, "x"), DateTime::UNIX_EPOCH);
    let view = |one: &Referral, people: &[Person], consents: &ConsentsEach, towards: Option<&Towards>| {
        draft::view(one, idva, Story { incident: &incident(), people, risk: &risk }, consents, towards)
    };
    let none = ConsentsEach::default();
    let bare = view(&one, &[], &none, None);
    assert_eq!(bare.blocked, [Blocked::FieldsMissing, Blocked::ConsentMissing, Blocked::NoPartner]);

    let mut agreed = ConsentsEach::default();
    agreed.referrals.insert("idva/1".into(), Answer { given: true, version: 3 });
    let mut refused = agreed.clone();
    refused.referrals.insert("idva/1".into(), Answer { given: false, version: 4 });
    let partner = Recipient { id: "wmp-idva".into(), name: "Advisers".into(), phone: "0121".into() };
    let towards = |way| Towards { partner: partner.clone(), in_area: true, way };
    let ready = view(&one, &people, &agreed, Some(&towards(Onwards::Email)));
    assert_eq!(ready.blocked, []);
    assert_eq!(view(&one, &people, &refused, Some(&towards(Onwards::Email))).blocked, [Blocked::ConsentMissing]);
    assert_eq!(view(&one, &people, &agreed, Some(&towards(Onwards::ByHand))).blocked, [Blocked::NoRoute]);

    let again = view(&one, &people, &agreed, Some(&towards(Onwards::Webhook)));
    assert_eq!(again.version, ready.version, "the same words");
    let noted = one.clone().rewrite(None, (Words("please ring the school".into()), None)).unwrap();
    let mut moved = people.clone();
    moved[0].details.given_name = "Verity".into();
    let versions = [
        ready.version,
        bare.version,
        view(&noted, &people, &agreed, Some(&towards(Onwards::Email))).version,
        view(&one, &moved, &agreed, Some(&towards(Onwards::Email))).version,
        view(&one, &people, &agreed, None).version,
    ];
    let different: std::collections::BTreeSet<_> = versions.iter().collect();
    assert_eq!(different.len(), versions.len());
}
