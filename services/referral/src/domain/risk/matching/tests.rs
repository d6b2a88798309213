#![allow(clippy::unwrap_used)]
//! Who is found, how sure that is, and that whoever can be found has a key by which they are.

use proptest::prelude::*;

use super::{Certainty, Profile, compare};
use crate::domain::{Details, Part};

fn details(part: Part, given: &str, family: &str, birth: &str) -> Details {
    let text = str::to_owned;
    Details {
        part,
        given_name: text(given),
        family_name: text(family),
        date_of_birth: birth.parse().ok(),
        gender: String::new(),
        language: String::new(),
        interpreter_needed: false,
        address: String::new(),
        postcode: String::new(),
        phone: String::new(),
        email: String::new(),
        relationship: String::new(),
        needs: String::new(),
        safe_contact: None,
        child: None,
    }
}

fn victim(given: &str, family: &str, birth: &str) -> Details {
    details(Part::Victim, given, family, birth)
}

fn home(details: Details, address: &str, postcode: &str) -> Details {
    Details { address: address.to_owned(), postcode: postcode.to_owned(), ..details }
}

fn phone(details: Details, phone: &str) -> Details {
    Details { phone: phone.to_owned(), ..details }
}

fn compared(now: &[Details], then: &[Details]) -> Option<(Certainty, String)> {
    let profiles = |people: &[Details]| people.iter().filter_map(Profile::of).collect::<Vec<_>>();
    compare(&profiles(now), &profiles(then)).map(|(certainty, because)| (certainty, because.join("; ")))
}

#[track_caller]
fn found(now: &Details, then: &Details) -> (Certainty, String) {
    compared(std::slice::from_ref(now), std::slice::from_ref(then)).unwrap()
}

#[test]
fn spelling_does_not_matter() {
    let zoe = victim("Anne-Zoë", "O'Brien", "1990-03-07");
    for (given, family) in [("anne zoe", "OBRIEN"), ("ANNE-ZOE\u{308}", "O’Brien"), ("Anne Zoë ", "o brien")] {
        let (certainty, because) = found(&zoe, &victim(given, family, "1990-03-07"));
        assert_eq!((certainty, &*because), (Certainty::NearlyCertain, "name and date of birth of the victim"));
    }
    assert_eq!(
        found(&victim("Łukasz", "Groß", "1990-03-07"), &victim("lukasz", "gross", "1990-03-07")).0,
        Certainty::NearlyCertain
    );
    let flat = home(victim("A", "", ""), "Flat 2\n14 High Street", "cf10 1aa");
    let written = home(victim("B", "", ""), "14 High St, flat 2", "CF101AA");
    assert_eq!(found(&flat, &written), (Certainty::Possible, "address of the victim".to_owned()));
    let ring = |number| phone(victim("", "", ""), number);
    assert_eq!(found(&ring("+44 7700 900123"), &ring("07700900123")).1, "phone number of the victim");
}

