//! The package under facts in any order, twice, early and late; and the checklist that ships.

use ids::{ExhibitId, IncidentRef, OfficerId, SessionId};
use proptest::prelude::*;

use super::*;

const SHIPPED: &str = include_str!("../../checklist.toml");

fn shipped() -> Checklist {
    toml::from_str(SHIPPED).unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

fn package() -> Package {
    Package::gathering(CallId::from(uuid(1)), "wmp".parse().unwrap())
}

fn with(officer: Option<&str>, version: u64) -> With {
    With { officer: officer.map(|officer| officer.parse().unwrap()), version }
}

fn ended(recorded: bool) -> Ended {
    Ended { session: SessionId::from(uuid(2)), recorded, times: None }
}

#[derive(Debug, Clone)]
enum Came {
    Fact(Fact),
    Ended,
}

/// One call's facts, as the services give them.
fn story() -> Vec<Came> {
    let exhibit = ExhibitId::from(uuid(3));
    let consented = |answers: &[(ConsentKind, bool)], version| {
        let answers = answers.iter().map(|(kind, given)| (Consent::Call(*kind), *given));
        let referral = (Consent::Referral("idva/1".to_owned()), version == 3);
        Came::Fact(Fact::Consented { answers: answers.chain([referral]).collect(), version })
    };
    vec![
        consented(&[(ConsentKind::Video, true), (ConsentKind::Recording, false)], 2),
        consented(&[(ConsentKind::Recording, true)], 3),
        Came::Fact(Fact::Accepted(IncidentRef::parse("2026-11-24", "1123").unwrap(), with(Some("pc.a"), 4))),
        Came::Fact(Fact::Moved(with(Some("pc.b@kent"), 6))),
        Came::Fact(Fact::ExhibitOpened { id: exhibit, reference: "WMP/1".into() }),
        Came::Fact(Fact::ExhibitSealed { id: exhibit, reference: "WMP/1".into(), seal: "ab".repeat(32) }),
        Came::Ended,
    ]
}

fn apply(package: Package, came: Came) -> (Package, Heard, Vec<Event>) {
    match came {
        Came::Fact(fact) => {
            let (package, heard) = package.hear(fact);
            (package, heard, vec![])
        }
        Came::Ended => package.session_ended(ended(true), PackageId::from(uuid(4)), &shipped(), now()),
    }
}

proptest! {
    #[test]
    fn any_order_and_any_repeats_come_to_the_same_package(
        order in Just(story()).prop_shuffle(),
        repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut told = package();
        for came in story() {
            told = apply(told, came).0;
        }
        let mut package = package();
        let mut opened = 0;
        let again: Vec<Came> = repeats.iter().map(|index| index.get(&order).clone()).collect();
        for came in order.into_iter().chain(again) {
            let (next, heard, events) = apply(package, came);
            prop_assert_ne!(heard, Heard::Conflict);
            opened += events.len();
            package = next;
        }
        prop_assert_eq!(opened, 1);
        prop_assert_eq!(&package, &told);

        let kept = serde_json::to_value(&package.facts).unwrap();
        prop_assert_eq!(serde_json::from_value::<Facts>(kept).unwrap(), package.facts);
    }

    #[test]
    fn the_score_is_of_what_is_required(take in prop::collection::vec(any::<bool>(), 6), recorded in any::<bool>()) {
        let mut package = package();
        for (came, take) in story().into_iter().zip(take) {
            if take {
                package = apply(package, came).0;
            }
        }
        let id = PackageId::from(uuid(4));
        let package = package.session_ended(ended(recorded), id, &shipped(), now()).0;
        let view = package.view(&shipped(), &Work::default());
        let required = view.items.iter().filter(|i| i.required && i.state != ItemState::NotApplicable).count();
        let missing = view.missing().count();
        prop_assert_eq!(view.score_percent as usize, (required - missing) * 100 / required);
        prop_assert!(view.score_percent < 100);
    }
}

#[test]
fn items_say_what_fills_them() {
    let full = story().into_iter().fold(package(), |package, came| apply(package, came).0);
    let view = full.view(&shipped(), &Work::default());
    let state = |key: &str| view.items.iter().find(|item| item.key == key).unwrap().state.clone();
    assert_eq!(state("emergency-call-reference"), ItemState::Present("2026-11-24 1123".into()));
    assert_eq!(state("consent"), ItemState::Present("video: given, recording: given".into()));
    assert_eq!(state("initial-account"), ItemState::Present("WMP/1".into()));
    assert_eq!(state("exhibit-list"), ItemState::Present("WMP/1".into()));
    assert_eq!(state("officer-statement"), ItemState::Missing);
    // A sealed recording is no schedule.
    assert_eq!(state("disclosure-schedule"), ItemState::Missing);
}

#[test]
fn a_lent_officer_has_the_call_until_another_has_it_it_is_given_back_or_over() {
    let lent: OfficerId = "pc.b@kent".parse().unwrap();
    let has = |package: &Package| package.facts.is_with_lent(&lent);
    let told = |story: &[Came]| story.iter().cloned().fold(package(), |package, came| apply(package, came).0);
    let story = story();
    assert!(!has(&told(&story[..3])) && has(&told(&story[..4])));
    assert!(!has(&told(&story)), "over");
    for (after, theirs) in [(with(Some("pc.a"), 8), false), (with(None, 8), false), (with(Some("pc.a"), 5), true)] {
        assert_eq!(has(&told(&story[..4]).hear(Fact::Moved(after)).0), theirs);
    }
    // An officer of the force itself isn't lent: the guard lets them in by their role.
    assert!(!told(&story[..3]).facts.is_with_lent(&"pc.a".parse().unwrap()));
}

#[test]
fn a_referral_s_last_word_is_kept() {
    let told = story().into_iter().fold(package(), |package, came| apply(package, came).0);
    assert_eq!(told.facts.consents_each.referrals["idva/1"], Answer { given: true, version: 3 });
}

#[test]
fn work_and_notes_fill_what_is_theirs_and_with_all_of_it_nothing_is_missing() {
    let pictured = |name: &str| Came::Fact(Fact::Pictured(name.to_owned()));
    let full = story().into_iter().chain([
        pictured("still-1"),
        pictured("still-2"),
        pictured("photograph-1"),
        pictured("still-1"),
    ]);
    let full = full.fold(package(), |package, came| apply(package, came).0);
    let note = |applies, text: &str| Note { applies, text: text.to_owned(), by: "pc.a".parse().unwrap(), at: now() };
    let mut work = Work {
        risk: Some("high, by judgement".into()),
        history: Some("no earlier call of the same people".into()),
        people: Some("1 child, 0 others".into()),
        children: 1,
        referrals: Some("MARAC".into()),
        follow_ups: None,
        statement: Some("version 2".into()),
        schedule: Some("version 1".into()),
        notes: [("bail-and-civil-orders".to_owned(), note(true, "a DVPN is asked for"))].into(),
    };
    let view = full.view(&shipped(), &work);
    assert_eq!(view.missing().collect::<Vec<_>>(), Vec::<&str>::new());
    assert_eq!(view.score_percent, 100);
    let state = |view: &View, key: &str| view.items.iter().find(|item| item.key == key).unwrap().state.clone();
    assert_eq!(state(&view, "photographs"), ItemState::Present("2 stills, 1 photograph".into()));
    assert_eq!(state(&view, "bail-and-civil-orders"), ItemState::Present("a DVPN is asked for".into()));
    work.notes = [("bail-and-civil-orders".to_owned(), note(false, "no suspect is known"))].into();
    assert_eq!(state(&full.view(&shipped(), &work), "bail-and-civil-orders"), ItemState::NotApplicable);
    // What fills itself isn't answered by a note, and nothing is said by no words.
    for (key, text, refused) in [
        ("consent", "done", BadNote::UnknownItem),
        ("no-such", "done", BadNote::UnknownItem),
        ("medical-consent", " ", BadNote::Length),
        ("medical-consent", "asked\0", BadNote::Length),
        ("medical-consent", &"a".repeat(1_001), BadNote::Length),
    ] {
        assert_eq!(Note::on(&shipped(), key, note(true, text)).unwrap_err(), refused, "{key}");
    }
}

#[test]
fn refused_stills_leave_no_photographs_missing() {
    let refused = Fact::Consented { answers: vec![(Consent::Call(ConsentKind::Stills), false)], version: 2 };
    let package = package().hear(refused).0.session_ended(ended(true), PackageId::from(uuid(4)), &shipped(), now()).0;
    assert!(package.view(&shipped(), &Work::default()).missing().all(|key| key != "photographs"));
}

#[test]
fn a_refused_recording_leaves_nothing_missing_by_it() {
    let (package, ..) = package().session_ended(ended(false), PackageId::from(uuid(4)), &shipped(), now());
    let view = package.view(&shipped(), &Work::default());
    assert!(view.missing().all(|key| key != "initial-account" && key != "exhibit-list"));
    assert!(view.items.iter().any(|item| item.state == ItemState::NotApplicable));
}

#[test]
fn a_contradiction_never_replaces_what_is_kept() {
    let sealed = |n, seal: &str| Fact::ExhibitSealed {
        id: ExhibitId::from(uuid(n)),
        reference: "WMP/1".into(),
        seal: seal.into(),
    };
    let (first, _) = package().hear(sealed(3, "aa"));
    for other in [sealed(3, "bb"), sealed(9, "aa")] {
        let (after, heard) = first.clone().hear(other);
        assert_eq!((after, heard), (first.clone(), Heard::Conflict));
    }
}

#[test]
fn a_checklist_that_makes_no_sense_is_refused() {
    let item = "[[item]]\nkey = \"a\"\ntitle = \"A\"\nrequired = true\n";
    let read = |text: String| toml::from_str::<Checklist>(&text).map_err(|error| error.to_string());
    assert!(read(format!("version = \"1\"\n{item}")).is_ok());
    for (bad, why) in [
        (format!("version = \"\"\n{item}"), "no version"),
        (format!("version = \"1\"\n{item}{item}"), "comes twice"),
        (format!("version = \"1\"\n{}", item.replace("\"a\"", "\"A b\"")), "lower-case"),
        (format!("version = \"1\"\n{}", item.replace("\"A\"", "\" \"")), "no title"),
        (format!("version = \"1\"\n{}", item.replace("true", "false")), "requires nothing"),
        (format!("version = \"1\"\n{item}colour = 1\n"), "unknown field"),
        (format!("version = \"1\"\n{item}filled_by = \"hope\"\n"), "unknown variant"),
    ] {
        let error = read(bad).unwrap_err();
        assert!(error.contains(why), "{error} should say {why}");
    }
}
