//! The sealed package's small files, who looked at it, and what was alarming.

use chrono::{DateTime, Utc};
use exhibit::{Digest, SmallFile, tlog::Entry};
use ids::{ExhibitId, RequestId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{At, StoreError, bigint, failed};

/// One look at an exhibit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Its line in the exhibit's access log, from 0.
    pub n: u64,
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
    n: i64,
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
            n: row.n.unsigned_abs(),
            exhibit: row.exhibit_id.into(),
            request: row.request_id.into(),
            who: row.who,
            what: row.what,
            reason: row.reason,
            at: row.at,
        }
    }
}

/// How far an access log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessHead {
    /// Its number of lines.
    pub n: u64,
    /// SHA-256 of the last one, newline included; zeros before the first.
    pub head: Digest,
}

impl AccessHead {
    /// What is put into the log.
    #[must_use]
    pub fn entry(&self, exhibit: ExhibitId) -> Entry {
        Entry::Access { exhibit, n: self.n, head: self.head }
    }
}

/// Locks an exhibit's access log until the transaction ends, and says how far it has come.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn lock_access_log(tx: &mut PgConnection, id: ExhibitId) -> Result<AccessHead, StoreError> {
    let genesis = exhibit::access::genesis();
    // The update changes nothing: it is what locks a row that is there.
    let row = sqlx::query!(
        "insert into evidence.access_heads as h (exhibit_id, n, head) values ($1, 0, $2)
         on conflict (exhibit_id) do update set n = h.n returning n, head",
        id.uuid(),
        genesis.as_bytes().as_slice(),
    )
    .fetch_one(tx)
    .await
    .map_err(failed("lock_access_log"))?;
    let at = At { table: "evidence.access_heads", row: &id };
    Ok(AccessHead { n: at.count("n", row.n)?, head: at.digest("head", &row.head)? })
}

/// Adds a line to a log that [`lock_access_log`] has locked.
///
/// # Errors
/// The database is away: then nobody may look.
pub async fn insert_access(
    tx: &mut PgConnection,
    id: Uuid,
    access: &Access,
    line: &[u8],
    head: AccessHead,
) -> Result<(), StoreError> {
    sqlx::query!(
        "with moved as (update evidence.access_heads set n = $11, head = $10 where exhibit_id = $2)
         insert into evidence.accesses (access_id, exhibit_id, request_id, who, what, reason, at, n, line, head)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id,
        access.exhibit.uuid(),
        access.request.uuid(),
        access.who,
        access.what,
        access.reason,
        access.at,
        bigint(access.n),
        line,
        head.head.as_bytes().as_slice(),
        bigint(head.n),
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
        "select n, exhibit_id, request_id, who, what, reason, at from evidence.accesses
         where request_id = $1 order by at, access_id limit 1",
        request.uuid(),
    )
    .fetch_optional(conn)
    .await
    .map_err(failed("access_by_request"))?;
    Ok(row.map(Access::from))
}

/// Who looked, oldest first, from this line on.
///
/// # Errors
/// The database is away.
pub async fn accesses(
    conn: &mut PgConnection,
    id: ExhibitId,
    from: u64,
    limit: u32,
) -> Result<Vec<Access>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select n, exhibit_id, request_id, who, what, reason, at from evidence.accesses
         where exhibit_id = $1 and n >= $2 order by n limit $3",
        id.uuid(),
        bigint(from),
        i64::from(limit),
    )
    .fetch_all(conn)
    .await
    .map_err(failed("accesses"))?;
    Ok(rows.into_iter().map(Access::from).collect())
}

/// The first lines of an exhibit's access log, as they are exported.
///
/// # Errors
/// The database is away.
pub async fn access_log(conn: &mut PgConnection, id: ExhibitId, lines: u64) -> Result<Vec<u8>, StoreError> {
    let lines = sqlx::query_scalar!(
        "select line from evidence.accesses where exhibit_id = $1 and n < $2 order by n",
        id.uuid(),
        bigint(lines),
    )
    .fetch_all(conn)
    .await
    .map_err(failed("access_log"))?;
    Ok(lines.concat())
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

/// Puts other files in the place of those that are there: only to rebuild the index from the journal.
///
/// # Errors
/// The database is away.
pub async fn replace_artefacts(tx: &mut PgConnection, id: ExhibitId, files: &[SmallFile]) -> Result<(), StoreError> {
    let there =
        sqlx::query_scalar!(r#"select count(*) as "n!" from evidence.artefacts where exhibit_id = $1"#, id.uuid())
            .fetch_one(&mut *tx)
            .await
            .map_err(failed("replace_artefacts"))?;
    if there > 0 {
        tracing::error!(exhibit = %id, "the index had other files than the journal's seal: they are replaced");
        sqlx::query!("alter table evidence.artefacts disable trigger write_once")
            .execute(&mut *tx)
            .await
            .map_err(failed("replace_artefacts"))?;
        sqlx::query!("delete from evidence.artefacts where exhibit_id = $1", id.uuid())
            .execute(&mut *tx)
            .await
            .map_err(failed("replace_artefacts"))?;
        sqlx::query!("alter table evidence.artefacts enable trigger write_once")
            .execute(&mut *tx)
            .await
            .map_err(failed("replace_artefacts"))?;
    }
    insert_artefacts(tx, id, files).await
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
