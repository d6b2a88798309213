//! The desk over gRPC and NATS, with a clock that the test turns.

use std::time::Duration;

use crate::support::{TRACE, TestDesk, clock, reason, request_id, within};
use api::{
    intake::v1::{JoinRoute, RiskGrade, SilentCaller},
    transfer::v1::{CallAccepted, CallOffered, CallQueued, Presence},
};
use async_nats::jetstream::consumer::pull::OrderedConfig;
use chassis::Clock;
use futures::StreamExt;
use prost::Message;
use tonic::Code;

#[tokio::test]
async fn a_call_goes_to_the_free_officer_and_the_next_when_it_has_ended() {
    let mut desk = TestDesk::start(clock().into(), 1, &[]).await;
    let mut officer = desk.free("pc-1").await;
    let mut watch = officer.watch().await;
    let first = desk.call(RiskGrade::High).await;

    let seen = watch.until(|desk| desk.offer.is_some()).await;
    let offer = seen.offer.unwrap();
    assert_eq!((offer.call_id.as_str(), offer.risk()), (first.to_string().as_str(), RiskGrade::High));
    assert_eq!((offer.language.as_str(), offer.children_present), ("pa", true));
    // Who is offered it, and who looks at the queue, knows before anybody is asked to speak.
    assert_eq!(
        (offer.silent_caller(), seen.queue[0].silent_caller()),
        (SilentCaller::TapsOnly, SilentCaller::TapsOnly)
    );
    assert_eq!(offer.incident.unwrap().number, "1123");
    assert_eq!(offer.expires_at.unwrap().seconds, 1_800_000_020);
    assert_eq!(seen.queue.len(), 1, "it still waits for an answer");

    officer.accept(first).await.unwrap();
    let seen = watch.until(|desk| !desk.current_call_id.is_empty()).await;
    assert_eq!((seen.offer, seen.queue.len()), (None, 0));
    assert_eq!(seen.current_call_id, first.to_string());
    assert_eq!(reason(officer.presence(Presence::Free).await), "OFFICER_IN_CALL");

    // Named, in order, in the trace of the request, with what the others need to know.
    let (name, message) = desk.next_event().await;
    assert_eq!((name.as_str(), CallQueued::decode(message.payload).unwrap().position), ("call_queued", 1));
    let (name, message) = desk.next_event().await;
    assert_eq!(name, "call_offered");
    assert_eq!(CallOffered::decode(message.payload).unwrap().officer_id, "pc-1");
    let (name, message) = desk.next_event().await;
    assert_eq!((name.as_str(), message.subject.as_str()), ("call_accepted", "alcove.transfer.v1.call_accepted.wmp"));
    let traceparent = message.headers.unwrap().get("traceparent").unwrap().to_string();
    assert_eq!(traceparent[..35], TRACE[..35]);
    let accepted = CallAccepted::decode(message.payload).unwrap();
    assert_eq!((accepted.route(), accepted.officer_id.as_str()), (JoinRoute::SpokenCode, "pc-1"));
    assert_eq!((accepted.recording_consented, accepted.stills_consented), (true, false));
    assert!(accepted.covered_recording_consented);
    assert_eq!(accepted.silent_caller(), SilentCaller::TapsOnly);
    assert_eq!(accepted.incident.unwrap().date, "2026-11-24");

    let second = desk.call(RiskGrade::Standard).await;
    watch.until(|desk| desk.queue.len() == 1 && desk.offer.is_none()).await;
    desk.end(first).await;
    let seen = watch.until(|desk| desk.offer.is_some()).await;
    assert_eq!((seen.current_call_id.as_str(), seen.offer.unwrap().call_id), ("", second.to_string()));
    // Told twice, it is still so.
    desk.end(first).await;
    desk.request(second, RiskGrade::High).await;
    let third = desk.call(RiskGrade::High).await;
    let seen = watch.until(|desk| desk.queue.len() == 2).await;
    assert_eq!(seen.queue[0].call_id, third.to_string(), "risk first; and the second kept the risk it came with");
    desk.stop().await;
}

#[tokio::test]
async fn an_offer_that_is_not_answered_goes_to_another_and_comes_back_to_a_sole_officer() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[("DESK__PRESENCE_TIMEOUT_MS", "3600000")]).await;
    let mut one = desk.free("pc-1").await;
    clock.advance(Duration::from_secs(1));
    let mut two = desk.free("pc-2").await;
    let call = desk.call(RiskGrade::Medium).await;
    one.offered(call).await;
    assert_eq!(reason(two.accept(call).await), "NOT_OFFERED_TO_YOU");

    clock.advance(Duration::from_secs(20));
    two.offered(call).await;
    assert_eq!(reason(one.accept(call).await), "OFFER_EXPIRED");
    assert_eq!(reason(one.decline(call, "late").await), "OFFER_EXPIRED");

    two.presence(Presence::Away).await.unwrap();
    one.offered(call).await;
    clock.advance(Duration::from_secs(20));
    let events = ["call_queued", "call_offered"].repeat(4);
    assert_eq!(
        {
            let mut names = Vec::new();
            while names.len() < events.len() {
                names.push(desk.next_event().await.0);
            }
            names
        },
        events
    );
    one.accept(call).await.unwrap();
    let outcomes: Vec<Option<String>> =
        sqlx::query_scalar("select outcome from transfer.offers order by nth").fetch_all(&desk.pool).await.unwrap();
    assert_eq!(outcomes.iter().flatten().collect::<Vec<_>>(), ["expired", "gone", "expired", "accepted"]);
    desk.stop().await;
}

