//! What the control room was asked for in a session: read and saved with it.

use std::collections::HashMap;

use ids::{FastTrackId, SessionId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{StoreError, corrupt};
use crate::domain::{Cause, FastTrack, Risk, Taken};

/// What a transition made of them. How many lines of the ledger are written is not its business.
pub(super) async fn save_fast_tracks(
    tx: &mut PgConnection,
    session: SessionId,
    all: &[FastTrack],
) -> Result<(), StoreError> {
    for one in all {
        sqlx::query!(
            "insert into session.fast_tracks (fast_track_id, session_id, officer_id, requested_at, risk, reason, still,
                 raised_again, taken_by, unit, taken_at, noted)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)
             on conflict (fast_track_id) do update set raised_again = excluded.raised_again, taken_by = excluded.taken_by,
                 unit = excluded.unit, taken_at = excluded.taken_at",
            one.id.uuid(),
            session.uuid(),
            one.officer.as_str(),
            one.requested_at,
            one.risk.as_str(),
            one.cause.as_str(),
            one.still.map(|still| i32::try_from(still).unwrap_or(i32::MAX)),
            &one.raised_again,
            one.taken.as_ref().map(|taken| &*taken.by),
            one.taken.as_ref().map(|taken| &*taken.unit),
            one.taken.as_ref().map(|taken| taken.at),
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// So many lines of the ledger are written of it.
pub async fn save_noted(tx: &mut PgConnection, id: FastTrackId, noted: usize) -> Result<(), StoreError> {
    let noted = i32::try_from(noted).unwrap_or(i32::MAX);
    sqlx::query!(
        "update session.fast_tracks set noted = greatest(noted, $2) where fast_track_id = $1",
        id.uuid(),
        noted,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Those of these sessions, the oldest first.
pub(super) async fn list_fast_tracks(
    tx: &mut PgConnection,
    sessions: &[Uuid],
) -> Result<HashMap<Uuid, Vec<FastTrack>>, StoreError> {
    let rows = sqlx::query!(
        "select fast_track_id, session_id, officer_id, requested_at, risk, reason, still, raised_again, taken_by, unit,
             taken_at, noted
         from session.fast_tracks where session_id = any($1) order by requested_at, fast_track_id",
        sessions,
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut by_session: HashMap<Uuid, Vec<FastTrack>> = HashMap::new();
    for row in rows {
        let bad = |column| corrupt("session.fast_tracks", column, row.fast_track_id);
        by_session.entry(row.session_id).or_default().push(FastTrack {
            id: row.fast_track_id.into(),
            officer: row.officer_id.parse().map_err(|_| bad("officer_id"))?,
            requested_at: row.requested_at,
            risk: Risk::parse(&row.risk).ok_or_else(|| bad("risk"))?,
            cause: Cause::parse(&row.reason).ok_or_else(|| bad("reason"))?,
            still: row.still.map(u32::try_from).transpose().map_err(|_| bad("still"))?,
            raised_again: row.raised_again,
            taken: match (row.taken_by, row.unit, row.taken_at) {
                (Some(by), Some(unit), Some(at)) => Some(Taken { by, unit, at }),
                (None, None, None) => None,
                _ => return Err(bad("taken_at")),
            },
            noted: row.noted.try_into().map_err(|_| bad("noted"))?,
        });
    }
    Ok(by_session)
}
