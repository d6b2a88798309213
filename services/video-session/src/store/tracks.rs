//! What was recorded, as far as the database knows.

use ids::{CallId, ForceId, InstanceName, ParticipantId, SessionId, TrackName};
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

/// A publication begins, on an instance, in the session's epoch.
pub async fn insert_track(
    tx: &mut PgConnection,
    session: SessionId,
    track: &TrackName,
    participant: ParticipantId,
    instance: &InstanceName,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into session.tracks (session_id, track, participant_id, instance, epoch)
         select session_id, $2, $3, $4, epoch from session.sessions where session_id = $1",
        session.uuid(),
        track.as_str(),
        participant.uuid(),
        instance.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Was it begun by the session's owner of now? What an earlier one says of its connections is over.
pub async fn is_of_this_epoch(
    tx: &mut PgConnection,
    session: SessionId,
    track: &TrackName,
) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select s.epoch = t.epoch as "same!" from session.tracks t join session.sessions s using (session_id)
         where t.session_id = $1 and t.track = $2"#,
        session.uuid(),
        track.as_str(),
    )
    .fetch_optional(tx)
    .await?;
    Ok(found.unwrap_or(false))
}

/// evidence-store has all that this instance recorded of a session. False if that was known.
pub async fn mark_whole(
    tx: &mut PgConnection,
    session: SessionId,
    instance: &InstanceName,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update session.tracks set whole = true where session_id = $1 and instance = $2 and not whole",
        session.uuid(),
        instance.as_str(),
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Has evidence-store all that other instances recorded of a session, as far as they have said so?
pub async fn is_whole(tx: &mut PgConnection, session: SessionId, own: &InstanceName) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select not exists (select from session.tracks t join session.sessions s using (session_id)
             where t.session_id = $1 and t.instance <> $2 and not t.whole and s.recording) as "whole!""#,
        session.uuid(),
        own.as_str(),
    )
    .fetch_one(tx)
    .await?;
    Ok(found)
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
