//! Presences: who was in a call from when to when, publishing a track or watching somebody.

use chrono::{DateTime, Utc};
use ids::{SessionId, TrackName};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{StoreError, corrupt};
use crate::domain::{Ended, Presence, With};

/// A presence begins.
pub async fn insert_presence(tx: &mut PgConnection, session: SessionId, presence: &Presence) -> Result<(), StoreError> {
    let (track, watched) = match &presence.with {
        With::Track(track) => (Some(track.as_str()), None),
        With::Watching(publisher) => (None, Some(publisher.uuid())),
    };
    sqlx::query!(
        "insert into session.presences (presence_id, session_id, participant_id, track, watched_id, began_at)
         values ($1, $2, $3, $4, $5, $6)",
        presence.id,
        session.uuid(),
        presence.participant.uuid(),
        track,
        watched,
        presence.began_at,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// A presence that came to nothing: the media core refused, and no media has flowed.
pub async fn delete_presence(tx: &mut PgConnection, presence: Uuid) -> Result<(), StoreError> {
    sqlx::query!("delete from session.presences where presence_id = $1", presence).execute(&mut *tx).await?;
    Ok(())
}

/// A presence is over. One that is over already keeps its end.
pub async fn end_presence(tx: &mut PgConnection, presence: Uuid, at: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!(
        "update session.presences set ended_at = $2 where presence_id = $1 and ended_at is null",
        presence,
        at,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// The presence of a track is over. One that is over already keeps its end.
pub async fn end_presence_of(
    tx: &mut PgConnection,
    session: SessionId,
    track: &TrackName,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update session.presences set ended_at = $3 where session_id = $1 and track = $2 and ended_at is null",
        session.uuid(),
        track.as_str(),
        at,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// All presences of a session are over, if any isn't.
pub async fn end_presences(tx: &mut PgConnection, session: SessionId, ended: Ended) -> Result<(), StoreError> {
    let (at, cut_off) = match ended {
        Ended::At(at) => (at, false),
        Ended::By(at) => (at, true),
    };
    sqlx::query!(
        // Another instance's clock may be ahead of ours.
        "update session.presences set ended_at = greatest($2, began_at), cut_off = $3
         where session_id = $1 and ended_at is null",
        session.uuid(),
        at,
        cut_off,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// All presences of a session, in their order.
pub async fn list_presences(tx: &mut PgConnection, session: SessionId) -> Result<Vec<Presence>, StoreError> {
    let rows = sqlx::query!(
        "select presence_id, participant_id, track, watched_id, began_at, ended_at, cut_off
         from session.presences where session_id = $1 order by began_at, presence_id",
        session.uuid(),
    )
    .fetch_all(&mut *tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let bad = |column| corrupt("session.presences", column, row.presence_id);
            let with = match (row.track, row.watched_id) {
                (Some(track), None) => With::Track(track.parse().map_err(|_| bad("track"))?),
                (None, Some(watched)) => With::Watching(watched.into()),
                _ => return Err(bad("track")),
            };
            Ok(Presence {
                id: row.presence_id,
                participant: row.participant_id.into(),
                with,
                began_at: row.began_at,
                ended: row.ended_at.map(|at| if row.cut_off { Ended::By(at) } else { Ended::At(at) }),
            })
        })
        .collect()
}
