//! Fast-tracks and their deadlines.

use chrono::{DateTime, Utc};
use ids::{CallId, FastTrackId, ForceId};
use outbox::Scope;
use sqlx::PgConnection;

use super::{Store, StoreError, Topic, from_json, json, updates::CHANNEL};
use crate::domain::{FastTrack, Stand};

/// Something whose time has come, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose call.
    pub force: ForceId,
    /// Which.
    pub call: CallId,
    /// Which fast-track of it.
    pub id: FastTrackId,
}

struct Row {
    id: uuid::Uuid,
    wish: serde_json::Value,
    times: i32,
    stand: serde_json::Value,
}

/// Adds a fast-track, or saves what became of it. Who waits for deadlines is woken when the transaction commits.
///
/// # Errors
/// The database is away.
pub async fn save_fast_track(tx: &mut PgConnection, call: CallId, fast_track: &FastTrack) -> Result<(), StoreError> {
    let FastTrack { wish, times, stand } = fast_track;
    let again_at = match stand {
        Stand::Raised { again_at } => Some(*again_at),
        Stand::Acknowledged(_) => None,
    };
    sqlx::query!(
        "with saved as (
             insert into intake.fast_tracks (id, call_id, wish, times, stand, again_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (id) do update set times = excluded.times, stand = excluded.stand, again_at = excluded.again_at
             returning 1)
         select pg_notify($7, $8) from (select count(*) from saved) as n",
        wish.id.uuid(),
        call.uuid(),
        json(wish),
        i32::try_from(*times).unwrap_or(i32::MAX),
        json(stand),
        again_at,
        CHANNEL,
        Topic::Deadlines.to_string(),
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("save_fast_track", error))?;
    Ok(())
}

/// One fast-track of a locked call.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn fast_track(tx: &mut PgConnection, call: CallId, id: FastTrackId) -> Result<Option<FastTrack>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select id, wish, times, stand from intake.fast_tracks where call_id = $1 and id = $2",
        call.uuid(),
        id.uuid(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("fast_track", error))?;
    row.map(FastTrack::try_from).transpose()
}

/// What is to be raised again by now, the longest overdue first.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn due_fast_tracks(store: &Store, now: DateTime<Utc>) -> Result<Vec<Due>, StoreError> {
    let mut tx = store.begin("due_fast_tracks", Scope::All).await?;
    let rows = sqlx::query!(
        "select f.id, f.call_id, c.force_id from intake.fast_tracks f join intake.calls c on c.id = f.call_id
         where f.again_at <= $1 order by f.again_at",
        now,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(|error| StoreError::Database("due_fast_tracks", error))?;
    rows.into_iter()
        .map(|row| {
            let corrupt =
                |_| StoreError::Corrupt { table: "intake.calls", column: "force_id", row: row.call_id.to_string() };
            let force = row.force_id.parse().map_err(corrupt)?;
            Ok(Due { force, call: row.call_id.into(), id: row.id.into() })
        })
        .collect()
}

/// When something is next to be raised again, or forgotten.
///
/// # Errors
/// The database is away.
pub async fn next_deadline(store: &Store) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mut tx = store.begin("next_deadline", Scope::All).await?;
    sqlx::query_scalar!(
        "select min(at) from (
             (select again_at as at from intake.fast_tracks where again_at is not null order by again_at limit 1)
             union all
             (select expires_at from intake.locations order by expires_at limit 1)) as deadlines",
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(|error| StoreError::Database("next_deadline", error))
}

impl TryFrom<Row> for FastTrack {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt { table: "intake.fast_tracks", column, row: row.id.to_string() };
        Ok(Self {
            wish: from_json(row.wish).ok_or_else(|| corrupt("wish"))?,
            times: u32::try_from(row.times).map_err(|_| corrupt("times"))?,
            stand: from_json(row.stand).ok_or_else(|| corrupt("stand"))?,
        })
    }
}