#[test]
fn how_sure_it_is_goes_by_what_is_the_same() {
    use Certainty::{NearlyCertain, Possible, Probable};
    let maria = victim("Maria", "Kowalska", "1985-04-09");
    let level = |then: Details| compared(std::slice::from_ref(&maria), &[then]).map(|(certainty, _)| certainty);
    assert_eq!(level(victim("Maria", "Kowalska", "1985-04-09")), Some(NearlyCertain));
    assert_eq!(level(victim("Kowalska", "Maria", "1985-04-09")), Some(Probable), "names the other way round");
    assert_eq!(level(victim("Maria", "Kowalska", "1985-09-04")), Some(Probable), "day and month the other way round");
    assert_eq!(level(victim("Maria", "Kowalski", "1985-04-09")), Some(Probable), "nearly the name");
    assert_eq!(level(victim("Mariah", "Kowalski", "1985-09-04")), Some(Possible));
    assert_eq!(level(victim("Maria", "Kowalska", "")), Some(Possible), "no date of birth");
    assert_eq!(level(victim("Maria", "Smith", "1985-04-09")), Some(Possible), "married");
    assert_eq!(level(victim("Maria", "Kowalska", "1971-01-01")), None, "somebody else by the name");
    assert_eq!(level(victim("Joan", "Smith", "1985-04-09")), None, "born on the same day");
    assert_eq!(level(victim("Marian", "Kowalska", "")), None, "nearly the name, and nothing else");
    assert_eq!(level(victim("", "", "")), None);
    assert_eq!(level(details(Part::Child, "Maria", "Kowalska", "1985-04-09")), None, "children aren't looked for");

    let ringing = |name: Details| phone(name, "+447700900123");
    assert_eq!(found(&ringing(maria.clone()), &ringing(victim("", "", ""))).0, Probable);
    assert_eq!(
        found(&ringing(maria.clone()), &ringing(victim("Joan", "Smith", ""))).0,
        Possible,
        "a number changes hands"
    );
    let at_home = |name: Details| home(name, "14 High Street", "CF10 1AA");
    assert_eq!(found(&at_home(maria.clone()), &at_home(victim("Mary", "Kowalska", ""))).0, Possible);
    assert_eq!(found(&at_home(maria.clone()), &at_home(victim("Marya", "Kowalska", ""))).0, Probable);
    let next_door = home(victim("Joan", "Smith", ""), "16 High Street", "CF10 1AA");
    assert_eq!(compared(&[at_home(maria.clone())], &[next_door]), None);
}

#[test]
fn two_people_together_are_no_chance_and_roles_may_have_been_others() {
    let suspect = |given, family, birth| details(Part::Suspect, given, family, birth);
    let now = [victim("Maria", "Kowalska", ""), suspect("Jan", "Kowalski", "")];
    let (certainty, because) = compared(&now, &now).unwrap();
    assert_eq!(certainty, Certainty::Probable);
    assert!(because.contains("name of the victim") && because.contains("name of the suspect"), "{because}");
    let (certainty, because) =
        found(&victim("Jan", "Kowalski", "1985-04-09"), &suspect("Jan", "Kowalski", "1985-04-09"));
    assert_eq!(certainty, Certainty::Possible);
    assert_eq!(because, "name and date of birth of the victim, then the suspect");
}

fn person() -> impl Strategy<Value = Details> {
    let part = proptest::sample::select(vec![Part::Victim, Part::Suspect]);
    let name = || proptest::sample::select(vec!["", "Maria", "Mária", "Marie", "Kowalska", "Kowalski", "Jan"]);
    let birth = proptest::sample::select(vec!["", "1985-04-09", "1985-09-04", "1985-04-10", "1971-01-01"]);
    let phone = proptest::sample::select(vec!["", "", "+447700900123", "+447700900124"]);
    let place = proptest::sample::select(vec![
        ("", ""),
        ("", "CF10 1AA"),
        ("14 High Street", "cf101aa"),
        ("The Mill", "CF10 1AA"),
    ]);
    (part, name(), name(), birth, phone, place).prop_map(|(part, given, family, birth, number, (address, postcode))| {
        home(self::phone(details(part, given, family, birth), number), address, postcode)
    })
}

proptest! {
    #[test]
    fn whoever_is_alike_has_a_key_in_common_and_it_is_as_sure_either_way(
        now in prop::collection::vec(person(), 0..4),
        then in prop::collection::vec(person(), 0..4),
        further in person(),
    ) {
        let level = |now: &[Details], then: &[Details]| compared(now, then).map(|(certainty, _)| certainty);
        let keys = |people: &[Details]| {
            people.iter().filter_map(Profile::of).flat_map(|profile| profile.keys()).collect::<std::collections::BTreeSet<_>>()
        };
        let sure = level(&now, &then);
        prop_assert!(sure.is_none() || !keys(&now).is_disjoint(&keys(&then)));
        prop_assert_eq!(sure, level(&then, &now));
        let reversed: Vec<_> = now.iter().rev().cloned().collect();
        prop_assert_eq!(compared(&now, &then), compared(&reversed, &then));
        // Whoever else is written down takes nothing away.
        let more: Vec<_> = now.into_iter().chain([further]).collect();
        prop_assert!(level(&more, &then) >= sure);
    }
}
