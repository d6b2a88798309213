//! The inbox: what has had its effect. And the parking place of what can't have one.

use async_nats::jetstream::Message;
use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::{Delivery, Error, Tx};

/// What the inbox says about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// Its effect is this transaction's to make.
    Fresh,
    /// It has had its effect.
    Duplicate,
    /// An earlier event of its call has not had its effect yet.
    Early,
}

/// Claims an event for this transaction. A twin in another transaction waits here until that one is over.
pub(super) async fn claim(
    tx: &mut Tx,
    consumer: &str,
    delivery: &Delivery,
    now: DateTime<Utc>,
) -> Result<Claim, sqlx::Error> {
    let row = sqlx::query!(
        r#"with claimed as (
               insert into outbox.inbox (consumer, source, call_id, version, event_id, handled_at)
               values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning 1
           )
           select exists (select from claimed) as "fresh!",
                  $7::bigint = 0 or exists (
                      select from outbox.inbox
                      where consumer = $1 and source = $2 and call_id = $3 and version = $7
                  ) as "in_order!""#,
        consumer,
        delivery.source,
        delivery.call.uuid(),
        signed(delivery.version),
        delivery.event.uuid(),
        now,
        signed(delivery.after),
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(match (row.fresh, row.in_order) {
        (false, _) => Claim::Duplicate,
        (true, false) => Claim::Early,
        (true, true) => Claim::Fresh,
    })
}

/// Fails if the transaction has failed. A handler that swallowed a database error would otherwise be committed: to
/// Postgres, `COMMIT` of a failed transaction is a `ROLLBACK`, and no error.
pub(super) async fn still_good(tx: &mut Tx) -> Result<(), sqlx::Error> {
    sqlx::query!("select 1 as one").fetch_one(&mut **tx).await.map(drop)
}

/// Parks a message and, if it is an event, counts it as handled. Returns whether it was parked just now.
pub(super) async fn park(
    pool: &PgPool,
    consumer: &str,
    message: &Message,
    sequence: u64,
    delivery: Option<&Delivery>,
    (reason, tries): (&str, u32),
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let headers: serde_json::Map<_, _> = message
        .headers
        .iter()
        .flat_map(async_nats::HeaderMap::iter)
        .map(|(name, values)| (name.to_string(), values.iter().map(|value| value.as_str()).collect::<Vec<_>>().into()))
        .collect();
    let mut tx = pool.begin().await?;
    let parked = sqlx::query!(
        "insert into outbox.parked
             (consumer, stream_sequence, subject, event_id, call_id, headers, payload, reason, tries, parked_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
        consumer,
        signed(sequence),
        message.subject.as_str(),
        delivery.map(|delivery| delivery.event.uuid()),
        delivery.map(|delivery| delivery.call.uuid()),
        serde_json::Value::Object(headers),
        message.payload.as_ref(),
        reason,
        i32::try_from(tries).unwrap_or(i32::MAX),
        now,
    )
    .execute(&mut *tx)
    .await?;
    if let Some(delivery) = delivery {
        sqlx::query!(
            "insert into outbox.inbox (consumer, source, call_id, version, event_id, handled_at)
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            consumer,
            delivery.source,
            delivery.call.uuid(),
            signed(delivery.version),
            delivery.event.uuid(),
            now,
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(parked.rows_affected() == 1)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
