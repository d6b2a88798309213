//! The sealed package's small files, who looked at it, and what was alarming.

use chrono::{DateTime, Utc};
use exhibit::SmallFile;
use ids::{ExhibitId, RequestId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{StoreError, bigint, failed};

/// One look at an exhibit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Its id.
    pub id: Uuid,
    /// What was looked at.
    pub exhibit: ExhibitId,
    /// The request that asked.
    pub request: RequestId,
    /// Who.
    pub who: String,
    /// What they did: `export`.
    pub what: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

struct Row {
    access_id: Uuid,
    exhibit_id: Uuid,
    request_id: Uuid,
    who: String,
    what: String,
    reason: String,
    at: DateTime<Utc>,
}

impl From<Row> for Access {
    fn from(row: Row) -> Self {
        Self {
            id: row.access_id,
            exhibit: row.exhibit_id.into(),
            request: row.request_id.into(),
            who: row.who,
            what: row.what,
            reason: row.reason,
            at: row.at,
        }
    }
}

/// Records a look.
///
/// # Errors
/// The database is away: then nobody may look.
pub async fn insert_access(tx: &mut PgConnection, access: &Access) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into evidence.accesses (access_id, exhibit_id, request_id, who, what, reason, at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        access.id,
        access.exhibit.uuid(),
        access.request.uuid(),
        access.who,
        access.what,
        access.reason,
        access.at,
    )
    .execute(tx)
    .await
    .map_err(failed("insert_access"))?;
    Ok(())
}

/// The first look that a request asked for.
///
/// # Errors
/// The database is away.
pub async fn access_by_request(conn: &mut PgConnection, request: RequestId) -> Result<Option<Access>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select access_id, exhibit_id, request_id, who, what, reason, at from evidence.accesses
         where request_id = $1 order by at, access_id limit 1",
        request.uuid(),
    )
    .fetch_optional(conn)
    .await
    .map_err(failed("access_by_request"))?;
    Ok(row.map(Access::from))
}

/// Who looked, oldest first, after this one.
///
/// # Errors
/// The database is away.
pub async fn accesses(
    conn: &mut PgConnection,
    id: ExhibitId,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: u32,
) -> Result<Vec<Access>, StoreError> {
    let (at, access_id) = after.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
    let rows = sqlx::query_as!(
        Row,
        "select access_id, exhibit_id, request_id, who, what, reason, at from evidence.accesses
         where exhibit_id = $1 and (at, access_id) > ($2, $3) order by at, access_id limit $4",
        id.uuid(),
        at,
        access_id,
        i64::from(limit),
    )
    .fetch_all(conn)
    .await
    .map_err(failed("accesses"))?;
    Ok(rows.into_iter().map(Access::from).collect())
}

/// Keeps the package's small files, in the order of the archive.
///
/// # Errors
/// The database is away.
pub async fn insert_artefacts(tx: &mut PgConnection, id: ExhibitId, files: &[SmallFile]) -> Result<(), StoreError> {
    for (ordinal, file) in (0_i16..).zip(files) {
        sqlx::query!(
            "insert into evidence.artefacts (exhibit_id, ordinal, path, content) values ($1, $2, $3, $4)",
            id.uuid(),
            ordinal,
            file.path,
            file.bytes,
        )
        .execute(&mut *tx)
        .await
        .map_err(failed("insert_artefacts"))?;
    }
    Ok(())
}

/// The package's small files.
///
/// # Errors
/// The database is away.
pub async fn artefacts(conn: &mut PgConnection, id: ExhibitId) -> Result<Vec<SmallFile>, StoreError> {
    let rows =
        sqlx::query!("select path, content from evidence.artefacts where exhibit_id = $1 order by ordinal", id.uuid())
            .fetch_all(conn)
            .await
            .map_err(failed("artefacts"))?;
    Ok(rows.into_iter().map(|row| SmallFile { path: row.path, bytes: row.content }).collect())
}

/// Notes an alarm; false if it was raised before.
///
/// # Errors
/// The database is away.
pub async fn insert_alarm(
    tx: &mut PgConnection,
    id: ExhibitId,
    kind: &str,
    track: &str,
    seq: u64,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into evidence.alarms (exhibit_id, kind, track, seq, raised_at) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        id.uuid(),
        kind,
        track,
        bigint(seq),
        now,
    )
    .execute(tx)
    .await
    .map_err(failed("insert_alarm"))?;
    Ok(done.rows_affected() == 1)
}
