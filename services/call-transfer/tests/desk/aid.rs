//! Lent officers: they are at one desk at a time, and are offered the calls of that one.

use std::time::Duration;

use crate::{
    callbacks::{EIGHT, agree_now, comes, take, tried},
    loans::{agree, end, offer},
    support::{Officer, TestDesk, clock, reason},
};
use api::{
    intake::v1::{CallbackOutcome, CallbackState, RiskGrade},
    transfer::v1::{Loan, MayGoTo, OfficerAtDesk, Presence, Skills, WatchDeskResponse},
};
use prost_types::Timestamp;

/// Presences and offers outlive the test's turns of the clock.
const PATIENT: [(&str, &str); 3] = [
    ("DESK__PRESENCE_TIMEOUT_MS", "86400000"),
    ("DESK__OFFER_TIMEOUT_MS", "86400000"),
    ("DESK__WAIT_LIMIT_S__HIGH", "86400"),
];

/// pc-1 of wmp is lent to surrey for an hour.
async fn lent(desk: &TestDesk) -> Loan {
    let loan = offer(&mut desk.officer(0, "wmp", "sgt-1"), "surrey", &["pc-1"], (0, 3600)).await.unwrap();
    agree(&mut desk.officer(0, "surrey", "sgt-1"), &loan).await.unwrap()
}

/// pc-1 of wmp, at surrey's desk.
fn there(desk: &TestDesk) -> Officer {
    desk.officer(0, "surrey", "pc-1@wmp")
}

async fn look(officer: &mut Officer) -> WatchDeskResponse {
    officer.look().await.unwrap().unwrap()
}

#[tokio::test]
async fn a_lent_officer_goes_takes_a_call_and_comes_back_and_is_offered_nothing_at_home_meanwhile() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 2, &PATIENT).await;
    let (mut home, mut away) = (desk.officer(1, "wmp", "pc-1"), there(&desk));
    let skills = Skills { languages: vec!["pa".into()], ..Default::default() };
    home.able(skills).await.unwrap();
    assert_eq!(reason(away.presence(Presence::Free).await), "NOT_YOUR_FORCE", "nobody has lent them");
    assert_eq!(look(&mut home).await.presence(), Presence::Free, "and so they went nowhere");
    let loan = offer(&mut desk.officer(0, "wmp", "sgt-1"), "surrey", &["pc-1"], (0, 3600)).await.unwrap();
    assert_eq!(reason(away.presence(Presence::Free).await), "NOT_YOUR_FORCE", "the other force hasn't agreed");
    let mut seen = home.watch().await;
    agree(&mut desk.officer(0, "surrey", "sgt-1"), &loan).await.unwrap();
    let may = MayGoTo { force_id: "surrey".into(), until: Some(Timestamp { seconds: EIGHT + 3600, nanos: 0 }) };
    seen.until(|desk| desk.may_go_to == [may.clone()]).await;

    // On offer to them at home: it goes on when they leave.
    let at_home = desk.call(RiskGrade::High).await;
    home.offered(at_home).await;
    away.presence(Presence::Free).await.unwrap();
    let elsewhere = |desk: &WatchDeskResponse| desk.at_force_id == "surrey" && desk.presence() == Presence::Away;
    let waits = seen.until(|desk| elsewhere(desk) && desk.offer.is_none() && desk.queue.len() == 1).await;
    assert_eq!(waits.may_go_to, [may], "and back, and there again");
    let mut two = desk.free("pc-2").await;
    two.offered(at_home).await;

    let call = desk.call_at("surrey").await;
    away.offered(call).await;
    away.accept(call).await.unwrap();
    let waiting = desk.call_at("surrey").await;
    let mut sergeant = desk.officer(0, "surrey", "sgt-1");
    let seen_there =
        sergeant.watch_alerts().await.until(|desk| desk.queue.len() == 1 && !desk.officers.is_empty()).await;
    let (officer_id, call_id) = ("pc-1@wmp".to_owned(), call.to_string());
    assert_eq!(seen_there.officers, [OfficerAtDesk { officer_id, presence: 1, call_id, is_offer: false }]);
    // They see what is theirs; no queue, no officers, whatever they ask for.
    let own = away.watch_alerts().await.until(|desk| desk.current_call_id == call.to_string()).await;
    assert!(own.queue.is_empty() && own.officers.is_empty() && own.alerts.is_empty() && own.callbacks.is_empty());
    assert!(own.may_go_to.is_empty() && own.at_force_id.is_empty(), "that is said at home");
    // What they can do has come with them.
    let kept = "select languages from transfer.officers where officer_id = 'pc-1@wmp'";
    let kept: Vec<String> = sqlx::query_scalar(kept).fetch_one(&desk.pool).await.unwrap();
    assert_eq!(kept, ["pa"]);

    assert_eq!(reason(home.presence(Presence::Free).await), "OFFICER_IN_CALL");
    assert_eq!(reason(home.presence(Presence::Away).await), "OFFICER_IN_CALL");
    desk.end_at("surrey", call).await;
    away.offered(waiting).await;
    home.presence(Presence::Free).await.unwrap();
    seen.until(|desk| desk.at_force_id.is_empty() && desk.presence() == Presence::Free).await;
    sergeant.watch_alerts().await.until(|desk| desk.officers.is_empty() && desk.queue.len() == 1).await;
    let next = desk.call(RiskGrade::High).await;
    home.offered(next).await;
    desk.stop().await;
}

