//! `evidence.sessions` and `evidence.declared_tracks`: what SessionEnded said.

use ids::{CallId, ForceId};
use sqlx::PgConnection;

use super::{At, StoreError, bigint, failed, wake_worker};
use crate::domain::{Declaration, Declared};

/// Keeps a declaration; false if the call has one already, which stays.
///
/// # Errors
/// The database is away.
pub async fn insert_declaration(
    tx: &mut PgConnection,
    call: CallId,
    force: &ForceId,
    declaration: &Declaration,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into evidence.sessions
             (call_id, force_id, session_id, reason, started_at, ended_at, recorded, heard_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (call_id) do nothing",
        call.uuid(),
        force.as_str(),
        declaration.session.uuid(),
        declaration.reason,
        declaration.started_at,
        declaration.ended_at,
        declaration.recorded,
        declaration.heard_at,
    )
    .execute(&mut *tx)
    .await
    .map_err(failed("insert_declaration"))?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for (track, declared) in &declaration.tracks {
        sqlx::query!(
            "insert into evidence.declared_tracks (call_id, track, participant_id, role, segments)
             values ($1, $2, $3, $4, $5)",
            call.uuid(),
            track.as_str(),
            declared.participant.uuid(),
            declared.role,
            bigint(declared.segments),
        )
        .execute(&mut *tx)
        .await
        .map_err(failed("insert_declaration"))?;
    }
    wake_worker(tx).await?;
    Ok(true)
}

/// What SessionEnded said about a call of this force, if it came.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn declaration(
    conn: &mut PgConnection,
    call: CallId,
    force: &ForceId,
) -> Result<Option<Declaration>, StoreError> {
    let row = sqlx::query!(
        "select session_id, reason, started_at, ended_at, recorded, heard_at
         from evidence.sessions where call_id = $1 and force_id = $2",
        call.uuid(),
        force.as_str(),
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(failed("declaration"))?;
    let Some(row) = row else { return Ok(None) };
    let tracks = sqlx::query!(
        "select track, participant_id, role, segments from evidence.declared_tracks where call_id = $1",
        call.uuid()
    )
    .fetch_all(conn)
    .await
    .map_err(failed("declaration"))?;
    let at = At { table: "evidence.declared_tracks", row: &call };
    let tracks = tracks.into_iter().map(|t| {
        let segments = at.count("segments", t.segments)?;
        Ok((at.parse("track", &t.track)?, Declared { participant: t.participant_id.into(), role: t.role, segments }))
    });
    Ok(Some(Declaration {
        session: row.session_id.into(),
        reason: row.reason,
        started_at: row.started_at,
        ended_at: row.ended_at,
        heard_at: row.heard_at,
        recorded: row.recorded,
        tracks: tracks.collect::<Result<_, StoreError>>()?,
    }))
}
