//! A sergeant gives a call to a named officer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    callbacks::{EIGHT, agree_now, take, tried},
    support::{Officer, TestDesk, asked, clock, reason, request_id},
};
use api::{
    intake::v1::{CallbackOutcome, Incident, RiskGrade, TransferRequested},
    transfer::v1::{CallAccepted, CallOffered, CallReassigned, OfficerAtDesk, Presence},
};
use chassis::Entropy;
use ids::CallId;
use prost::Message;
use tokio::task::JoinSet;
use tonic::Code;

/// Presences and offers outlive the test's turns of the clock.
const PATIENT: [(&str, &str); 2] = [("DESK__PRESENCE_TIMEOUT_MS", "86400000"), ("DESK__OFFER_TIMEOUT_MS", "86400000")];

fn at_desk(id: &str, presence: Presence, call: Option<(CallId, bool)>) -> OfficerAtDesk {
    OfficerAtDesk {
        officer_id: id.to_owned(),
        presence: presence.into(),
        call_id: call.map(|(call, _)| call.to_string()).unwrap_or_default(),
        is_offer: call.is_some_and(|(_, is_offer)| is_offer),
    }
}

#[tokio::test]
async fn a_waiting_call_is_offered_to_the_named_officer_and_away_from_whoever_has_it_on_offer() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &PATIENT).await;
    let mut sergeant = desk.officer(0, "wmp", "sgt-1");
    let mut one = desk.free("pc-1").await;
    clock.advance(Duration::from_secs(1));
    let mut two = desk.free("pc-2").await;
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;
    assert!(sergeant.reassign(call, "pc-2").await.unwrap(), "it is on offer");
    two.offered(call).await;
    one.watch().await.until(|desk| desk.offer.is_none()).await;
    assert_eq!(reason(one.accept(call).await), "NOT_OFFERED_TO_YOU");
    let offers = [desk.event::<CallOffered>("call_offered").await, desk.event("call_offered").await];
    assert_eq!(offers.map(|offer| offer.officer_id), ["pc-1", "pc-2"]);
    assert_eq!(reason(sergeant.reassign(call, "pc-2").await), "OFFICER_HAS_CALL");
    two.accept(call).await.unwrap();
    let accepted: CallAccepted = desk.event("call_accepted").await;
    assert_eq!(accepted.officer_id, "pc-2");
    // Who gave it to whom is kept, and what became of each offer.
    let kept: (Option<String>, String, String, String) = sqlx::query_as(
        "select from_officer_id, to_officer_id, by_officer_id, reason from transfer.reassignments where call_id = $1",
    )
    .bind(call.uuid())
    .fetch_one(&desk.pool)
    .await
    .unwrap();
    assert_eq!(kept, (Some("pc-1".into()), "pc-2".into(), "sgt-1".into(), "knows the family".into()));
    assert_eq!(outcomes(&desk, call).await, ["withdrawn", "accepted"]);
    desk.stop().await;
}

#[tokio::test]
async fn in_mid_call_another_officer_has_it_at_once_and_the_first_rests_until_they_say_otherwise() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 2, &PATIENT).await;
    let mut sergeant = desk.officer(1, "wmp", "sgt-1");
    let mut one = desk.free("pc-1").await;
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;
    one.accept(call).await.unwrap();
    let mut two = desk.free("pc-2").await;
    let mut seen = sergeant.watch_alerts().await;
    let wanted = [at_desk("pc-1", Presence::Free, Some((call, false))), at_desk("pc-2", Presence::Free, None)];
    seen.until(|desk| desk.officers == wanted).await;
    let id = request_id();
    assert!(!sergeant.reassign_as(id.clone(), call, "pc-2").await.unwrap(), "it is theirs");
    assert!(!sergeant.reassign_as(id, call, "pc-2").await.unwrap(), "the first answer");
    two.watch().await.until(|desk| desk.current_call_id == call.to_string()).await;
    let wanted = [at_desk("pc-1", Presence::Away, None), at_desk("pc-2", Presence::Free, Some((call, false)))];
    seen.until(|desk| desk.officers == wanted).await;
    assert!(one.watch().await.until(|_| true).await.officers.is_empty(), "sergeants only");
    let moved: CallReassigned = desk.event("call_reassigned").await;
    let moved = (moved.call_id, moved.force_id, moved.from_officer_id, moved.to_officer_id);
    assert_eq!(moved, (call.to_string(), "wmp".to_owned(), "pc-1".to_owned(), "pc-2".to_owned()));
    assert_eq!(outcomes(&desk, call).await, ["handed_on", "accepted"]);
    // The second doesn't come: it goes back to whoever is still with the caller, away as they are.
    assert!(!sergeant.reassign(call, "pc-1").await.unwrap());
    one.watch().await.until(|desk| desk.current_call_id == call.to_string()).await;
    two.presence(Presence::Free).await.unwrap();
    assert!(!sergeant.reassign(call, "pc-2").await.unwrap());
    // They may still be with the caller: the next call waits until they say that they are free.
    let next = desk.call(RiskGrade::High).await;
    two.watch().await.until(|desk| desk.queue.len() == 1).await;
    assert!(one.watch().await.until(|_| true).await.offer.is_none());
    one.presence(Presence::Free).await.unwrap();
    one.offered(next).await;
    // The second's session ends: they are free of it.
    desk.end(call).await;
    two.watch().await.until(|desk| desk.current_call_id.is_empty()).await;
    assert_eq!(reason(sergeant.reassign(call, "pc-2").await), "CALL_OVER");
    desk.stop().await;
}

