//! Where callers are, and who has looked.

use chrono::{DateTime, Utc};
use ids::CallId;
use outbox::Scope;
use sqlx::PgConnection;

use super::{Store, StoreError, Topic, updates::CHANNEL};
use crate::domain::{Location, Shown};

/// Keeps where the caller of a locked call is, in place of what was known before, unless that is newer.
///
/// # Errors
/// The database is away.
pub async fn save_location(
    tx: &mut PgConnection,
    call: CallId,
    location: &Location,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "with saved as (
             insert into intake.locations (call_id, latitude, longitude, accuracy_m, words, taken_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (call_id) do update set latitude = excluded.latitude, longitude = excluded.longitude,
                 accuracy_m = excluded.accuracy_m, words = excluded.words, taken_at = excluded.taken_at,
                 expires_at = excluded.expires_at
             where locations.taken_at <= excluded.taken_at
             returning 1)
         select pg_notify($8, $9) from (select count(*) from saved) as n",
        call.uuid(),
        location.latitude,
        location.longitude,
        i32::try_from(location.accuracy_m).unwrap_or(i32::MAX),
        location.words,
        location.taken_at,
        expires_at,
        CHANNEL,
        Topic::Deadlines.to_string(),
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("save_location", error))?;
    Ok(())
}

/// Where the caller is, if it isn't too long ago.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn location(tx: &mut PgConnection, call: CallId, now: DateTime<Utc>) -> Result<Option<Shown>, StoreError> {
    let row = sqlx::query!(
        "select latitude, longitude, accuracy_m, words, taken_at, expires_at
         from intake.locations where call_id = $1 and expires_at > $2",
        call.uuid(),
        now,
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("location", error))?;
    row.map(|row| {
        let corrupt =
            |_| StoreError::Corrupt { table: "intake.locations", column: "accuracy_m", row: call.to_string() };
        let location = Location {
            latitude: row.latitude,
            longitude: row.longitude,
            accuracy_m: u32::try_from(row.accuracy_m).map_err(corrupt)?,
            words: row.words,
            taken_at: row.taken_at,
        };
        Ok(Shown { location, expires_at: row.expires_at })
    })
    .transpose()
}

/// Forgets where the caller is.
///
/// # Errors
/// The database is away.
pub async fn forget_location(tx: &mut PgConnection, call: CallId) -> Result<(), StoreError> {
    sqlx::query!("delete from intake.locations where call_id = $1", call.uuid())
        .execute(tx)
        .await
        .map_err(|error| StoreError::Database("forget_location", error))?;
    Ok(())
}

/// Forgets where callers were too long ago.
///
/// # Errors
/// The database is away.
pub async fn forget_expired_locations(store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut tx = store.begin("forget_expired_locations", Scope::All).await?;
    sqlx::query!("delete from intake.locations where expires_at <= $1", now)
        .execute(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("forget_expired_locations", error))?;
    tx.commit().await.map_err(|error| StoreError::Database("forget_expired_locations", error))
}

/// Keeps that somebody looks, and why.
///
/// # Errors
/// The database is away.
pub async fn insert_look(
    tx: &mut PgConnection,
    call: CallId,
    who: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into intake.location_looks (call_id, at, looked_by, reason) values ($1, $2, $3, $4)",
        call.uuid(),
        now,
        who,
        reason,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_look", error))?;
    Ok(())
}
