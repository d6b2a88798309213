//! What the caller told the control room before there was a session to heed it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId};
use sqlx::PgConnection;

use super::{StoreError, corrupt};
use crate::domain::{Consents, Said};

/// A call that nobody has accepted by then won't be: a call-back is agreed for up to 14 days ahead. (The migration that made the
/// table still says a week.)
const KEPT: Duration = Duration::from_secs(15 * 24 * 60 * 60);

/// Has whoever makes the call's session and whoever hears of its consents wait for each other: neither misses the other.
pub async fn lock_consents(tx: &mut PgConnection, call: CallId) -> Result<(), StoreError> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 7103))", call.to_string()).execute(tx).await?;
    Ok(())
}

/// Keeps what was said about a call without a session.
pub async fn insert_early_consent(
    tx: &mut PgConnection,
    force: &ForceId,
    call: CallId,
    Said { version, consents }: Said,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Consents { video, recording, stills, covered } = consents;
    sqlx::query!(
        "insert into session.early_consents (call_id, version, force_id, video, recording, stills, covered, kept_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (call_id, version) do nothing",
        call.uuid(),
        i64::try_from(version).unwrap_or(i64::MAX),
        force.as_str(),
        video,
        recording,
        stills,
        covered,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What was kept for too long goes: of all forces, for in a quiet one nothing else comes by.
pub async fn delete_stale_early_consents(tx: &mut PgConnection, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!("delete from session.early_consents where kept_at < $1", now - KEPT).execute(tx).await?;
    Ok(())
}

/// All that was said about a call before its session is there.
pub async fn list_early_consents(
    tx: &mut PgConnection,
    force: &ForceId,
    call: CallId,
) -> Result<Vec<Said>, StoreError> {
    let rows = sqlx::query!(
        "select version, video, recording, stills, covered from session.early_consents
         where call_id = $1 and force_id = $2",
        call.uuid(),
        force.as_str(),
    )
    .fetch_all(tx)
    .await?;
    let said = rows.into_iter().map(|row| {
        let version = u64::try_from(row.version).map_err(|_| corrupt("session.early_consents", "version", call))?;
        let consents =
            Consents { video: row.video, recording: row.recording, stills: row.stills, covered: row.covered };
        Ok(Said { version, consents })
    });
    said.collect()
}

/// They are heeded, or nobody will.
pub async fn delete_early_consents(tx: &mut PgConnection, force: &ForceId, call: CallId) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from session.early_consents where call_id = $1 and force_id = $2",
        call.uuid(),
        force.as_str()
    )
    .execute(tx)
    .await?;
    Ok(())
}