#[tokio::test]
async fn a_declined_call_goes_to_the_next_and_the_reason_is_kept() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 1, &[]).await;
    let mut one = desk.free("pc-1").await;
    clock.advance(Duration::from_secs(1));
    let mut two = desk.free("pc-2").await;
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;
    for empty in ["", "  ", &"é".repeat(201)] {
        assert_eq!(reason(one.decline(call, empty).await), "REASON_REQUIRED");
    }
    one.decline(call, " I know the family ").await.unwrap();
    two.offered(call).await;
    let kept: String =
        sqlx::query_scalar("select reason from transfer.offers where nth = 1").fetch_one(&desk.pool).await.unwrap();
    assert_eq!(kept, "I know the family");
    // Nobody is asked again at once, and everybody is in the end.
    two.decline(call, "on the phone").await.unwrap();
    let seen = one.watch().await.until(|_| true).await;
    assert_eq!((seen.offer, seen.queue.len()), (None, 1));
    clock.advance(Duration::from_secs(10));
    one.offered(call).await;
    desk.stop().await;
}

#[tokio::test]
async fn a_call_is_accepted_once() {
    let mut desk = TestDesk::start(clock().into(), 2, &[]).await;
    let one = desk.free("pc-1").await;
    let call = desk.call(RiskGrade::High).await;
    one.clone().offered(call).await;
    // Two tabs at two replicas, in the same instant; and another officer.
    let (mut a, mut b, mut other) = (one.clone(), desk.officer(1, "wmp", "pc-1"), desk.officer(1, "wmp", "pc-2"));
    let (a, b, other) = tokio::join!(a.accept(call), b.accept(call), other.accept(call));
    let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
    won.unwrap();
    assert_eq!(reason(lost), "CALL_NOT_WAITING");
    assert!(["CALL_NOT_WAITING", "NOT_OFFERED_TO_YOU"].contains(&reason(other).as_str()));
    assert_eq!(desk.events_until("call_accepted").await, ["call_queued", "call_offered", "call_accepted"]);

    // The same request again gets the first answer again, wherever it is asked; with other content it doesn't.
    desk.end(call).await;
    let next = desk.call(RiskGrade::High).await;
    one.clone().offered(next).await;
    let (mut a, mut b, id) = (one.clone(), desk.officer(1, "wmp", "pc-1"), request_id());
    let (a, b) = tokio::join!(a.accept_as(id.clone(), next), b.accept_as(id.clone(), next));
    a.unwrap();
    b.unwrap();
    one.clone().accept_as(id.clone(), next).await.unwrap();
    assert_eq!(reason(one.clone().accept_as(id, call).await), "REQUEST_ID_REUSED");
    assert_eq!(desk.events_until("call_accepted").await, ["call_queued", "call_offered", "call_accepted"]);
    desk.stop().await;
}

#[tokio::test]
async fn the_control_room_takes_a_call_back_before_an_officer_has_it() {
    let mut desk = TestDesk::start(clock().into(), 1, &[]).await;
    let mut one = desk.free("pc-1").await;
    let mut watch = one.watch().await;
    let call = desk.call(RiskGrade::High).await;
    watch.until(|desk| desk.offer.is_some()).await;
    desk.cancel(call).await;
    let seen = watch.until(|desk| desk.offer.is_none()).await;
    assert_eq!(seen.queue, []);
    assert_eq!(reason(one.accept(call).await), "CALL_NOT_WAITING");
    assert_eq!(desk.events_until("call_abandoned").await, ["call_queued", "call_offered", "call_abandoned"]);

    // Too late once an officer has it.
    let call = desk.call(RiskGrade::High).await;
    watch.until(|desk| desk.offer.is_some()).await;
    one.accept(call).await.unwrap();
    desk.cancel(call).await;
    let after = desk.call(RiskGrade::High).await;
    let seen = watch.until(|desk| desk.queue.iter().any(|waiting| waiting.call_id == after.to_string())).await;
    assert_eq!(seen.current_call_id, call.to_string());
    desk.stop().await;
}

