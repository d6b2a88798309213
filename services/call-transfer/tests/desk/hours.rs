//! When the desk is open, and who is on duty.

use std::time::Duration;

use crate::support::{Officer, TestDesk, asked, clock, reason, request_id};
use api::{
    intake::v1::RiskGrade,
    transfer::v1::{CallReturned, CancelShiftRequest, ListShiftsRequest, SetShiftRequest, Shift},
};
use prost_types::Timestamp;
use tonic::Status;

/// Presences outlive the test's turns of the clock.
const PATIENT: (&str, &str) = ("DESK__PRESENCE_TIMEOUT_MS", "86400000");
/// Eight in the morning in London, when every test begins.
const EIGHT: i64 = 1_800_000_000;
const HOUR: i64 = 3600;

fn seconds(at: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: at, nanos: 0 })
}

#[tokio::test]
async fn after_hours_a_call_goes_back_whoever_is_there_and_the_control_room_hears_when_the_desk_opens() {
    let clock = clock();
    let hours = ("HOURS__EVERY_DAY", "09:00-17:00");
    let kent = ("HOURS__FORCE__KENT__EVERY_DAY", "00:00-24:00");
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT, hours, kent]).await;
    let mut one = desk.free("pc-1").await;
    let seen = one.look().await.unwrap().unwrap();
    assert_eq!((seen.desk_opens_at, seen.desk_closes_at), (seconds(EIGHT + HOUR), None));
    let call = desk.call(RiskGrade::High).await;
    let returned: CallReturned = desk.event("call_returned").await;
    assert_eq!((returned.call_id, returned.reason.as_str()), (call.to_string(), "DESK_CLOSED"));
    assert_eq!((returned.officer_id.as_str(), returned.desk_opens_at), ("", seconds(EIGHT + HOUR)));
    assert_eq!(reason(one.accept(call).await), "CALL_NOT_WAITING");
    // Another force's desk has hours of its own.
    let seen = desk.officer(0, "kent", "pc-1").look().await.unwrap().unwrap();
    assert_eq!((seen.desk_opens_at, seen.desk_closes_at), (None, None));
    // Once it is open it takes calls.
    clock.advance(Duration::from_secs(3600));
    let call = desk.call(RiskGrade::High).await;
    one.offered(call).await;
    let seen = one.look().await.unwrap().unwrap();
    assert_eq!((seen.desk_opens_at, seen.desk_closes_at), (None, seconds(EIGHT + 9 * HOUR)));
    desk.stop().await;
}

#[tokio::test]
async fn what_waits_when_the_desk_closes_goes_back_and_what_an_officer_has_goes_on() {
    let clock = clock();
    let hours = ("HOURS__EVERY_DAY", "07:00-08:05");
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT, hours]).await;
    let mut one = desk.free("pc-1").await;
    let had = desk.call(RiskGrade::High).await;
    one.offered(had).await;
    one.accept(had).await.unwrap();
    let waits = desk.call(RiskGrade::High).await;
    let mut watch = one.watch().await;
    watch.until(|desk| desk.queue.len() == 1).await;
    // Ten minutes are the limit of such a call, but the desk closes in five.
    clock.advance(Duration::from_secs(300));
    let returned: CallReturned = desk.event("call_returned").await;
    assert_eq!((returned.call_id, returned.reason.as_str()), (waits.to_string(), "DESK_CLOSED"));
    assert_eq!(returned.desk_opens_at, seconds(EIGHT + 23 * HOUR));
    let seen = watch.until(|desk| desk.queue.is_empty()).await;
    assert_eq!(seen.current_call_id, had.to_string());
    desk.end(had).await;
    watch.until(|desk| desk.current_call_id.is_empty()).await;
    desk.stop().await;
}

async fn set(sergeant: &mut Officer, shift_id: &str, of: &str, from: i64, until: i64) -> Result<Shift, Status> {
    let request = SetShiftRequest {
        request_id: request_id(),
        force_id: sergeant.force.clone(),
        officer_id: sergeant.id.clone(),
        shift_id: shift_id.to_owned(),
        of: of.to_owned(),
        from: seconds(from),
        until: seconds(until),
    };
    Ok(sergeant.client.set_shift(request).await?.into_inner().shift.unwrap())
}

async fn cancel(sergeant: &mut Officer, shift_id: &str) -> Result<(), Status> {
    let request = CancelShiftRequest {
        request_id: request_id(),
        force_id: sergeant.force.clone(),
        officer_id: sergeant.id.clone(),
        shift_id: shift_id.to_owned(),
    };
    sergeant.client.cancel_shift(request).await.map(drop)
}

