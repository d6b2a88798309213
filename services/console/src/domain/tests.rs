//! From the beginning of a sign-in to its end, in any order of events.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use chrono::{DateTime, TimeDelta, Utc};
use ids::Secret;
use proptest::prelude::*;

use super::*;

fn session(officer: u8) -> Session {
    let grant = Grant { access: Secret::new(String::new()), access_until: DateTime::UNIX_EPOCH, refresh: None };
    let id = format!("pc-{officer}").parse().unwrap();
    let officer = Officer { id, name: String::new(), force: "wmp".parse().unwrap(), roles: Vec::new() };
    Session { sid: Some(format!("sid of {}", officer.id)), officer, grant }
}

const LIMITS: Limits = Limits { idle: TimeDelta::minutes(30), absolute: TimeDelta::minutes(100), most: 4 };

#[derive(Debug, Clone)]
enum Event {
    Begin(u8, u8),
    Touch(u8),
    End(u8),
    EndAll(u8),
    EndSid(u8),
    Pass(i64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..8_u8, 0..3_u8).prop_map(|(browser, officer)| Event::Begin(browser, officer)),
        3 => (0..8_u8).prop_map(Event::Touch),
        1 => (0..8_u8).prop_map(Event::End),
        1 => (0..3_u8).prop_map(Event::EndAll),
        1 => (0..3_u8).prop_map(Event::EndSid),
        3 => (0..45_i64).prop_map(Event::Pass),
    ]
}

fn key(browser: u8) -> Key {
    Key::of(&browser.to_string())
}

/// Whose, since when, when they last did something, and what ends with it.
type Modelled = (u8, DateTime<Utc>, DateTime<Utc>, Rc<()>);

proptest! {
    /// Against a list that is kept the simple way: who is in, since when, and when they last did something.
    #[test]
    fn a_session_holds_while_its_officer_is_there_and_no_longer_than_a_shift(events in prop::collection::vec(event(), 0..60)) {
        let mut sessions = Sessions::new(LIMITS);
        let mut model: BTreeMap<u8, Modelled> = BTreeMap::new();
        let mut now = DateTime::UNIX_EPOCH;
        for event in events {
            match event {
                Event::Begin(browser, officer) => {
                    let attached = Rc::new(());
                    sessions.begin(key(browser), session(officer), Rc::clone(&attached), now);
                    let room: BTreeSet<u8> =
                        (0..8).filter(|other| sessions.find(key(*other), now).is_some()).collect();
                    // Whoever had to make room was idle for as long as anybody.
                    let gone: Vec<_> = model.keys().copied().filter(|other| !room.contains(other)).collect();
                    for other in gone {
                        let (_, _, acted, _) = model.remove(&other).unwrap();
                        prop_assert!(model.values().all(|(_, _, later, _)| *later >= acted));
                    }
                    model.insert(browser, (officer, now, now, attached));
                }
                Event::Touch(browser) => {
                    let there = model.get_mut(&browser).map(|(_, _, acted, _)| *acted = now).is_some();
                    prop_assert_eq!(sessions.touch(key(browser), now), there);
                }
                Event::End(browser) => {
                    prop_assert_eq!(sessions.end(key(browser)).is_some(), model.remove(&browser).is_some());
                }
                Event::EndAll(officer) => {
                    sessions.end_all(&session(officer).officer.id);
                    model.retain(|_, (whose, ..)| *whose != officer);
                }
                Event::EndSid(officer) => {
                    sessions.end_sid(&session(officer).sid.unwrap());
                    model.retain(|_, (whose, ..)| *whose != officer);
                }
                Event::Pass(minutes) => {
                    now += TimeDelta::minutes(minutes);
                    model.retain(|_, (_, began, acted, _)| {
                        now < *began + LIMITS.absolute && now < *acted + LIMITS.idle
                    });
                }
            }
            for browser in 0..8 {
                let found = sessions.find(key(browser), now).map(|(session, _)| session.clone());
                prop_assert_eq!(found, model.get(&browser).map(|(officer, ..)| session(*officer)));
            }
            prop_assert!(model.len() <= LIMITS.most);
            sessions.sweep(now);
            prop_assert!(sessions.next_end().is_none_or(|next| next > now));
            // What was attached to one that ended is gone, too.
            prop_assert!(model.values().all(|(.., attached)| Rc::strong_count(attached) == 2));
        }
    }

    #[test]
    fn a_ticket_is_worth_something_to_its_maker_only(key in any::<[u8; 32]>(), other in any::<[u8; 32]>(), random in any::<[u8; 32]>(), made_up in ".{0,60}") {
        let (mine, theirs, now) = (Beginnings::new(&key), Beginnings::new(&other), DateTime::UNIX_EPOCH);
        let ticket = mine.ticket(random, now);
        let begun = mine.begun(&ticket, now).unwrap();
        prop_assert!(mine.begun(&ticket, now + TimeDelta::seconds(599)).unwrap() == begun);
        prop_assert!(mine.begun(&ticket, now + TimeDelta::minutes(10)).is_none());
        let all = [&begun.state, &begun.nonce, &begun.verifier];
        prop_assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 3);
        prop_assert!(all.into_iter().all(|one| !ticket.contains(one.as_str()) && one.len() >= 43));
        if key != other {
            prop_assert!(theirs.begun(&ticket, now).unwrap().state != begun.state);
        }
        // A later end is another ticket.
        let longer = ticket.replacen("600", "9999", 1);
        prop_assert!(mine.begun(&longer, now).unwrap().state != begun.state);
        let _ = mine.begun(&made_up, now);
    }
}

#[test]
fn a_token_is_renewed_before_its_end_and_an_unrenewed_refresh_token_stays() {
    let until = DateTime::UNIX_EPOCH + TimeDelta::minutes(5);
    let refresh = Some(Secret::new("r".to_owned()));
    let grant = Grant { access: Secret::new("a".to_owned()), access_until: until, refresh: refresh.clone() };
    for (left, old, holds) in [(11, false, true), (10, true, true), (1, true, true), (0, true, false)] {
        let now = until - TimeDelta::seconds(left);
        assert_eq!((grant.is_old(now), grant.holds(now)), (old, holds), "{left} s left");
    }
    let next = Grant { access: Secret::new("b".to_owned()), access_until: until, refresh: None };
    assert_eq!(next.clone().after(&grant).refresh, refresh);
    let rotated = Grant { refresh: Some(Secret::new("s".to_owned())), ..next };
    assert_eq!(rotated.clone().after(&grant), rotated);
    assert!(!format!("{grant:?}").contains("\"a\""), "nothing prints a token");
}

/// RFC 7636, appendix B.
#[test]
fn the_challenge_is_the_standards() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
    let begun = Begun { state: String::new(), nonce: String::new(), verifier };
    assert_eq!(begun.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}
