//! How the evidence stands, for whoever watches over it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{StoreError, failed};

/// Exhibits of calls that have ended, and how far their sealing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// As the column `state` has it.
    pub state: String,
    /// How many.
    pub exhibits: i64,
    /// Since when the oldest could have been sealed.
    pub oldest: Option<DateTime<Utc>>,
}

/// The log's newest word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// When the newest was signed.
    pub newest: Option<DateTime<Utc>>,
    /// When the oldest was signed that nobody has vouched for since: sealing waits for the witness.
    pub unwitnessed: Option<DateTime<Utc>>,
}

/// What waits to be sealed. An addendum could be from when it was opened on.
///
/// # Errors
/// The database is away.
pub async fn stages(conn: &mut PgConnection) -> Result<Vec<Stage>, StoreError> {
    sqlx::query_as!(
        Stage,
        r#"select e.state, count(*) as "exhibits!", min(greatest(s.ended_at, e.opened_at)) as oldest
           from evidence.exhibits e join evidence.sessions s using (call_id)
           where e.state <> 'sealed' group by e.state"#
    )
    .fetch_all(conn)
    .await
    .map_err(failed("stages"))
}

/// Exhibits of calls that go on.
///
/// # Errors
/// The database is away.
pub async fn open_exhibits(conn: &mut PgConnection) -> Result<i64, StoreError> {
    sqlx::query_scalar!(
        r#"select count(*) as "open!" from evidence.exhibits e left join evidence.sessions s using (call_id)
           where e.state <> 'sealed' and s.call_id is null"#
    )
    .fetch_one(conn)
    .await
    .map_err(failed("open_exhibits"))
}

/// Integrity alarms that were raised since then.
///
/// # Errors
/// The database is away.
pub async fn alarms_since(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<i64, StoreError> {
    sqlx::query_scalar!(r#"select count(*) as "alarms!" from evidence.alarms where raised_at > $1"#, since)
        .fetch_one(conn)
        .await
        .map_err(failed("alarms_since"))
}

/// The log's checkpoints.
///
/// # Errors
/// The database is away.
pub async fn checkpoints(conn: &mut PgConnection) -> Result<Checkpoints, StoreError> {
    let row = sqlx::query!(
        "with seen as (select coalesce(max(size), 0) as size from evidence.log_checkpoints where cosigned is not null)
         select (select signed_at from evidence.log_checkpoints order by size desc limit 1) as newest,
             (select signed_at from evidence.log_checkpoints c, seen where c.size > seen.size order by c.size limit 1)
                 as unwitnessed"
    )
    .fetch_one(conn)
    .await
    .map_err(failed("checkpoints"))?;
    Ok(Checkpoints { newest: row.newest, unwitnessed: row.unwitnessed })
}
