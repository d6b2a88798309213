//! A replica of the version before goes on while the new one comes: the new schema takes what it writes.

use std::time::Duration;

use crate::support::{TRACE, TestDesk, clock};
use uuid::Uuid;

#[tokio::test]
async fn a_replica_of_before_the_queue_still_keeps_calls_and_officers() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 0, &[]).await;
    // In its words.
    let (call, now) = (Uuid::from_u128(7), desk.clock.now());
    let mut tx = desk.pool.begin().await.unwrap();
    sqlx::query(
        "insert into transfer.calls (call_id, force_id, incident_date, incident_number, risk, language, \
         children_present, route, recording_consented, stills_consented, covered_recording_consented, queued_at, \
         trace, state, offers) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'queued', 0) \
         on conflict (call_id) do nothing",
    )
    .bind(call)
    .bind("wmp")
    .bind("2026-11-24")
    .bind("1123")
    .bind("high")
    .bind("pa")
    .bind(true)
    .bind("sms")
    .bind(true)
    .bind(false)
    .bind(false)
    .bind(now)
    .bind(TRACE)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "insert into transfer.officers (force_id, officer_id, wish, free_since, expires_at, gone) \
         values ($1, $2, $3, $4, $5, $6) on conflict (force_id, officer_id) do update set wish = excluded.wish, \
         free_since = excluded.free_since, expires_at = excluded.expires_at, gone = excluded.gone",
    )
    .bind("wmp")
    .bind("pc-1")
    .bind("free")
    .bind(now)
    .bind(now + Duration::from_secs(15))
    .bind(false)
    .execute(&mut *tx)
    .await
    .unwrap();
    let waits: (bool, bool, bool) = sqlx::query_as(
        "select softens_at = now(), long_at = now() + interval '10 minutes', wait_until = now() + interval '30 minutes' \
         from transfer.calls",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!(waits, (true, true, true), "any officer will do, and the limits are those of the standard grade");
    let officer: (Vec<String>, bool) =
        sqlx::query_as("select languages, child_trained from transfer.officers").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(officer, (vec![], false));
    tx.commit().await.unwrap();
    desk.stop().await;
}
