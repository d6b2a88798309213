//! What sergeants are told, until they say that they know.

use std::time::Duration;

use crate::support::{TestDesk, asked, clock, reason};
use api::{
    intake::v1::RiskGrade,
    transfer::v1::AlertKind::{Declined, FastTrack, NoSkill, NotAnswered, Unspecified, WaitsLong},
};

/// Presences outlive the test's turns of the clock.
const PATIENT: (&str, &str) = ("DESK__PRESENCE_TIMEOUT_MS", "86400000");

#[tokio::test]
async fn the_sergeant_hears_of_a_decline_and_of_who_did_not_answer_until_they_say_so() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 2, &[PATIENT]).await;
    let mut one = desk.free("pc-1").await;
    let mut sergeant = desk.officer(1, "wmp", "sgt-1");
    let mut watch = sergeant.watch_alerts().await;
    let call = desk.call_as(asked(RiskGrade::High)).await;
    one.offered(call).await;
    one.decline(call, "I know the family").await.unwrap();
    let alerts = watch.alerts(&[(Declined, 1, "pc-1")]).await;
    assert_eq!(
        (alerts[0].call_id.as_str(), alerts[0].since.unwrap().seconds),
        (call.to_string().as_str(), 1_800_000_000)
    );
    assert_eq!(one.watch().await.until(|_| true).await.alerts, [], "for who asks");

    // The sergeant has seen it; once more, and it is back, whatever was seen.
    sergeant.acknowledge(call, Declined, 1).await.unwrap();
    watch.alerts(&[]).await;
    clock.advance(Duration::from_secs(10));
    one.offered(call).await;
    one.decline(call, "still").await.unwrap();
    watch.alerts(&[(Declined, 2, "pc-1")]).await;
    sergeant.acknowledge(call, Declined, 1).await.unwrap();
    clock.advance(Duration::from_secs(10));
    one.offered(call).await;
    clock.advance(Duration::from_secs(20));
    watch.alerts(&[(Declined, 2, "pc-1"), (NotAnswered, 1, "pc-1")]).await;

    // Who knows of what isn't there, or is another force's.
    assert_eq!(reason(sergeant.acknowledge(call, NoSkill, 1).await), "UNKNOWN_ALERT");
    assert_eq!(reason(sergeant.acknowledge(call, Unspecified, 1).await), "INVALID_ALERT");
    assert_eq!(reason(desk.officer(0, "kent", "sgt-9").acknowledge(call, Declined, 2).await), "UNKNOWN_ALERT");
    assert_eq!(desk.officer(0, "kent", "sgt-9").watch_alerts().await.until(|_| true).await.alerts, []);
    // And over with the call.
    desk.cancel(call).await;
    watch.alerts(&[]).await;
    desk.stop().await;
}

#[tokio::test]
async fn the_sergeant_hears_of_a_long_wait_and_of_a_skill_that_nobody_has() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 2, &[PATIENT]).await;
    let mut one = desk.free("pc-1").await;
    let mut sergeant = desk.officer(1, "wmp", "sgt-1");
    let mut watch = sergeant.watch_alerts().await;
    // In Punjabi, which nobody has said that they speak.
    let call = desk.call(RiskGrade::High).await;
    watch.alerts(&[(NoSkill, 1, "")]).await;
    one.offered(call).await;
    one.decline(call, "no").await.unwrap();
    clock.advance(Duration::from_secs(120));
    watch.alerts(&[(NoSkill, 1, ""), (Declined, 1, "pc-1"), (WaitsLong, 1, "")]).await;
    for (kind, count) in [(NoSkill, 1), (Declined, 1), (WaitsLong, 1)] {
        sergeant.acknowledge(call, kind, count).await.unwrap();
    }
    watch.alerts(&[]).await;
    // It goes on waiting, and going without, which is known by now.
    one.offered(call).await;
    one.decline(call, "no").await.unwrap();
    watch.alerts(&[(Declined, 2, "pc-1")]).await;
    desk.stop().await;
}

