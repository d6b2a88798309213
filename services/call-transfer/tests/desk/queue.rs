//! What the control room hears while a call waits, for how long it may, and to whom it goes.

use std::time::Duration;

use crate::support::{TestDesk, asked, clock, reason, request_id};
use api::{
    intake::v1::{Gender, RiskGrade, TransferRequested, Vulnerability},
    transfer::v1::{CallAbandoned, CallMoved, CallQueued, CallReturned, Presence, Skills},
};
use ids::CallId;

/// Presences outlive the test's turns of the clock.
const PATIENT: (&str, &str) = ("DESK__PRESENCE_TIMEOUT_MS", "86400000");

async fn place(desk: &mut TestDesk) -> (String, u32, Option<u32>) {
    let queued: CallQueued = desk.event("call_queued").await;
    (queued.call_id, queued.position, queued.expected_wait_s)
}

async fn moved(desk: &mut TestDesk) -> (String, u32, Option<u32>) {
    let moved: CallMoved = desk.event("call_moved").await;
    (moved.call_id, moved.position, moved.expected_wait_s)
}

#[tokio::test]
async fn a_changed_place_is_told_with_how_long_it_will_take() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT]).await;
    let [first, second, third] = [desk.new_call(), desk.new_call(), desk.new_call()];
    for (n, call) in [first, second, third].into_iter().enumerate() {
        clock.advance(Duration::from_secs(1));
        desk.request_as(call, asked(RiskGrade::High)).await;
        // Nobody is there: nobody can tell.
        assert_eq!(place(&mut desk).await, (call.to_string(), n as u32 + 1, None));
    }
    // An officer comes and is offered the first. The others move up, and half an hour is what a call usually takes.
    let mut one = desk.free("pc-1").await;
    let mut told = [moved(&mut desk).await, moved(&mut desk).await];
    told.sort_by_key(|told| told.1);
    assert_eq!(told, [(second.to_string(), 1, Some(1800)), (third.to_string(), 2, Some(3600))]);
    let seen = one.watch().await.until(|desk| desk.queue.len() == 3).await;
    assert_eq!(seen.queue[2].expected_wait_s, Some(3600), "officers see what the control room was told");
    // Another makes it faster for who still waits.
    one.accept(first).await.unwrap();
    let _two = desk.free("pc-2").await;
    assert_eq!(moved(&mut desk).await, (third.to_string(), 1, Some(900)));
    // One more comes last, and moves up when the other is taken back.
    desk.call_as(asked(RiskGrade::Standard)).await;
    assert_eq!(place(&mut desk).await.1, 2);
    desk.cancel(third).await;
    assert_eq!(moved(&mut desk).await.1, 1);
    desk.stop().await;
}

#[tokio::test]
async fn a_call_that_waits_too_long_is_told_and_returned() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT]).await;
    let urgent = desk.call(RiskGrade::High).await;
    let other = desk.call(RiskGrade::Standard).await;
    let mut sergeant = desk.officer(0, "wmp", "sgt-1");
    let mut watch = sergeant.watch().await;
    watch.until(|desk| desk.queue.len() == 2).await;
    clock.advance(Duration::from_secs(599));
    clock.advance(Duration::from_secs(1));
    let returned: CallReturned = desk.event("call_returned").await;
    assert_eq!((returned.call_id, returned.reason.as_str()), (urgent.to_string(), "WAIT_LIMIT"));
    assert_eq!(returned.officer_id, "");
    // The standard one waits on, and is offered to whoever comes; its time being over, an offer not answered is the last.
    watch.until(|desk| desk.queue.len() == 1).await;
    let mut one = desk.free("pc-1").await;
    one.offered(other).await;
    assert_eq!(reason(one.accept(urgent).await), "CALL_NOT_WAITING");
    one.decline(other, "not me").await.unwrap();
    one.presence(Presence::Away).await.unwrap();
    clock.advance(Duration::from_secs(1200));
    let returned: CallReturned = desk.event("call_returned").await;
    assert_eq!(returned.call_id, other.to_string());
    watch.until(|desk| desk.queue.is_empty()).await;
    desk.stop().await;
}