#[tokio::test]
async fn nobody_is_given_a_call_who_is_not_there_or_has_one() {
    let desk = TestDesk::start(clock().into(), 1, &PATIENT).await;
    let mut sergeant = desk.officer(0, "wmp", "sgt-1");
    let mut one = desk.free("pc-1").await;
    let (first, second) = (desk.call(RiskGrade::High).await, desk.call(RiskGrade::High).await);
    let mut two = desk.officer(0, "wmp", "pc-2");
    two.presence(Presence::Away).await.unwrap();
    let seen = one.watch().await.until(|desk| desk.queue.len() == 2 && desk.offer.is_some()).await;
    let offered: CallId = seen.offer.unwrap().call_id.parse().unwrap();
    let waiting = if offered == first { second } else { first };
    for nobody in ["pc-1", "pc-2", "pc-3"] {
        assert_eq!(reason(sergeant.reassign(waiting, nobody).await), "OFFICER_NOT_FREE", "{nobody}");
    }
    one.accept(offered).await.unwrap();
    assert_eq!(reason(sergeant.reassign(waiting, "pc-1").await), "OFFICER_NOT_FREE");
    let mut stranger = desk.officer(0, "btp", "sgt-9");
    assert_eq!(reason(stranger.reassign(offered, "pc-2").await), "UNKNOWN_CALL");
    assert_eq!(reason(sergeant.reassign(desk.new_call(), "pc-2").await), "UNKNOWN_CALL");
    assert_eq!(reason(sergeant.reassign(offered, "no one").await), "INVALID_OFFICER");
    // Of another force at the same desk's service, by the same name.
    desk.officer(0, "btp", "pc-3").presence(Presence::Free).await.unwrap();
    assert_eq!(reason(sergeant.reassign(offered, "pc-3").await), "OFFICER_NOT_FREE");
    desk.stop().await;
}

#[tokio::test]
async fn it_goes_back_only_to_whoever_had_it_and_only_while_they_are_there_for_it() {
    let desk = TestDesk::start(clock().into(), 1, &PATIENT).await;
    let mut sergeant = desk.officer(0, "wmp", "sgt-1");
    let mut one = desk.free("pc-1").await;
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;
    let mut two = desk.free("pc-2").await;
    assert!(sergeant.reassign(call, "pc-2").await.unwrap(), "it is on offer");
    one.presence(Presence::Away).await.unwrap();
    two.offered(call).await;
    two.accept(call).await.unwrap();
    assert_eq!(reason(sergeant.reassign(call, "pc-1").await), "OFFICER_NOT_FREE", "it was only on offer to them");
    one.presence(Presence::Free).await.unwrap();
    assert!(!sergeant.reassign(call, "pc-1").await.unwrap());

    // The second, who is away now, rings somebody else back.
    let incident = Some(Incident { date: "2026-11-24".to_owned(), number: "7".to_owned() });
    let other = desk.call_as(TransferRequested { incident, ..asked(RiskGrade::High) }).await;
    sergeant.watch().await.until(|desk| desk.queue.len() == 1).await;
    let callback = agree_now(&mut two, other, EIGHT).await;
    take(&mut two, &callback).await.unwrap();
    assert_eq!(reason(sergeant.reassign(call, "pc-2").await), "OFFICER_NOT_FREE", "they ring somebody");
    tried(&mut two, &callback, CallbackOutcome::NoAnswer).await.unwrap();
    assert!(!sergeant.reassign(call, "pc-2").await.unwrap());

    // The first has another call on offer, and then has it.
    one.presence(Presence::Free).await.unwrap();
    let third = desk.call(RiskGrade::High).await;
    one.offered(third).await;
    assert_eq!(reason(sergeant.reassign(call, "pc-1").await), "OFFICER_NOT_FREE", "they have one on offer");
    one.accept(third).await.unwrap();
    assert_eq!(reason(sergeant.reassign(call, "pc-1").await), "OFFICER_NOT_FREE", "they have another");
    desk.stop().await;
}