#[tokio::test]
async fn the_sergeant_hears_of_a_fast_track_that_nobody_has_taken_on() {
    let desk = TestDesk::start(clock().into(), 1, &[PATIENT]).await;
    let mut one = desk.free("pc-1").await;
    let mut watch = one.watch_alerts().await;
    let call = desk.call_as(asked(RiskGrade::High)).await;
    one.offered(call).await;
    one.accept(call).await.unwrap();
    let pressed = desk.new_fast_track();
    desk.escalate(call, pressed, 2, "pc-1").await;
    watch.alerts(&[(FastTrack, 1, "pc-1")]).await;
    one.acknowledge(call, FastTrack, 1).await.unwrap();
    watch.alerts(&[]).await;
    desk.escalate(call, pressed, 3, "pc-1").await;
    watch.alerts(&[(FastTrack, 2, "pc-1")]).await;
    // Of a call that never came here: nothing to show, and nothing to choke on.
    let elsewhere = desk.new_call();
    desk.escalate(elsewhere, desk.new_fast_track(), 2, "pc-1").await;
    desk.take_on(elsewhere, desk.new_fast_track()).await;
    // Somebody is still to be sent, though the call is over.
    let next = desk.call_as(asked(RiskGrade::High)).await;
    desk.end(call).await;
    one.offered(next).await;
    assert_eq!(one.watch_alerts().await.alerts(&[(FastTrack, 2, "pc-1")]).await[0].call_id, call.to_string());
    one.acknowledge(call, FastTrack, 2).await.unwrap();
    watch.alerts(&[]).await;
    let parked: i64 = sqlx::query_scalar("select count(*) from outbox.parked").fetch_one(&desk.pool).await.unwrap();
    assert_eq!(parked, 0);
    desk.stop().await;
}

#[tokio::test]
async fn a_second_fast_track_is_heard_of_whatever_was_acknowledged_of_the_first() {
    let desk = TestDesk::start(clock().into(), 1, &[PATIENT]).await;
    let mut one = desk.free("pc-1").await;
    let mut watch = one.watch_alerts().await;
    let call = desk.call_as(asked(RiskGrade::High)).await;
    let [first, second] = [desk.new_fast_track(), desk.new_fast_track()];
    desk.escalate(call, first, 2, "pc-1").await;
    desk.escalate(call, first, 3, "pc-1").await;
    watch.alerts(&[(FastTrack, 2, "pc-1")]).await;
    one.acknowledge(call, FastTrack, 2).await.unwrap();
    watch.alerts(&[]).await;
    desk.take_on(call, first).await;
    // The officer presses again. The control room's numbers begin anew: it is news even so.
    desk.escalate(call, second, 2, "pc-1").await;
    watch.alerts(&[(FastTrack, 3, "pc-1")]).await;
    desk.take_on(call, second).await;
    watch.alerts(&[]).await;
    desk.stop().await;
}

#[tokio::test]
async fn a_fast_track_that_the_control_room_takes_on_takes_no_other_along() {
    let desk = TestDesk::start(clock().into(), 1, &[PATIENT]).await;
    let mut one = desk.free("pc-1").await;
    let mut watch = one.watch_alerts().await;
    let call = desk.call_as(asked(RiskGrade::High)).await;
    let [waits, taken, never_late] = [desk.new_fast_track(), desk.new_fast_track(), desk.new_fast_track()];
    desk.escalate(call, waits, 2, "pc-1").await;
    desk.escalate(call, taken, 2, "pc-1").await;
    watch.alerts(&[(FastTrack, 2, "pc-1")]).await;
    desk.take_on(call, taken).await;
    desk.take_on(call, never_late).await;
    // The sixth event about the call: the five before it have been heard then.
    desk.consent(call, 6, &[]).await;
    one.watch_alerts().await.alerts(&[(FastTrack, 2, "pc-1")]).await;
    // A sergeant knows of the one, the control room has the other: nobody need know more.
    one.acknowledge(call, FastTrack, 2).await.unwrap();
    watch.alerts(&[]).await;
    let last = desk.new_fast_track();
    desk.escalate(call, last, 2, "pc-1").await;
    watch.alerts(&[(FastTrack, 3, "pc-1")]).await;
    desk.take_on(call, last).await;
    watch.alerts(&[]).await;
    desk.stop().await;
}

/// A desk whose sergeants don't look for months: a watch carries no more for it, and what somebody's life may hang on stays in it.
#[tokio::test]
async fn so_many_alerts_that_nobody_looks_at_are_shown_and_no_more() {
    let desk = TestDesk::start(clock().into(), 1, &[PATIENT]).await;
    let call = desk.call_as(asked(RiskGrade::High)).await;
    desk.escalate(call, desk.new_fast_track(), 2, "pc-1").await;
    let mut sergeant = desk.officer(0, "wmp", "sgt-1");
    let first = sergeant.watch_alerts().await.alerts(&[(FastTrack, 1, "pc-1")]).await.remove(0);
    for more in [
        "insert into transfer.calls select (jsonb_populate_record(c, jsonb_build_object('call_id', gen_random_uuid()))).*
         from transfer.calls c, generate_series(1, 250)",
        "insert into transfer.alerts (call_id, kind, force_id, since, count)
         select call_id, 'declined', force_id, queued_at + interval '1 hour', 1 from transfer.calls where call_id not in
         (select call_id from transfer.alerts)",
    ] {
        sqlx::query(more).execute(&desk.pool).await.unwrap();
    }
    let seen = sergeant.watch_alerts().await.until(|_| true).await;
    assert_eq!((seen.alerts.len(), &seen.alerts[0]), (200, &first));
    desk.stop().await;
}
