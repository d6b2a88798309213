//! The log that WatchForce tells from.
//!
//! It is gapless to whoever reads it while others write. A number is taken by raising the count in the force's row,
//! whose lock is held until the transaction ends, so the next number is taken only after the last one is committed (or
//! rolled back, and then given out again). Postgres makes a commit visible before it lets go of the locks. So a
//! statement that sees number n sees all of 1 to n, and "what comes after n" can never later gain a row before it. The
//! lock is the last that a transaction takes: two can't wait for each other, and it is held for the rest of one
//! transaction, never while anybody reads.

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef};
use outbox::Scope;
use sqlx::PgConnection;

use super::{Store, StoreError, Topic, from_json, json, updates::CHANNEL};
use crate::domain::{ForceNews, ForceUpdate, Told};

/// Adds what the force's control room must see; wakes its watchers when the transaction commits. The last statement
/// before the commit that locks anything.
///
/// # Errors
/// The database is away.
pub async fn insert_force_updates(
    tx: &mut PgConnection,
    force: &ForceId,
    call: CallId,
    updates: &[ForceUpdate],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if updates.is_empty() {
        return Ok(());
    }
    let bodies: Vec<serde_json::Value> = updates.iter().map(json).collect();
    sqlx::query!(
        "with counted as (
             insert into intake.forces as f (force_id, told) values ($1, cardinality($4::jsonb[]))
             on conflict (force_id) do update set told = f.told + excluded.told
             returning told),
         added as (
             insert into intake.force_updates (force_id, sequence, at, call_id, body)
             select $1, counted.told - cardinality($4::jsonb[]) + u.n, $2, $3, u.body
             from counted, unnest($4::jsonb[]) with ordinality as u (body, n)
             returning 1)
         select pg_notify($5, $6) from (select count(*) from added) as n",
        force.as_str(),
        now,
        call.uuid(),
        &bodies,
        CHANNEL,
        Topic::Force(force.clone()).to_string(),
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_force_updates", error))?;
    Ok(())
}

/// A page of a force's updates, oldest first.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn force_updates_after(
    store: &Store,
    force: &ForceId,
    after: u64,
    limit: i64,
) -> Result<Vec<Told<ForceNews>>, StoreError> {
    let mut tx = store.begin("force_updates_after", Scope::Force(force)).await?;
    let rows = sqlx::query!(
        "select u.sequence, u.at, u.call_id, u.body, c.incident_date, c.incident_number
         from intake.force_updates u join intake.calls c on c.id = u.call_id
         where u.force_id = $1 and u.sequence > $2 order by u.sequence limit $3",
        force.as_str(),
        i64::try_from(after).unwrap_or(i64::MAX),
        limit,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(|error| StoreError::Database("force_updates_after", error))?;
    rows.into_iter()
        .map(|row| {
            let corrupt = |column| StoreError::Corrupt {
                table: "intake.force_updates",
                column,
                row: format!("{force}/{}", row.sequence),
            };
            Ok(Told {
                sequence: u64::try_from(row.sequence).map_err(|_| corrupt("sequence"))?,
                at: row.at,
                update: ForceNews {
                    call: row.call_id.into(),
                    incident: IncidentRef::parse(&row.incident_date, &row.incident_number)
                        .map_err(|_| corrupt("call_id"))?,
                    update: from_json::<ForceUpdate>(row.body).ok_or_else(|| corrupt("body"))?,
                },
            })
        })
        .collect()
}
