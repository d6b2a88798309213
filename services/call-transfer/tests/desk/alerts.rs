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
    desk.escalate(call, 2, "pc-1").await;
    watch.alerts(&[(FastTrack, 2, "pc-1")]).await;
    one.acknowledge(call, FastTrack, 2).await.unwrap();
    watch.alerts(&[]).await;
    desk.escalate(call, 3, "pc-1").await;
    watch.alerts(&[(FastTrack, 3, "pc-1")]).await;
    // Of a call that never came here: nothing to show, and nothing to choke on.
    desk.escalate(desk.new_call(), 2, "pc-1").await;
    desk.end(call).await;
    watch.alerts(&[]).await;
    let parked: i64 = sqlx::query_scalar("select count(*) from outbox.parked").fetch_one(&desk.pool).await.unwrap();
    assert_eq!(parked, 0);
    desk.stop().await;
}
