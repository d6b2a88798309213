//! A caller who changes their mind at the control room while their call waits.

use crate::{
    callbacks::{EIGHT, agree_now, begun, take},
    support::{TestDesk, clock, reason},
};
use api::{
    intake::v1::{ConsentKind, RiskGrade},
    transfer::v1::{CallAbandoned, CallAccepted},
};
use ids::CallId;
use prost::Message;

const NO_VIDEO: [(ConsentKind, bool); 1] = [(ConsentKind::Video, false)];

/// What the desk tells of it, once the officer has taken it.
async fn accepted(desk: &mut TestDesk, call: CallId) -> CallAccepted {
    loop {
        let (name, message) = desk.next_event().await;
        if name == "call_accepted" {
            let accepted = CallAccepted::decode(message.payload).unwrap();
            assert_eq!(accepted.call_id, call.to_string());
            return accepted;
        }
    }
}

async fn abandoned(desk: &mut TestDesk, call: CallId) -> String {
    loop {
        let (name, message) = desk.next_event().await;
        if name == "call_abandoned" {
            let abandoned = CallAbandoned::decode(message.payload).unwrap();
            assert_eq!(abandoned.call_id, call.to_string());
            return abandoned.reason;
        }
    }
}

#[tokio::test]
async fn a_consent_taken_back_while_waiting_is_in_what_the_officer_accepts() {
    let mut desk = TestDesk::start(clock().into(), 1, &[]).await;
    let call = desk.call(RiskGrade::High).await;
    desk.consent(call, 2, &[(ConsentKind::Recording, false), (ConsentKind::Stills, true)]).await;
    let mut one = desk.free("pc-1").await;
    one.offered(call).await;
    // And while it is on offer, which it stays.
    desk.consent(call, 3, &[(ConsentKind::Covered, false), (ConsentKind::Video, true)]).await;
    one.accept(call).await.unwrap();
    let told = accepted(&mut desk, call).await;
    assert_eq!((told.recording_consented, told.stills_consented), (false, true));
    assert!(!told.covered_recording_consented);
    desk.stop().await;
}

#[tokio::test]
async fn a_call_without_consent_to_video_leaves_the_queue() {
    let mut desk = TestDesk::start(clock().into(), 1, &[]).await;
    let queued = desk.call(RiskGrade::High).await;
    desk.consent(queued, 2, &NO_VIDEO).await;
    assert_eq!(abandoned(&mut desk, queued).await, "VIDEO_CONSENT_WITHDRAWN");
    // Said again, and something else with it: it stays gone.
    desk.consent(queued, 3, &[(ConsentKind::Video, true)]).await;
    let mut one = desk.free("pc-1").await;
    let seen = one.watch().await.until(|_| true).await;
    assert_eq!((seen.offer, seen.queue), (None, Vec::new()));
    desk.stop().await;
}

#[tokio::test]
async fn a_call_on_offer_without_consent_to_video_frees_its_officer() {
    let mut desk = TestDesk::start(clock().into(), 1, &[]).await;
    let mut one = desk.free("pc-1").await;
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;
    desk.consent(call, 2, &NO_VIDEO).await;
    assert_eq!(abandoned(&mut desk, call).await, "VIDEO_CONSENT_WITHDRAWN");
    assert_eq!(reason(one.accept(call).await), "CALL_NOT_WAITING");
    let outcome: String =
        sqlx::query_scalar("select outcome from transfer.offers").fetch_one(&desk.pool).await.unwrap();
    assert_eq!(outcome, "withdrawn");

    // The officer is free for the next; and once they have it, it is the session that heeds the caller.
    let next = desk.call(RiskGrade::High).await;
    one.offered(next).await;
    one.accept(next).await.unwrap();
    desk.consent(next, 2, &NO_VIDEO).await;
    let after = desk.call(RiskGrade::High).await.to_string();
    let seen = one.watch().await.until(|desk| desk.queue.iter().any(|waiting| waiting.call_id == after)).await;
    assert_eq!((seen.current_call_id, seen.offer), (next.to_string(), None));
    desk.stop().await;
}

/// Whoever rings for it has nothing to ring for any more: the call that waits is theirs at once, not when time next turns.
#[tokio::test]
async fn who_rang_for_a_video_call_that_nobody_wants_any_more_has_the_next() {
    let (desk, returned) = begun(clock(), 1).await;
    let mut control_room = desk.officer(0, "wmp", "CR-4711");
    let id = agree_now(&mut control_room, returned, EIGHT).await;
    let mut one = desk.free("pc-1").await;
    take(&mut one, &id).await.unwrap();
    let waits = desk.call(RiskGrade::High).await;
    let seen = one.watch().await.until(|desk| !desk.queue.is_empty()).await;
    assert_eq!((seen.queue[0].call_id.clone(), seen.offer), (waits.to_string(), None));
    desk.consent(returned, 2, &NO_VIDEO).await;
    one.offered(waits).await;
    desk.stop().await;
}
