//! What a sergeant should look into.

use chrono::{DateTime, Utc};
use ids::{CallId, FastTrackId, ForceId, OfficerId};
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

/// Raises an alert, or counts it once more.
pub async fn raise(
    conn: &mut PgConnection,
    (force, call): (&ForceId, CallId),
    alert: &Alert,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into transfer.alerts as a (call_id, kind, force_id, officer_id, since, count) \
         values ($1, $2, $3, $4, $5, 1) on conflict (call_id, kind) \
         do update set count = a.count + 1, officer_id = excluded.officer_id",
        call.uuid(),
        rows::kind_word(alert.kind),
        force.as_str(),
        alert.officer.as_ref().map(OfficerId::as_str),
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps which fast-track a call's alert was raised for just now.
pub async fn keep_fast_track(conn: &mut PgConnection, call: CallId, fast_track: FastTrackId) -> Result<(), Error> {
    sqlx::query!(
        "insert into transfer.fast_tracks (fast_track_id, call_id, count) \
         select $2, call_id, count from transfer.alerts where call_id = $1 and kind = 'fast_track' \
         on conflict (fast_track_id) do update set count = excluded.count",
        call.uuid(),
        fast_track.uuid()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The control room has a fast-track. Its call's alert is over unless it was raised for another, too, that neither they have
/// nor a sergeant knows of. False if that changes nothing.
pub async fn close_fast_track(
    conn: &mut PgConnection,
    (force, call): (&ForceId, CallId),
    fast_track: FastTrackId,
) -> Result<bool, Error> {
    let done = sqlx::query!(
        "with taken as (delete from transfer.fast_tracks where call_id = $2 and fast_track_id = $3 returning call_id) \
         update transfer.alerts a set acknowledged = a.count from taken \
         where a.force_id = $1 and a.call_id = taken.call_id and a.kind = 'fast_track' and not exists \
         (select from transfer.fast_tracks o where o.call_id = a.call_id and o.fast_track_id <> $3 \
         and o.count > a.acknowledged)",
        force.as_str(),
        call.uuid(),
        fast_track.uuid()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
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

/// The most alerts that are shown: who has so many has stopped looking.
const MOST: i64 = 200;

/// The open alerts of a desk, oldest first: without those whose call has ended, or was taken back. That nobody has been
/// sent stays, whatever became of the call. Where there are too many, the oldest of the others are left out.
pub async fn alerts(conn: &mut PgConnection, force: &ForceId) -> Result<Vec<Raised>, Error> {
    let rows = sqlx::query!(
        "select a.call_id, a.kind, a.officer_id, a.since, a.count from transfer.alerts a \
         join transfer.calls c using (call_id) where a.force_id = $1 and a.acknowledged < a.count \
         and (a.kind = 'fast_track' or c.state not in ('ended', 'abandoned')) \
         order by a.kind = 'fast_track' desc, a.since desc, a.call_id, a.kind limit $2",
        force.as_str(),
        MOST
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
    let mut raised = raised.collect::<Result<Vec<_>, Error>>()?;
    raised.sort_by_key(|raised| (raised.since, raised.call, rows::kind_word(raised.alert.kind)));
    Ok(raised)
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
