//! What becomes of a call-back when the caller says something else, or rings, before anybody has reached them.

use std::time::Duration;

use api::{
    intake::v1::{CallbackOutcome, CallbackState, ConsentKind, RiskGrade, SilentCaller},
    transfer::v1::{CallAccepted, Presence},
};

use crate::{
    callbacks::{EIGHT, PATIENT, agree_now, another_incident, comes, take, take_whole, tried},
    support::{TestDesk, clock, reason},
};

#[tokio::test]
async fn what_the_caller_says_meanwhile_counts_and_nobody_rings_who_has_rung_or_wants_none() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT]).await;
    let mut one = desk.free("pc-1").await;
    one.presence(Presence::Away).await.unwrap();
    let call = desk.call(RiskGrade::High).await;
    let mut watch = one.watch().await;
    watch.until(|desk| desk.queue.len() == 1).await;
    let id = agree_now(&mut one, call, EIGHT).await;
    comes(&mut desk, CallbackState::Agreed).await;
    comes(&mut desk, CallbackState::Due).await;
    // They take back that they are recorded.
    desk.consent(call, 2, &[(ConsentKind::Recording, false)]).await;
    // They ring again, and wait with that call.
    let anew = desk.call(RiskGrade::High).await;
    watch.until(|desk| desk.queue.len() == 1).await;
    assert_eq!(reason(take(&mut one, &id).await), "CALLER_AT_DESK");
    desk.cancel(anew).await;
    watch.until(|desk| desk.queue.is_empty()).await;
    let told = take_whole(&mut one, &id).await.unwrap();
    assert!(told.silent_caller() == SilentCaller::TapsOnly, "they won't say the word");
    comes(&mut desk, CallbackState::Taken).await;
    // Once the window is over they may go on, but not look up the number and ring anew.
    clock.advance(Duration::from_secs(600));
    assert_eq!(reason(take(&mut one, &id).await), "CALLBACK_OVER");
    tried(&mut one, &id, CallbackOutcome::Reached).await.unwrap();
    let accepted: CallAccepted = desk.event("call_accepted").await;
    assert!(accepted.called_back && !accepted.recording_consented, "as they said last");
    desk.end(call).await;

    let other = desk.call_as(another_incident(RiskGrade::High)).await;
    watch.until(|desk| desk.queue.len() == 1).await;
    let id = agree_now(&mut one, other, EIGHT + 600).await;
    // Even while somebody rings; and what else was said holds for the next one that is agreed.
    watch.until(|desk| desk.current_call_id.is_empty()).await;
    take(&mut one, &id).await.unwrap();
    desk.consent(other, 2, &[(ConsentKind::Video, false), (ConsentKind::Recording, false)]).await;
    assert_eq!(reason(tried(&mut one, &id, CallbackOutcome::NoAnswer).await), "CALLBACK_OVER");
    let id = agree_now(&mut one, other, EIGHT + 600).await;
    take(&mut one, &id).await.unwrap();
    tried(&mut one, &id, CallbackOutcome::Reached).await.unwrap();
    let accepted: CallAccepted = desk.event("call_accepted").await;
    assert!(accepted.call_id == other.to_string() && !accepted.recording_consented);
    desk.stop().await;
}