#[tokio::test]
async fn a_call_on_offer_at_its_limit_goes_to_who_is_free_before_it_is_returned() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT]).await;
    let call = desk.call_as(asked(RiskGrade::High)).await;
    assert_eq!(place(&mut desk).await.1, 1);
    clock.advance(Duration::from_secs(590));
    let mut one = desk.free("pc-1").await;
    one.offered(call).await;
    clock.advance(Duration::from_secs(15));
    let mut two = desk.free("pc-2").await;
    clock.advance(Duration::from_secs(5));
    two.offered(call).await;
    // Nobody is left who has not had it: it doesn't go round for ever between officers who don't answer.
    clock.advance(Duration::from_secs(20));
    let returned: CallReturned = desk.event("call_returned").await;
    assert_eq!((returned.call_id, returned.reason.as_str()), (call.to_string(), "WAIT_LIMIT"));
    let outcomes: Vec<String> =
        sqlx::query_scalar("select outcome from transfer.offers order by nth").fetch_all(&desk.pool).await.unwrap();
    assert_eq!(outcomes, ["expired", "expired"]);
    desk.stop().await;
}

#[tokio::test]
async fn the_desk_gives_a_call_back_waiting_or_in_mid_call() {
    let mut desk = TestDesk::start(clock().into(), 2, &[PATIENT]).await;
    let mut one = desk.free("pc-1").await;
    let mut sergeant = desk.officer(1, "wmp", "sgt-1");
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;
    one.accept(call).await.unwrap();
    let next = desk.call(RiskGrade::High).await;
    for empty in ["", " ", &"é".repeat(201), "a\0b"] {
        assert_eq!(reason(one.give_back(call, empty).await), "REASON_REQUIRED");
    }
    assert_eq!(reason(desk.officer(0, "kent", "pc-1").give_back(call, "x").await), "UNKNOWN_CALL");
    // In mid-call: told with who had it, and the officer has the next on offer.
    let id = request_id();
    one.give_back_as(id.clone(), call, " she wants to speak on the phone ").await.unwrap();
    one.give_back_as(id, call, " she wants to speak on the phone ").await.unwrap();
    let returned: CallReturned = desk.event("call_returned").await;
    assert_eq!((returned.call_id.as_str(), returned.officer_id.as_str()), (call.to_string().as_str(), "pc-1"));
    assert_eq!(returned.reason, "RETURNED_BY_DESK", "no words of anybody");
    one.offered(next).await;
    assert_eq!(reason(one.give_back(call, "again").await), "CALL_OVER");
    desk.end(call).await;
    // On offer, by a sergeant at the other replica.
    sergeant.give_back(next, "the caller has hung up").await.unwrap();
    let returned: CallReturned = desk.event("call_returned").await;
    assert_eq!((returned.call_id, returned.officer_id.as_str()), (next.to_string(), ""));
    assert_eq!(reason(one.accept(next).await), "CALL_NOT_WAITING");
    let kept: Vec<(String, String)> = sqlx::query_as(
        "select returned_by, returned_reason from transfer.calls where state = 'returned' order by queued_at, returned_by",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap();
    let kept: Vec<_> = kept.iter().map(|(by, why)| (by.as_str(), why.as_str())).collect();
    assert_eq!(kept, [("pc-1", "she wants to speak on the phone"), ("sgt-1", "the caller has hung up")]);
    desk.stop().await;
}

fn punjabi() -> TransferRequested {
    TransferRequested { language: "pa".to_owned(), ..asked(RiskGrade::Standard) }
}

async fn offered_to(desk: &TestDesk, call: CallId) -> Option<String> {
    let officer = "select officer_id from transfer.calls where call_id = $1";
    sqlx::query_scalar(officer).bind(call.uuid()).fetch_one(&desk.pool).await.unwrap()
}

#[tokio::test]
async fn a_call_goes_to_who_has_the_skills_and_after_its_patience_to_whoever_is_there() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT]).await;
    let mut plain = desk.free("pc-1").await;
    clock.advance(Duration::from_secs(1));
    let mut able = desk.officer(0, "wmp", "pc-2");
    let speaks = |languages: &[&str]| Skills {
        languages: languages.iter().map(|language| (*language).to_owned()).collect(),
        child_trained: true,
        gender: Gender::Woman.into(),
    };
    for nonsense in [speaks(&["p"]), speaks(&["pa pl"]), speaks(&["pa"; 17])] {
        assert_eq!(reason(able.able(nonsense).await), "INVALID_SKILLS");
    }
    able.able(speaks(&["pa"])).await.unwrap();
    // Free again, without a word about skills: as they said before.
    able.presence(Presence::Away).await.unwrap();
    able.presence(Presence::Free).await.unwrap();
    let first = desk.call_as(punjabi()).await;
    able.offered(first).await;
    let offer = able.watch().await.until(|_| true).await.offer.unwrap();
    assert_eq!((offer.vulnerability(), offer.child_may_speak), (Vulnerability::None, false));
    able.accept(first).await.unwrap();

    // Its officer is in a call: the next waits, while one without the skill is free, for as long as its patience.
    let second = desk.call_as(TransferRequested { child_may_speak: true, ..punjabi() }).await;
    // Two calls' requests are heard in either order.
    plain.watch().await.until(|desk| desk.queue.iter().any(|waiting| waiting.call_id == second.to_string())).await;
    let third = desk.call_as(asked(RiskGrade::Standard)).await;
    plain.offered(third).await;
    assert_eq!(offered_to(&desk, second).await, None, "overtaken by one that came later");
    plain.decline(third, "no").await.unwrap();
    assert_eq!(offered_to(&desk, second).await, None);
    desk.cancel(third).await;
    desk.event::<CallAbandoned>("call_abandoned").await;
    clock.advance(Duration::from_secs(120));
    plain.offered(second).await;
    desk.stop().await;
}

