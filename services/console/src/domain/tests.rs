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
    let grant = Grant {
        access: Secret::new(String::new()),
        access_from: DateTime::UNIX_EPOCH,
        access_until: DateTime::UNIX_EPOCH,
        refresh: None,
    };
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

fn five_minutes() -> Grant {
    let (access, refresh) = (Secret::new("a".to_owned()), Some(Secret::new("r".to_owned())));
    let access_from = DateTime::UNIX_EPOCH;
    Grant { access, access_from, access_until: access_from + TimeDelta::minutes(5), refresh }
}

#[test]
fn a_token_is_renewed_from_half_of_its_life_on_and_an_unrenewed_refresh_token_stays() {
    let grant = five_minutes();
    let unrenewable = Grant { refresh: None, ..grant.clone() };
    for (passed, old, holds) in
        [(0, false, true), (149, false, true), (150, true, true), (299, true, true), (300, true, false)]
    {
        let now = grant.access_from + TimeDelta::seconds(passed);
        assert_eq!((grant.is_old(now), grant.holds(now)), (old, holds), "after {passed} s");
        assert_eq!((unrenewable.is_old(now), unrenewable.holds(now)), (false, holds), "after {passed} s");
    }
    let next = Grant { access: Secret::new("b".to_owned()), refresh: None, ..grant.clone() };
    assert_eq!(next.clone().after(&grant).refresh, grant.refresh);
    let rotated = Grant { refresh: Some(Secret::new("s".to_owned())), ..next };
    assert_eq!(rotated.clone().after(&grant), rotated);
    assert!(!format!("{grant:?}").contains("\"a\""), "nothing prints a token");
}

#[test]
fn a_grant_for_a_session_that_is_gone_comes_back_to_be_revoked() {
    let mut sessions = Sessions::new(LIMITS);
    sessions.begin(key(1), session(1), (), DateTime::UNIX_EPOCH);
    assert_eq!(sessions.renew(key(1), five_minutes(), None), None);
    sessions.end(key(1));
    assert_eq!(sessions.renew(key(1), five_minutes(), None), Some(five_minutes()));
}

#[test]
fn a_failed_try_is_not_made_again_at_once() {
    let (grant, now) = (five_minutes(), DateTime::UNIX_EPOCH + TimeDelta::minutes(4));
    let mut tries = Tries::default();
    assert!(tries.may(&grant, now));
    tries.fail(false, now);
    for (passed, may) in [(0, false), (1999, false), (2000, true), (-3000, true)] {
        assert_eq!(tries.may(&grant, now + TimeDelta::milliseconds(passed)), may, "after {passed} ms");
    }
    assert!(!tries.forgive(&grant, now), "the issuer was not asked: what it says, it means");
}

#[test]
fn a_refusal_after_a_lost_answer_counts_from_the_tokens_end_on() {
    let (grant, now) = (five_minutes(), DateTime::UNIX_EPOCH + TimeDelta::minutes(4));
    let mut tries = Tries::default();
    tries.fail(true, now);
    tries.fail(false, now);
    assert!(tries.forgive(&grant, now));
    assert!(!tries.may(&grant, grant.access_until - TimeDelta::seconds(1)), "there is nothing to be had");
    assert!(tries.may(&grant, grant.access_until));
    assert!(!tries.forgive(&grant, grant.access_until));
}

/// RFC 7636, appendix B.
#[test]
fn the_challenge_is_the_standards() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
    let begun = Begun { state: String::new(), nonce: String::new(), verifier };
    assert_eq!(begun.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}