const CALLS: usize = 3;
const OFFICERS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_sergeants_give_the_same_calls_to_the_same_officers_each_has_one_and_each_call_one() {
    let mut desk = TestDesk::start(clock().into(), 2, &PATIENT).await;
    let mut calls = Vec::new();
    for n in 0..CALLS {
        let call = desk.call(RiskGrade::High).await;
        let mut officer = desk.free(&format!("pc-{n}")).await;
        officer.watch().await.until(|desk| desk.offer.is_some()).await;
        calls.push(call);
    }
    for n in 0..CALLS {
        let mut officer = desk.officer(0, "wmp", &format!("pc-{n}"));
        let seen = officer.watch().await.until(|desk| desk.offer.is_some()).await;
        officer.accept(seen.offer.unwrap().call_id.parse().unwrap()).await.unwrap();
    }
    let calls = Arc::new(calls);
    let mut work = JoinSet::new();
    for n in 0..4u64 {
        let sergeant = desk.officer(n as usize % 2, "wmp", &format!("sgt-{n}"));
        let officers = (0..OFFICERS).map(|o| desk.officer((o + n as usize) % 2, "wmp", &format!("pc-{o}"))).collect();
        work.spawn(deal(sergeant, officers, calls.clone(), n));
    }
    let moved: u32 = work.join_all().await.iter().sum();
    assert!(moved > 0, "nothing was given to anybody");
    // What was published of each call is one story: whoever gives it on is who had it.
    let mut has: BTreeMap<String, String> = BTreeMap::new();
    let mut left = moved;
    while left > 0 {
        let (name, message) = desk.next_event().await;
        if name == "call_accepted" {
            let CallAccepted { call_id, officer_id, .. } = CallAccepted::decode(message.payload).unwrap();
            assert_eq!(has.insert(call_id, officer_id), None);
        } else if name == "call_reassigned" {
            let moved = CallReassigned::decode(message.payload).unwrap();
            assert_eq!(has.insert(moved.call_id, moved.to_officer_id), Some(moved.from_officer_id));
            left -= 1;
        }
    }
    let stands: Vec<(sqlx::types::Uuid, String)> =
        sqlx::query_as("select call_id, officer_id from transfer.calls where state = 'accepted'")
            .fetch_all(&desk.pool)
            .await
            .unwrap();
    let stands: BTreeMap<_, _> = stands.into_iter().map(|(call, who)| (CallId::from(call).to_string(), who)).collect();
    assert_eq!(stands, has);
    assert_eq!(stands.values().collect::<std::collections::BTreeSet<_>>().len(), CALLS, "two calls for an officer");
    for call in calls.iter() {
        let taken = outcomes(&desk, *call).await.iter().filter(|outcome| *outcome == "accepted").count();
        assert_eq!(taken, 1);
    }
    desk.stop().await;
}

/// Gives calls to officers as the dice fall, who say at once that they are free again. Gives back how many moved.
async fn deal(mut sergeant: Officer, mut officers: Vec<Officer>, calls: Arc<Vec<CallId>>, seed: u64) -> u32 {
    let dice = Entropy::seeded(seed);
    let mut moved = 0;
    for _ in 0..25 {
        let [call, to] = dice.bytes::<2>().map(usize::from);
        let officer = &mut officers[to % OFFICERS];
        if let Err(refused) = officer.presence(Presence::Free).await {
            assert_eq!(chassis::status::reason_of(&refused).as_deref(), Some("OFFICER_IN_CALL"));
        }
        match sergeant.reassign(calls[call % CALLS], &officer.id).await {
            Ok(is_offer) => {
                assert!(!is_offer);
                moved += 1;
            }
            // A unique index never has to say it.
            Err(refused) => assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}"),
        }
    }
    moved
}

/// What became of a call's offers, in their order.
async fn outcomes(desk: &TestDesk, call: CallId) -> Vec<String> {
    sqlx::query_scalar("select coalesce(outcome, 'open') from transfer.offers where call_id = $1 order by nth")
        .bind(call.uuid())
        .fetch_all(&desk.pool)
        .await
        .unwrap()
}