async fn list(sergeant: &mut Officer, from: i64, until: i64) -> Result<Vec<Shift>, Status> {
    let (force_id, officer_id) = (sergeant.force.clone(), sergeant.id.clone());
    let request = ListShiftsRequest { force_id, officer_id, from: seconds(from), until: seconds(until) };
    Ok(sergeant.client.list_shifts(request).await?.into_inner().shifts)
}

#[tokio::test]
async fn who_has_shifts_is_offered_calls_in_them_only_and_keeps_the_call_they_have() {
    let clock = clock();
    let limits = ("DESK__WAIT_LIMIT_S__HIGH", "86400");
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT, limits]).await;
    let mut sergeant = desk.officer(0, "wmp", "sgt-1");
    set(&mut sergeant, "", "pc-1", EIGHT + HOUR, EIGHT + 9 * HOUR).await.unwrap();
    let mut one = desk.free("pc-1").await;
    let first = desk.call_as(asked(RiskGrade::High)).await;
    let mut watch = one.watch().await;
    let seen = watch.until(|desk| desk.queue.len() == 1).await;
    assert_eq!((seen.offer, seen.shift_ends_at), (None, None), "free, and not on duty");
    clock.advance(Duration::from_secs(3600));
    one.offered(first).await;
    assert_eq!(one.look().await.unwrap().unwrap().shift_ends_at, seconds(EIGHT + 9 * HOUR));
    one.accept(first).await.unwrap();
    clock.advance(Duration::from_secs(8 * 3600));
    let seen = watch.until(|desk| desk.shift_ends_at.is_none() && !desk.current_call_id.is_empty()).await;
    assert_eq!(seen.current_call_id, first.to_string());
    desk.end(first).await;
    watch.until(|desk| desk.current_call_id.is_empty()).await;
    let second = desk.call_as(asked(RiskGrade::High)).await;
    let seen = watch.until(|desk| desk.queue.len() == 1).await;
    assert_eq!(seen.offer, None);
    // Without shifts it is the officer's word alone.
    let mut two = desk.free("pc-2").await;
    two.offered(second).await;
    desk.events_until("call_accepted").await;
    desk.stop().await;
}

#[tokio::test]
async fn shifts_are_planned_changed_and_cancelled_by_a_sergeant() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT]).await;
    let mut sergeant = desk.officer(0, "wmp", "sgt-1");
    let day = set(&mut sergeant, "", "pc-1", EIGHT, EIGHT + 8 * HOUR).await.unwrap();
    set(&mut sergeant, "", "pc-1", EIGHT + 8 * HOUR, EIGHT + 16 * HOUR).await.unwrap();
    set(&mut sergeant, "", "pc-2", EIGHT, EIGHT + 8 * HOUR).await.unwrap();
    let overlaps = set(&mut sergeant, "", "pc-1", EIGHT + 7 * HOUR, EIGHT + 9 * HOUR).await;
    assert_eq!(reason(overlaps), "SHIFTS_OVERLAP");
    for (from, until) in [(EIGHT, EIGHT + 17 * HOUR), (EIGHT, EIGHT), (EIGHT - 9 * HOUR, EIGHT)] {
        assert_eq!(reason(set(&mut sergeant, "", "pc-3", from, until).await), "INVALID_SHIFT");
    }
    // It ends earlier, and then isn't at all: pc-1 has but the late one.
    let shorter = set(&mut sergeant, &day.shift_id, "", EIGHT, EIGHT + HOUR).await.unwrap();
    assert_eq!(shorter, Shift { until: seconds(EIGHT + HOUR), ..day.clone() });
    cancel(&mut sergeant, &day.shift_id).await.unwrap();
    assert_eq!(reason(cancel(&mut sergeant, &day.shift_id).await), "UNKNOWN_SHIFT");
    assert_eq!(reason(set(&mut sergeant, &day.shift_id, "", EIGHT, EIGHT + HOUR).await), "UNKNOWN_SHIFT");
    let of: Vec<_> = list(&mut sergeant, EIGHT, EIGHT + 24 * HOUR).await.unwrap().into_iter().map(|s| s.of).collect();
    assert_eq!(of, ["pc-2", "pc-1"]);
    assert_eq!(list(&mut sergeant, EIGHT + 16 * HOUR, EIGHT + 24 * HOUR).await.unwrap(), []);
    assert_eq!(reason(list(&mut sergeant, EIGHT, EIGHT).await), "INVALID_WINDOW");
    let mut other = desk.officer(0, "kent", "sgt-1");
    assert_eq!(list(&mut other, EIGHT, EIGHT + 24 * HOUR).await.unwrap(), []);
    desk.stop().await;
}