#[tokio::test]
async fn nobody_goes_with_a_call_or_while_they_ring_somebody_back() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &PATIENT).await;
    lent(&desk).await;
    let (mut home, mut away) = (desk.free("pc-1").await, there(&desk));
    let call = desk.call(RiskGrade::High).await;
    home.offered(call).await;
    home.accept(call).await.unwrap();
    for presence in [Presence::Free, Presence::Away] {
        assert_eq!(reason(away.presence(presence).await), "OFFICER_IN_CALL");
    }
    desk.end(call).await;
    home.watch().await.until(|desk| desk.current_call_id.is_empty()).await;

    home.presence(Presence::Away).await.unwrap();
    let call = desk.call(RiskGrade::High).await;
    home.watch().await.until(|desk| desk.queue.len() == 1).await;
    let id = agree_now(&mut home, call, EIGHT).await;
    comes(&mut desk, CallbackState::Agreed).await;
    comes(&mut desk, CallbackState::Due).await;
    take(&mut home, &id).await.unwrap();
    assert_eq!(reason(away.presence(Presence::Free).await), "OFFICER_IN_CALL");
    tried(&mut home, &id, CallbackOutcome::NoAnswer).await.unwrap();
    away.presence(Presence::Free).await.unwrap();
    // Nor do they ring anybody at home once they are there.
    assert_eq!(reason(take(&mut home, &id).await), "OFFICER_NOT_FREE");
    home.presence(Presence::Away).await.unwrap();
    take(&mut home, &id).await.unwrap();
    desk.stop().await;
}

#[tokio::test]
async fn a_loan_that_ends_in_mid_call_leaves_the_call_and_nothing_more_is_offered() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 1, &PATIENT).await;
    lent(&desk).await;
    let mut away = there(&desk);
    away.presence(Presence::Free).await.unwrap();
    let (mut home, mut seen) = (desk.officer(0, "wmp", "pc-1"), away.watch().await);
    let call = desk.call_at("surrey").await;
    away.offered(call).await;
    away.accept(call).await.unwrap();
    let mut at_home = home.watch().await;
    at_home.until(|desk| desk.may_go_to.len() == 1).await;
    clock.advance(Duration::from_secs(3600));
    // Time itself says so at both desks.
    at_home.until(|desk| desk.may_go_to.is_empty()).await;
    seen.until(|desk| desk.current_call_id == call.to_string()).await;
    let waiting = desk.call_at("surrey").await;
    let mut sergeant = desk.officer(0, "surrey", "sgt-1");
    let mut at_desk = sergeant.watch_alerts().await;
    at_desk.until(|desk| desk.queue.len() == 1).await;
    desk.end_at("surrey", call).await;
    seen.until(|desk| desk.current_call_id.is_empty()).await;
    away.heartbeat().await.unwrap();
    assert_eq!(look(&mut away).await.offer, None);
    assert_eq!(reason(sergeant.reassign(waiting, "pc-1@wmp").await), "OFFICER_NOT_FREE");
    assert_eq!(reason(away.presence(Presence::Free).await), "NOT_YOUR_FORCE");

    // Lent anew, they are there again; and a sergeant's word ends that as time does.
    let loan = offer(&mut desk.officer(0, "wmp", "sgt-1"), "surrey", &["pc-1"], (3600, 7200)).await.unwrap();
    agree(&mut sergeant, &loan).await.unwrap();
    away.offered(waiting).await;
    end(&mut sergeant, &loan).await.unwrap();
    assert_eq!(reason(away.accept(waiting).await), "OFFER_EXPIRED", "no call begins after it");
    away.decline(waiting, "no").await.unwrap();
    clock.advance(Duration::from_secs(60));
    let another = desk.call_at("surrey").await;
    at_desk.until(|desk| desk.queue.iter().any(|call| call.call_id == another.to_string())).await;
    assert_eq!(look(&mut away).await.offer, None);
    home.presence(Presence::Free).await.unwrap();
    desk.stop().await;
}