#[tokio::test]
async fn an_officer_who_is_not_heard_from_is_asked_no_more() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 1, &[("DESK__OFFER_TIMEOUT_MS", "3600000")]).await;
    let mut one = desk.free("pc-1").await;
    clock.advance(Duration::from_secs(1));
    let mut two = desk.free("pc-2").await;
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;
    let mut watch = one.watch().await;
    watch.until(|desk| desk.presence() == Presence::Free).await;

    clock.advance(Duration::from_secs(13));
    two.heartbeat().await.unwrap();
    clock.advance(Duration::from_secs(1));
    two.offered(call).await;
    watch.until(|desk| desk.presence() == Presence::Away && desk.offer.is_none()).await;
    assert_eq!(reason(one.accept(call).await), "OFFER_EXPIRED");

    // Heard from again, they are as they were.
    one.heartbeat().await.unwrap();
    watch.until(|desk| desk.presence() == Presence::Free).await;
    two.decline(call, "no").await.unwrap();
    one.offered(call).await;
    desk.stop().await;
}

#[tokio::test]
async fn a_dead_browser_frees_the_offer_within_15_s() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 2, &[]).await;
    let mut dead = desk.free("pc-1").await;
    clock.advance(Duration::from_millis(1));
    let mut other = desk.officer(1, "wmp", "pc-2");
    other.presence(Presence::Free).await.unwrap();
    let call = desk.call(RiskGrade::High).await;
    dead.offered(call).await;
    // Their last sign of life, in the instant of the offer; the offer itself would last for 20 s.
    dead.heartbeat().await.unwrap();
    clock.advance(Duration::from_millis(14_999));
    other.heartbeat().await.unwrap();
    assert_eq!(dead.watch().await.until(|_| true).await.offer.unwrap().call_id, call.to_string());
    clock.advance(Duration::from_millis(1));
    other.offered(call).await;
    let told: CallOffered = desk.event("call_offered").await;
    let (again, offered) = (desk.event::<CallOffered>("call_offered").await, told.expires_at.unwrap().seconds - 20);
    assert_eq!((told.officer_id.as_str(), again.officer_id.as_str()), ("pc-1", "pc-2"));
    assert_eq!(again.occurred_at.unwrap().seconds - offered, 15);
    desk.stop().await;
}

#[tokio::test]
async fn what_is_not_here_is_refused_by_name() {
    let desk = TestDesk::start(clock().into(), 1, &[]).await;
    let mut one = desk.free("pc-1").await;
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;

    let mut kent = desk.officer(0, "kent", "pc-1");
    assert_eq!(reason(kent.accept(call).await), "UNKNOWN_CALL");
    assert_eq!(reason(kent.decline(call, "mine?").await), "UNKNOWN_CALL");
    assert_eq!(kent.watch().await.until(|_| true).await.queue, []);
    assert_eq!(reason(one.accept(desk.new_call()).await), "UNKNOWN_CALL");
    assert_eq!(reason(kent.heartbeat().await), "UNKNOWN_OFFICER");
    assert_eq!(reason(one.presence(Presence::Unspecified).await), "INVALID_PRESENCE");
    assert_eq!(reason(desk.officer(0, "wmp", "pc 1").heartbeat().await), "INVALID_OFFICER");
    assert_eq!(reason(desk.officer(0, "WMP", "pc-1").heartbeat().await), "INVALID_FORCE");
    assert_eq!(reason(one.accept_as("1".to_owned(), call).await), "MALFORMED_ID");
    one.accept(call).await.unwrap();
    desk.stop().await;
}

#[tokio::test]
async fn without_postgres_it_says_so_and_goes_on_when_it_is_back() {
    let mut desk = TestDesk::start(Clock::system(), 1, &[("DESK__PRESENCE_TIMEOUT_MS", "3600000")]).await;
    let mut one = desk.free("pc-1").await;
    desk.postgres.stop().await.unwrap();
    let refused = one.presence(Presence::Away).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(chassis::status::reason_of(&refused).unwrap(), "DATABASE_UNAVAILABLE");
    desk.postgres.start().await.unwrap();
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;
    one.accept(call).await.unwrap();
    assert_eq!(desk.events_until("call_accepted").await.len(), 3);
    desk.stop().await;
}

#[tokio::test]
async fn without_nats_officers_work_on_and_the_others_hear_of_it_later() {
    let mut desk = TestDesk::start(Clock::system(), 1, &[]).await;
    let mut one = desk.free("pc-1").await;
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;
    assert_eq!(desk.events_until("call_offered").await.len(), 2);
    desk.nats.stop().await.unwrap();
    one.accept(call).await.unwrap();
    one.watch().await.until(|desk| desk.current_call_id == call.to_string()).await;
    desk.nats.start().await.unwrap();
    // The subscriber of this test, too, comes back by itself; what it misses meanwhile is in the stream.
    let jetstream = desk.nats.jetstream().await.unwrap();
    let stream = within("the stream", jetstream.get_stream("ALCOVE_TRANSFER")).await.unwrap();
    let filter_subject = "alcove.transfer.v1.call_accepted.wmp".to_owned();
    let config = OrderedConfig { filter_subject, ..Default::default() };
    let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    within("the event", messages.next()).await.unwrap().unwrap();
    desk.stop().await;
}
