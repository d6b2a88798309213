//! The desk's clock goes on at every desk, whatever is the matter with one.

use std::time::Duration;

use crate::support::{TRACE, TestDesk, asked, clock};
use api::{intake::v1::RiskGrade, transfer::v1::CallReturned};

/// Presences outlive the test's turns of the clock.
const PATIENT: (&str, &str) = ("DESK__PRESENCE_TIMEOUT_MS", "86400000");

#[tokio::test]
async fn a_desk_that_fails_keeps_no_other_from_its_turn_and_has_its_own_when_it_is_well() {
    let clock = clock();
    let mut desk = TestDesk::start(clock.clone().into(), 1, &[PATIENT]).await;
    // Overdue calls that can't be read, of so many forces that some come before the one that is well.
    sqlx::query(
        "insert into transfer.calls (call_id, force_id, incident_date, incident_number, risk, language, \
         children_present, route, recording_consented, stills_consented, covered_recording_consented, queued_at, \
         trace, vulnerability, child_may_speak, softens_at, long_at, wait_until, state, offers) \
         select gen_random_uuid(), 'force-' || n, 'no date', '1123', 'high', '', false, 'sms', false, false, false, \
         $1, $2, 'none', false, $1, $1, $1, 'queued', 0 from generate_series(1, 40) as n",
    )
    .bind(desk.clock.now())
    .bind(TRACE)
    .execute(&desk.pool)
    .await
    .unwrap();
    let mut one = desk.free("pc-1").await;
    clock.advance(Duration::from_secs(1));
    let mut two = desk.free("pc-2").await;
    let call = desk.call_as(asked(RiskGrade::High)).await;
    one.offered(call).await;
    clock.advance(Duration::from_secs(20));
    two.offered(call).await;

    sqlx::query("update transfer.calls set incident_date = '2026-11-24' where force_id = 'force-7'")
        .execute(&desk.pool)
        .await
        .unwrap();
    assert_eq!(desk.event::<CallReturned>("call_returned").await.force_id, "force-7");
    desk.stop().await;
}