#[tokio::test]
async fn an_old_page_at_either_desk_revives_nobody() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 1, &PATIENT).await;
    lent(&desk).await;
    let (mut home, mut away) = (desk.free("pc-1").await, there(&desk));
    assert_eq!(reason(away.heartbeat().await), "UNKNOWN_OFFICER", "they aren't there");
    away.presence(Presence::Free).await.unwrap();
    home.heartbeat().await.unwrap();
    let call = desk.call(RiskGrade::High).await;
    let seen = home.watch().await.until(|desk| desk.queue.len() == 1).await;
    assert!(seen.offer.is_none() && seen.at_force_id == "surrey" && seen.presence() == Presence::Away);
    let mut sergeant = desk.officer(0, "wmp", "sgt-1");
    assert_eq!(reason(sergeant.reassign(call, "pc-1").await), "OFFICER_NOT_FREE");
    assert!(sergeant.watch_alerts().await.until(|desk| desk.queue.len() == 1).await.officers.is_empty());

    home.presence(Presence::Free).await.unwrap();
    home.offered(call).await;
    assert_eq!(reason(away.heartbeat().await), "UNKNOWN_OFFICER", "they have gone home");
    let there = desk.call_at("surrey").await;
    let mut sergeant = desk.officer(0, "surrey", "sgt-1");
    let seen = sergeant.watch_alerts().await.until(|desk| desk.queue.len() == 1).await;
    assert!(seen.officers.is_empty() && look(&mut away).await.offer.is_none());
    assert_eq!(reason(sergeant.reassign(there, "pc-1@wmp").await), "OFFICER_NOT_FREE");
    desk.stop().await;
}

/// Which constraint refuses it, if one does.
async fn refused_by(desk: &TestDesk, statement: &'static str) -> Option<String> {
    let mut tx = desk.pool.begin().await.unwrap();
    let done = sqlx::query(statement).execute(&mut *tx).await.map(|done| assert_eq!(done.rows_affected(), 1));
    done.err().map(|error| error.into_database_error().unwrap().constraint().unwrap().to_owned())
}

#[tokio::test]
async fn the_database_too_knows_one_person_at_two_desks() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 1, &PATIENT).await;
    let mut home = desk.free("pc-1").await;
    let call = desk.call(RiskGrade::High).await;
    home.offered(call).await;
    desk.call_at("surrey").await;
    let mut surrey = desk.officer(0, "surrey", "sgt-1").watch().await;
    surrey.until(|desk| desk.queue.len() == 1).await;
    let second = "update transfer.calls set state = 'accepted', officer_id = 'pc-1@wmp', accepted_at = now() \
                  where force_id = 'surrey'";
    assert_eq!(refused_by(&desk, second).await.as_deref(), Some("calls_one_per_person"));
    let second = "insert into transfer.offers (call_id, nth, force_id, officer_id, offered_at, expires_at) \
                  select call_id, 1, force_id, 'pc-1@wmp', now(), now() from transfer.calls where force_id = 'surrey'";
    assert_eq!(refused_by(&desk, second).await.as_deref(), Some("offers_one_per_person"));
    // The same id in another force is another person.
    let other = "update transfer.calls set state = 'accepted', officer_id = 'pc-1', accepted_at = now() \
                 where force_id = 'surrey'";
    assert_eq!(refused_by(&desk, other).await, None);
    let revived = "update transfer.officers set at_force = 'surrey' where force_id = 'wmp' and officer_id = 'pc-1'";
    assert_eq!(refused_by(&desk, revived).await.as_deref(), Some("officers_one_desk"));
    desk.stop().await;
}
