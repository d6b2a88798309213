//! An officer has the caller of an earlier call on the phone: the follow-up is theirs before anybody else's.

use crate::{
    callbacks::{EIGHT, PATIENT},
    support::{TestDesk, asked, clock},
};
use api::{
    intake::v1::{Incident, RiskGrade, TransferRequested},
    transfer::v1::{CallAccepted, CallOffered, CallReturned, Presence},
};
use prost::Message;

/// Asked for by this officer, in the language that everybody speaks.
fn rung_by(desk: &TestDesk, officer: &str) -> TransferRequested {
    TransferRequested {
        for_officer: officer.to_owned(),
        follow_up_of: desk.new_call().to_string(),
        incident: Some(Incident { date: "2026-11-20".to_owned(), number: "7".to_owned() }),
        ..asked(RiskGrade::Standard)
    }
}

#[tokio::test]
async fn who_rang_has_it_at_once_though_away_and_nobody_else_is_offered_it() {
    let mut desk = TestDesk::start(clock().into(), 1, &[PATIENT]).await;
    let (mut who_rang, mut other) = (desk.free("pc.a").await, desk.free("pc.b").await);
    who_rang.presence(Presence::Away).await.unwrap();
    let call = desk.call_as(rung_by(&desk, "pc.a")).await;
    // Neither queued nor on offer before.
    let (name, message) = desk.next_event().await;
    assert_eq!(name, "call_accepted");
    let accepted: CallAccepted = Message::decode(message.payload).unwrap();
    assert_eq!((accepted.call_id, accepted.officer_id), (call.to_string(), "pc.a".to_owned()));
    assert!(!accepted.called_back, "what was asked is of the phone that they were rung at");
    let view = who_rang.look().await.unwrap().unwrap();
    assert_eq!(view.current_call_id, call.to_string());
    let others_view = other.look().await.unwrap().unwrap();
    assert!(others_view.offer.is_none() && others_view.queue.is_empty());
    desk.end(call).await;
    who_rang.watch().await.until(|view| view.current_call_id.is_empty()).await;
    desk.stop().await;
}

#[tokio::test]
async fn it_is_kept_for_who_rang_while_they_are_busy_and_is_anybody_s_if_they_are_not_there() {
    let mut desk = TestDesk::start(clock().into(), 1, &[PATIENT]).await;
    let mut who_rang = desk.free("pc.a").await;
    let busy_with = desk.call_as(asked(RiskGrade::High)).await;
    who_rang.offered(busy_with).await;
    who_rang.accept(busy_with).await.unwrap();
    let mut other = desk.free("pc.b").await;
    let wanted = rung_by(&desk, "pc.a");
    let first = wanted.follow_up_of.clone();
    let call = desk.call_as(wanted).await;
    let id = call.to_string();
    let waits = other.watch().await.until(|view| view.queue.iter().any(|one| one.call_id == id)).await;
    assert!(waits.offer.is_none(), "it is kept");
    assert_eq!(waits.queue[0].follow_up_of, first);
    desk.end(busy_with).await;
    who_rang.offered(call).await;
    who_rang.accept(call).await.unwrap();
    desk.end(call).await;
    desk.events_until("call_accepted").await;

    // Who rang has left the desk meanwhile: whoever is there is told what they are offered.
    let wanted = rung_by(&desk, "pc.c");
    let (first, call) = (wanted.follow_up_of.clone(), desk.call_as(wanted).await);
    let id = call.to_string();
    let offered: CallOffered = loop {
        let offered: CallOffered = desk.event("call_offered").await;
        if offered.call_id == id {
            break offered;
        }
    };
    let mut whoever = if offered.officer_id == "pc.a" { who_rang } else { other };
    let view = whoever.watch().await.until(|view| view.offer.is_some()).await;
    assert_eq!(view.offer.unwrap().follow_up_of, first);
    desk.stop().await;
}

#[tokio::test]
async fn a_closed_desk_gives_it_back_though_its_officer_is_there() {
    let closed = ("HOURS__EVERY_DAY", "09:00-17:00");
    let mut desk = TestDesk::start(clock().into(), 1, &[PATIENT, closed]).await;
    desk.free("pc.a").await;
    let call = desk.call_as(rung_by(&desk, "pc.a")).await;
    let returned: CallReturned = desk.event("call_returned").await;
    assert_eq!((returned.call_id, returned.reason.as_str()), (call.to_string(), "DESK_CLOSED"));
    assert_eq!(returned.desk_opens_at.unwrap().seconds, EIGHT + 3600);
    desk.stop().await;
}
