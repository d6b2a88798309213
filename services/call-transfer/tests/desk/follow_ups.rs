//! An officer has the caller of an earlier call on the phone: the follow-up is theirs before anybody else's.

use std::time::Duration;

use crate::{
    callbacks::{EIGHT, PATIENT, agree_now, take},
    loans::{agree, offer},
    support::{TestDesk, asked, clock},
};
use api::{
    intake::v1::{Incident, RiskGrade, TransferRequested},
    transfer::v1::{CallAccepted, CallOffered, CallReturned, GetDeskFiguresRequest, Presence},
};
use prost::Message;
use prost_types::Timestamp;

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
    // It was served, and nobody waited for it: of how long callers wait it says nothing.
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let (force_id, officer_id) = (who_rang.force.clone(), who_rang.id.clone());
    let window = GetDeskFiguresRequest { force_id, officer_id, from: at(EIGHT - 1), until: at(EIGHT + 1) };
    let told = who_rang.client.get_desk_figures(window).await.unwrap().into_inner().whole.unwrap();
    assert_eq!((told.served, told.answer_p50_s, told.answer_p95_s), (1, None, None));
    desk.stop().await;
}

#[tokio::test]
async fn who_is_gone_or_has_another_call_on_offer_or_somebody_else_to_ring_or_is_lent_has_it_not_at_once() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT]).await;
    desk.free("pc.gone").await;
    clock.advance(Duration::from_secs(86_401));
    let now = EIGHT + 86_401;
    let waits = async |desk: &mut TestDesk, officer: &str| {
        let call = desk.call_as(rung_by(desk, officer)).await;
        let told = desk.events_until("call_queued").await;
        assert!(!told.contains(&"call_accepted".to_owned()), "{officer}: {told:?}");
        desk.cancel(call).await;
        desk.events_until("call_abandoned").await;
    };
    waits(&mut desk, "pc.gone").await;

    let mut offered = desk.free("pc.offered").await;
    let other = desk.call(RiskGrade::High).await;
    offered.offered(other).await;
    desk.events_until("call_offered").await;
    waits(&mut desk, "pc.offered").await;

    let callback = agree_now(&mut offered, other, now).await;
    desk.events_until("call_returned").await;
    take(&mut offered, &callback).await.unwrap();
    waits(&mut desk, "pc.offered").await;

    desk.free("pc.lent").await;
    let loan = offer(&mut desk.officer(0, "wmp", "sgt-1"), "kent", &["pc.lent"], (86_401, 90_000)).await.unwrap();
    agree(&mut desk.officer(0, "kent", "sgt-1"), &loan).await.unwrap();
    desk.officer(0, "kent", "pc.lent@wmp").presence(Presence::Free).await.unwrap();
    waits(&mut desk, "pc.lent").await;
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
async fn at_a_closed_desk_it_is_its_officer_s_who_is_there_and_goes_back_if_they_are_not() {
    let closed = ("HOURS__EVERY_DAY", "09:00-17:00");
    let mut desk = TestDesk::start(clock().into(), 1, &[PATIENT, closed]).await;
    // The control room has nobody on the line: the officer does.
    desk.free("pc.a").await;
    let call = desk.call_as(rung_by(&desk, "pc.a")).await;
    let (name, message) = desk.next_event().await;
    assert_eq!(name, "call_accepted");
    let accepted: CallAccepted = Message::decode(message.payload).unwrap();
    assert_eq!((accepted.call_id, accepted.officer_id), (call.to_string(), "pc.a".to_owned()));
    let call = desk.call_as(rung_by(&desk, "pc.b")).await;
    let returned: CallReturned = desk.event("call_returned").await;
    assert_eq!((returned.call_id, returned.reason.as_str()), (call.to_string(), "DESK_CLOSED"));
    assert_eq!(returned.desk_opens_at.unwrap().seconds, EIGHT + 3600);
    desk.stop().await;
}
