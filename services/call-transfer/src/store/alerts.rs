//! What a sergeant should look into.

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, OfficerId};
use sqlx::PgConnection;

use super::rows;
use crate::{
    domain::{Alert, AlertKind},
    error::Error,
};

/// An alert that no sergeant has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// About which call.
    pub call: CallId,
    /// Of what, and about whom.
    pub alert: Alert,
    /// Since the first time.
    pub since: DateTime<Utc>,
    /// How often it has come to this.
    pub count: u32,
}

/// Raises an alert, or counts it once more. `at_least`: that often by now, whatever was heard of.
pub async fn raise(
    conn: &mut PgConnection,
    (force, call): (&ForceId, CallId),
    alert: &Alert,
    at_least: u32,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into transfer.alerts as a (call_id, kind, force_id, officer_id, since, count) \
         values ($1, $2, $3, $4, $5, greatest($6, 1)) on conflict (call_id, kind) \
         do update set count = case when $6 = 0 then a.count + 1 else greatest(a.count, $6) end, \
         officer_id = excluded.officer_id",
        call.uuid(),
        rows::kind_word(alert.kind),
        force.as_str(),
        alert.officer.as_ref().map(OfficerId::as_str),
        now,
        rows::to_int(at_least)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Raises an alert about each of these calls that has had none of the kind.
pub async fn raise_once(
    conn: &mut PgConnection,
    force: &ForceId,
    calls: &[CallId],
    kind: AlertKind,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if calls.is_empty() {
        return Ok(());
    }
    let calls: Vec<_> = calls.iter().map(|call| call.uuid()).collect();
    sqlx::query!(
        "insert into transfer.alerts (call_id, kind, force_id, since, count) \
         select call_id, $2, $3, $4, 1 from unnest($1::uuid[]) as c (call_id) on conflict (call_id, kind) do nothing",
        &calls,
        rows::kind_word(kind),
        force.as_str(),
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The open alerts of a desk, oldest first: without those whose call has ended, or was taken back.
pub async fn alerts(conn: &mut PgConnection, force: &ForceId) -> Result<Vec<Raised>, Error> {
    let rows = sqlx::query!(
        "select a.call_id, a.kind, a.officer_id, a.since, a.count from transfer.alerts a \
         join transfer.calls c using (call_id) where a.force_id = $1 and a.acknowledged < a.count \
         and c.state not in ('ended', 'abandoned') order by a.since, a.call_id, a.kind",
        force.as_str()
    )
    .fetch_all(conn)
    .await?;
    let raised = rows.into_iter().map(|row| {
        let bad = |column| Error::Corrupt { table: "transfer.alerts", column, row: row.call_id.to_string() };
        let kind = rows::kind(&row.kind).ok_or_else(|| bad("kind"))?;
        let officer = row.officer_id.as_deref().map(rows::officer_id).transpose()?;
        let count = u32::try_from(row.count).map_err(|_| bad("count"))?;
        Ok(Raised { call: row.call_id.into(), alert: Alert { kind, officer }, since: row.since, count })
    });
    raised.collect()
}

/// A sergeant knows of an alert, as often as they have seen it raised. False if there is none.
pub async fn acknowledge(
    conn: &mut PgConnection,
    (force, call): (&ForceId, CallId),
    (kind, seen): (AlertKind, u32),
    by: &OfficerId,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let done = sqlx::query!(
        "update transfer.alerts set acknowledged = greatest(acknowledged, least(count, $4)), acknowledged_by = $5, \
         acknowledged_at = $6 where force_id = $1 and call_id = $2 and kind = $3",
        force.as_str(),
        call.uuid(),
        rows::kind_word(kind),
        rows::to_int(seen),
        by.as_str(),
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
