//! Random commands, duplicates, late ones and one person under many spellings: nothing ever goes that may not.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;

/// Three people, under spellings of each.
const NAMES: [(u8, &str); 8] = [
    (0, "Insp 4411"),
    (0, "INSP 4411"),
    (0, " insp\u{a0}4411"),
    (0, "insp-44\u{200b}11"),
    (1, "Supt Öz"),
    (1, "SUPT ÖZ."),
    (2, "ri 7"),
    (2, "RI7"),
];
const TERMS: [(&str, i64); 3] = [("default", 10), ("long", 30), ("short", 1)];

#[derive(Debug, Clone)]
enum Command {
    Wait(u8),
    Seal,
    Place,
    Release(u8),
    Review(usize, Option<usize>, bool),
    Dispose(InTheWay),
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let one = prop_oneof![
        3 => (0_u8..20).prop_map(Command::Wait),
        1 => Just(Command::Seal),
        1 => Just(Command::Place),
        2 => (0_u8..4).prop_map(Command::Release),
        6 => (0..NAMES.len(), prop::option::of(0..4_usize), prop::bool::weighted(0.8))
            .prop_map(|(name, class, dispose)| Command::Review(name, class, dispose)),
        3 => [prop::bool::weighted(0.1), prop::bool::weighted(0.1), prop::bool::weighted(0.1)]
            .prop_map(|[held, addendum_open, copies_out]| Command::Dispose(InTheWay { held, addendum_open, copies_out })),
    ];
    prop::collection::vec(one, 0..60)
}

fn classes() -> Classes {
    let days = TERMS.iter().map(|(name, days)| ((*name).to_owned(), u32::try_from(*days).unwrap()));
    Classes::new("default", &days.collect())
}

fn day(day: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(day)
}

fn hold(n: u8, now: DateTime<Utc>) -> Hold {
    let id = Uuid::from_u128(n.into());
    Hold { id, placed_by: "DO 1".into(), reason: "appeal".into(), placed_at: now, released_at: None }
}

/// What the rules come to, kept in another way: who may be counted, which holds stand, the day.
#[derive(Default)]
struct Oracle {
    today: i64,
    due: Option<i64>,
    class: usize,
    standing: Vec<bool>,
    said: Vec<u8>,
    gone: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn nothing_goes_that_may_not(commands in commands()) {
        let classes = classes();
        let mut oracle = Oracle::default();
        let mut is = Retention::of_new(&classes, None);
        for command in commands {
            let before = is.clone();
            let now = day(oracle.today);
            match command {
                Command::Wait(days) => oracle.today += i64::from(days),
                Command::Seal if oracle.due.is_none() => {
                    oracle.due = Some(oracle.today + TERMS[0].1);
                    is.due_at = Retention::of_new(&classes, Some(now)).due_at;
                }
                Command::Seal => {}
                Command::Place => {
                    let placed = is.place_hold(hold(oracle.standing.len() as u8, now));
                    prop_assert_eq!(placed.is_err(), oracle.gone);
                    if !oracle.gone {
                        oracle.standing.push(true);
                    }
                    is = placed.unwrap_or(before);
                }
                Command::Release(n) => {
                    let released = is.release_hold(Uuid::from_u128(n.into()), now);
                    let expected = match oracle.standing.get_mut(usize::from(n)) {
                        None => Err(Refusal::UnknownHold),
                        Some(false) => Err(Refusal::AlreadyReleased),
                        Some(standing) => { *standing = false; Ok(()) }
                    };
                    prop_assert_eq!(released.as_ref().map(drop).map_err(|e| *e), expected);
                    is = released.unwrap_or(before);
                }
                Command::Review(name, class, dispose) => {
                    let (person, who) = NAMES[name];
                    let review = Review { who: who.into(), reason: "read it".into(), at: now };
                    let named = class.map(|n| TERMS.get(n).map_or("unheard of", |(name, _)| *name).to_owned());
                    let decision = if dispose { Decision::Dispose } else { Decision::Retain(named) };
                    let reviewed = is.review(review, decision, &classes);
                    let expected = if oracle.gone {
                        Err(Refusal::Disposed)
                    } else if oracle.due.is_none() {
                        Err(Refusal::NotSealed)
                    } else if !dispose && class == Some(TERMS.len()) {
                        Err(Refusal::InvalidClass)
                    } else if !dispose {
                        oracle.class = class.unwrap_or(oracle.class);
                        oracle.due = oracle.due.max(Some(oracle.today + TERMS[oracle.class].1));
                        oracle.said.clear();
                        Ok(())
                    } else if oracle.due > Some(oracle.today) {
                        Err(Refusal::NotDue)
                    } else if oracle.said.contains(&person) {
                        Err(Refusal::SamePerson)
                    } else {
                        oracle.said.push(person);
                        Ok(())
                    };
                    prop_assert_eq!(reviewed.as_ref().map(drop).map_err(|e| *e), expected);
                    is = reviewed.unwrap_or(before);
                }
                Command::Dispose(others) => {
                    let may = is.may_go(others);
                    let held = others.held || oracle.standing.contains(&true);
                    let ready = oracle.due.is_some() && oracle.said.len() >= 2;
                    prop_assert_eq!(may.is_ok(), ready && !held && !others.addendum_open && !others.copies_out && !oracle.gone, "{:?}", may);
                    if may.is_ok() {
                        oracle.gone = true;
                        is.disposal = Some(Disposal { tombstone: Digest::of(b""), begun_at: now, destroyed_at: None });
                    }
                }
            }
            prop_assert_eq!(is.due_at, oracle.due.map(day));
            prop_assert_eq!(is.on_hold(), oracle.standing.contains(&true));
            prop_assert_eq!(is.reviews.len(), oracle.said.len());
            prop_assert_eq!(is.class.as_str(), TERMS[oracle.class].0);
        }
    }
}

#[test]
fn without_a_default_nothing_is_ever_due() {
    let classes = Classes::new("default", &BTreeMap::from([("other".to_owned(), 1)]));
    assert_eq!(Retention::of_new(&classes, Some(day(0))).due_at, Some(DateTime::<Utc>::MAX_UTC));
}

#[test]
fn a_class_that_is_gone_from_the_configuration_keeps_its_exhibits() {
    let mut is = Retention::of_new(&classes(), Some(day(0)));
    is.class = "abolished".into();
    let review = Review { who: "a".into(), reason: "b".into(), at: day(50) };
    let is = is.review(review, Decision::Retain(None), &classes()).unwrap();
    assert_eq!((is.class.as_str(), is.due_at), ("abolished", Some(day(60))));
}