#[tokio::test]
async fn who_will_be_away_after_their_call_is_not_waited_for() {
    let mut desk = TestDesk::start(clock().into(), 1, &[PATIENT]).await;
    let mut able = desk.officer(0, "wmp", "pc-1");
    able.able(Skills { languages: vec!["pa".to_owned()], ..Default::default() }).await.unwrap();
    let first = desk.call_as(punjabi()).await;
    able.offered(first).await;
    able.accept(first).await.unwrap();
    assert_eq!(place(&mut desk).await.0, first.to_string());
    let second = desk.call_as(punjabi()).await;
    assert_eq!(place(&mut desk).await, (second.to_string(), 1, Some(1800)));
    able.presence(Presence::Away).await.unwrap();
    assert_eq!(moved(&mut desk).await, (second.to_string(), 1, None), "nobody will come");
    // Nor is it kept for them.
    let mut plain = desk.free("pc-2").await;
    plain.offered(second).await;
    desk.stop().await;
}

#[tokio::test]
async fn the_most_vulnerable_caller_comes_first() {
    let desk = TestDesk::start(clock().into(), 1, &[PATIENT]).await;
    let mut one = desk.officer(0, "wmp", "pc-1");
    let mut watch = one.watch().await;
    let plain = desk.call_as(asked(RiskGrade::Standard)).await;
    let great = TransferRequested {
        vulnerability: Vulnerability::Great.into(),
        officer_asked_for: Gender::Man.into(),
        ..asked(RiskGrade::Standard)
    };
    let great = desk.call_as(great).await;
    let seen = watch.until(|desk| desk.queue.len() == 2).await;
    let order: Vec<_> = seen.queue.iter().map(|waiting| waiting.call_id.clone()).collect();
    assert_eq!(order, [great.to_string(), plain.to_string()]);
    assert_eq!(seen.queue[0].vulnerability(), Vulnerability::Great);
    assert_eq!(seen.queue[0].officer_asked_for(), Gender::Man);
    one.presence(Presence::Free).await.unwrap();
    one.offered(great).await;
    desk.stop().await;
}
