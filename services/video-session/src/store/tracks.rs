//! What was recorded, as far as the database knows.

use ids::{CallId, ForceId, ParticipantId, SessionId, TrackName};
use sqlx::PgConnection;

use super::{StoreError, corrupt};
use crate::domain::Role;

/// One recorded track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its name.
    pub track: TrackName,
    /// Who is seen and heard.
    pub participant: ParticipantId,
    /// As what.
    pub role: Role,
    /// Segments 0 .. segments-1 were recorded.
    pub segments: u64,
}

/// A publication begins.
pub async fn insert_track(
    tx: &mut PgConnection,
    session: SessionId,
    track: &TrackName,
    participant: ParticipantId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into session.tracks (session_id, track, participant_id) values ($1, $2, $3)",
        session.uuid(),
        track.as_str(),
        participant.uuid(),
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// At least so many segments were recorded.
pub async fn save_track(
    tx: &mut PgConnection,
    session: SessionId,
    track: &TrackName,
    segments: u64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update session.tracks set segments = greatest(segments, $3) where session_id = $1 and track = $2",
        session.uuid(),
        track.as_str(),
        i64::try_from(segments).unwrap_or(i64::MAX),
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// The segments of a call's track before this one need not be kept any longer.
pub async fn release_track(
    tx: &mut PgConnection,
    force: &ForceId,
    call: CallId,
    track: &TrackName,
    before: u64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update session.tracks t set releasable = greatest(releasable, $4)
         from session.sessions s
         where s.session_id = t.session_id and s.force_id = $1 and s.call_id = $2 and t.track = $3",
        force.as_str(),
        call.uuid(),
        track.as_str(),
        i64::try_from(before).unwrap_or(i64::MAX),
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// No segment of a call need be kept any longer.
pub async fn release_tracks(tx: &mut PgConnection, force: &ForceId, call: CallId) -> Result<(), StoreError> {
    sqlx::query!(
        "update session.tracks t set releasable = $3
         from session.sessions s where s.session_id = t.session_id and s.force_id = $1 and s.call_id = $2",
        force.as_str(),
        call.uuid(),
        i64::MAX,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// All tracks of a session that have segments, by name.
pub async fn list_tracks(tx: &mut PgConnection, session: SessionId) -> Result<Vec<Recorded>, StoreError> {
    let rows = sqlx::query!(
        "select t.track, t.participant_id, p.role, t.segments
         from session.tracks t join session.participants p using (participant_id)
         where t.session_id = $1 and t.segments > 0 order by t.track",
        session.uuid(),
    )
    .fetch_all(&mut *tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let bad = |column| corrupt("session.tracks", column, session);
            Ok(Recorded {
                track: row.track.parse().map_err(|_| bad("track"))?,
                participant: row.participant_id.into(),
                role: Role::parse(&row.role).ok_or_else(|| bad("role"))?,
                segments: row.segments.try_into().map_err(|_| bad("segments"))?,
            })
        })
        .collect()
}
