//! How far the updates of calls that came by MAIT have gone back. A row is claimed for a while, and what is sent meanwhile is
//! sent outside of any transaction: a control room that doesn't answer holds no lock and no connection.

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef};
use outbox::Scope;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError, Topic, updates::CHANNEL};
use crate::domain::Call;

/// A call with something to be sent, claimed.
#[derive(Debug)]
pub struct Claimed {
    /// Whose.
    pub force: ForceId,
    /// Which.
    pub call: CallId,
    /// The force's own reference of it.
    pub incident: IncidentRef,
    /// The last update that was taken.
    pub sent: u64,
    /// How often the next one was tried in vain.
    pub failures: u32,
    /// How often it was refused for good.
    pub refusals: u32,
    /// By this.
    pub claim: Uuid,
}

/// From here on the call's updates go back by MAIT, from the first.
///
/// # Errors
/// The database is away.
pub async fn follow(tx: &mut PgConnection, call: &Call, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!(
        "with added as (
             insert into intake.mait_sent (call_id, force_id, told, next_at) values ($1, $2, $3, $4)
             on conflict do nothing returning 1)
         select pg_notify($5, $6) from added",
        call.id.uuid(),
        call.force.as_str(),
        i64::try_from(call.told).unwrap_or(i64::MAX),
        now,
        CHANNEL,
        Topic::Mait.to_string(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("mait::follow", error))?;
    Ok(())
}

/// Claims the force's call whose turn it is, until then; none if there is nothing to be sent now.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn claim(
    store: &Store,
    force: &ForceId,
    claim: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Claimed>, StoreError> {
    let mut tx = store.begin("mait::claim", Scope::Force(force)).await?;
    let row = sqlx::query!(
        "update intake.mait_sent m set claim = $2, next_at = $4
         from (select call_id from intake.mait_sent
               where force_id = $1 and told > sent and next_at <= $3
               order by next_at limit 1 for update skip locked) due
         join intake.calls c on c.id = due.call_id
         where m.call_id = due.call_id
         returning m.call_id, m.sent, m.failures, m.refusals, c.incident_date, c.incident_number",
        force.as_str(),
        claim,
        now,
        until,
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(|error| StoreError::Database("mait::claim", error))?;
    tx.commit().await.map_err(|error| StoreError::Database("mait::claim", error))?;
    let Some(row) = row else { return Ok(None) };
    let corrupt = |column| StoreError::Corrupt { table: "intake.mait_sent", column, row: row.call_id.to_string() };
    Ok(Some(Claimed {
        force: force.clone(),
        call: row.call_id.into(),
        incident: IncidentRef::parse(&row.incident_date, &row.incident_number).map_err(|_| corrupt("call_id"))?,
        sent: u64::try_from(row.sent).map_err(|_| corrupt("sent"))?,
        failures: u32::try_from(row.failures).map_err(|_| corrupt("failures"))?,
        refusals: u32::try_from(row.refusals).map_err(|_| corrupt("refusals"))?,
        claim,
    }))
}

/// An update was taken, or is left out, and the next one may follow until then; false if the claim is another's by now.
///
/// # Errors
/// The database is away.
pub async fn passed(
    store: &Store,
    claimed: &Claimed,
    sequence: u64,
    is_left_out: bool,
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut tx = store.begin("mait::passed", Scope::Force(&claimed.force)).await?;
    let done = sqlx::query!(
        "update intake.mait_sent
         set sent = $3, failures = 0, refusals = 0, next_at = $4, skipped = skipped + case when $5 then 1 else 0 end
         where call_id = $1 and claim = $2",
        claimed.call.uuid(),
        claimed.claim,
        i64::try_from(sequence).unwrap_or(i64::MAX),
        until,
        is_left_out,
    )
    .execute(&mut *tx)
    .await
    .map_err(|error| StoreError::Database("mait::passed", error))?;
    tx.commit().await.map_err(|error| StoreError::Database("mait::passed", error))?;
    Ok(done.rows_affected() == 1)
}

/// Lets a claim go, to be taken up again at that time.
///
/// # Errors
/// The database is away.
pub async fn release(
    store: &Store,
    claimed: &Claimed,
    (failures, refusals): (u32, u32),
    again_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut tx = store.begin("mait::release", Scope::Force(&claimed.force)).await?;
    sqlx::query!(
        "update intake.mait_sent set failures = $3, refusals = $5, next_at = $4, claim = null
         where call_id = $1 and claim = $2",
        claimed.call.uuid(),
        claimed.claim,
        i32::try_from(failures).unwrap_or(i32::MAX),
        again_at,
        i32::try_from(refusals).unwrap_or(i32::MAX),
    )
    .execute(&mut *tx)
    .await
    .map_err(|error| StoreError::Database("mait::release", error))?;
    tx.commit().await.map_err(|error| StoreError::Database("mait::release", error))?;
    Ok(())
}

/// When the force has next something to be sent.
///
/// # Errors
/// The database is away.
pub async fn next(store: &Store, force: &ForceId) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mut tx = store.begin("mait::next", Scope::Force(force)).await?;
    let next = sqlx::query_scalar!(
        "select min(next_at) from intake.mait_sent where force_id = $1 and told > sent",
        force.as_str(),
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(|error| StoreError::Database("mait::next", error))?;
    tx.commit().await.map_err(|error| StoreError::Database("mait::next", error))?;
    Ok(next)
}
