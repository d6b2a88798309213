//! Clocks. A case is locked before its clocks, by whoever begins or stops one and by the ticker, so that nobody waits in a circle.

use std::str::FromStr;

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, ReferralId};
use outbox::Scope;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::{
    app::On,
    domain::clock::{Deadline, Milestone},
};

/// The channel that wakes whoever looks at what is due; the payload says who.
pub const DUE: &str = "referral_due";

/// Stands for the ticker in a payload: no force is called so.
const TICKER: &str = "*";

/// Who looks at what is due.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Looker {
    /// The ticker: there may be an earlier clock than before.
    Ticker,
    /// Whoever watches a force: what is raised there has changed.
    Force(ForceId),
}

/// A clock of which something is to be said, its case locked.
#[derive(Debug)]
pub struct Fallen {
    /// Of which call.
    pub on: On,
    /// Which.
    pub deadline: Deadline,
    /// The call's trace.
    pub trace: Trace,
}

/// A row of referral.clocks.
pub(super) struct Row {
    pub id: Uuid,
    pub key: String,
    pub title: String,
    pub source: String,
    pub ends_with: String,
    pub referral_id: Option<Uuid>,
    pub started_at: DateTime<Utc>,
    pub near_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub near_raised_at: Option<DateTime<Utc>>,
    pub missed_raised_at: Option<DateTime<Utc>>,
    pub stopped_at: Option<DateTime<Utc>>,
}

/// Adds a clock to a locked case, unless it runs for the same already; wakes the ticker when the transaction commits.
///
/// # Errors
/// The database is away.
pub async fn insert_clock(tx: &mut PgConnection, on: &On, clock: &Deadline) -> Result<(), StoreError> {
    sqlx::query!(
        "with added as (
             insert into referral.clocks (id, call_id, force_id, key, title, source, ends_with, referral_id,
                                          started_at, near_at, due_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             on conflict (call_id, key, referral_id) do nothing returning 1)
         select pg_notify($13, $12) from added",
        clock.id.uuid(),
        on.call.uuid(),
        on.force.as_str(),
        clock.key,
        clock.title,
        clock.source,
        word(clock.ends_with),
        clock.referral.map(|id| id.uuid()),
        clock.started_at,
        clock.near_at,
        clock.due_at,
        TICKER,
        DUE,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_clock", error))?;
    Ok(())
}

/// The clocks of a call, stopped ones too, the next due first.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn clocks_of(tx: &mut PgConnection, on: &On) -> Result<Vec<Deadline>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select id, key, title, source, ends_with, referral_id, started_at, near_at, due_at, near_raised_at,
                missed_raised_at, stopped_at
         from referral.clocks where force_id = $1 and call_id = $2 order by due_at, id",
        on.force.as_str(),
        on.call.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("clocks_of", error))?;
    rows.into_iter().map(Deadline::try_from).collect()
}

/// Of the clocks on which something is to be said by now the first so many, whose cases nobody else has locked.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn fallen_clocks(tx: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> Result<Vec<Fallen>, StoreError> {
    // Both rows: under their locks both are looked at anew, so that what another replica has just said isn't said again. Nobody is
    // waited for: who holds a case may want its clocks next.
    let rows = sqlx::query!(
        "select c.id, c.key, c.title, c.source, c.ends_with, c.referral_id, c.started_at, c.near_at, c.due_at,
                c.near_raised_at, c.missed_raised_at, c.stopped_at, c.call_id, c.force_id, p.trace
         from referral.clocks c join referral.packages p on p.call_id = c.call_id
         where c.next_at <= $1 order by c.next_at, c.id limit $2
         for update of p, c skip locked",
        now,
        limit,
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("fallen_clocks", error))?;
    rows.into_iter()
        .map(|row| {
            let force = row.force_id.parse().map_err(|_| corrupt(row.id, "force_id"))?;
            let clock = Row {
                id: row.id,
                key: row.key,
                title: row.title,
                source: row.source,
                ends_with: row.ends_with,
                referral_id: row.referral_id,
                started_at: row.started_at,
                near_at: row.near_at,
                due_at: row.due_at,
                near_raised_at: row.near_raised_at,
                missed_raised_at: row.missed_raised_at,
                stopped_at: row.stopped_at,
            };
            let on = On { force, call: row.call_id.into() };
            Ok(Fallen { on, deadline: clock.try_into()?, trace: Trace::parse(&row.trace) })
        })
        .collect()
}

/// Saves what was said of clocks, and when they stopped; whoever watches their forces looks again when the transaction commits.
///
/// # Errors
/// The database is away.
pub async fn save_clocks(tx: &mut PgConnection, clocks: &[Deadline]) -> Result<(), StoreError> {
    let ids: Vec<_> = clocks.iter().map(|clock| clock.id.uuid()).collect();
    let near: Vec<_> = clocks.iter().map(|clock| clock.near_raised_at).collect();
    let missed: Vec<_> = clocks.iter().map(|clock| clock.missed_raised_at).collect();
    let stopped: Vec<_> = clocks.iter().map(|clock| clock.stopped_at).collect();
    sqlx::query!(
        "with saved as (
             update referral.clocks c
             set near_raised_at = n.near, missed_raised_at = n.missed, stopped_at = n.stopped
             from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[]) as n (id, near, missed, stopped)
             where c.id = n.id returning c.force_id)
         select pg_notify($5, force_id) from (select distinct force_id from saved) as forces",
        &ids,
        &near as &[Option<DateTime<Utc>>],
        &missed as &[Option<DateTime<Utc>>],
        &stopped as &[Option<DateTime<Utc>>],
        DUE,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("save_clocks", error))?;
    Ok(())
}

/// As [`super::touch`], of many locked cases at once.
///
/// # Errors
/// The database is away.
pub async fn touch_all(tx: &mut PgConnection, calls: &[CallId]) -> Result<(), StoreError> {
    let calls: Vec<_> = calls.iter().map(|call| call.uuid()).collect();
    sqlx::query!(
        "with touched as (update referral.packages set version = version + 1 where call_id = any($1) returning call_id)
         select pg_notify('referral_case', call_id::text) from touched",
        &calls,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("touch_all", error))?;
    Ok(())
}

/// When something is next to be said of any clock.
///
/// # Errors
/// The database is away.
pub async fn next_clock(store: &Store) -> Result<Option<DateTime<Utc>>, StoreError> {
    let failed = |error| StoreError::Database("next_clock", error);
    let mut tx = store.begin("next_clock", Scope::All).await?;
    let next =
        sqlx::query_scalar!("select next_at from referral.clocks where next_at is not null order by next_at limit 1");
    Ok(next.fetch_optional(&mut *tx).await.map_err(failed)?.flatten())
}

/// From a payload.
impl FromStr for Looker {
    type Err = ids::Malformed;

    fn from_str(payload: &str) -> Result<Self, ids::Malformed> {
        if payload == TICKER { Ok(Self::Ticker) } else { payload.parse().map(Self::Force) }
    }
}

fn word(milestone: Milestone) -> &'static str {
    match milestone {
        Milestone::Sent => "sent",
        Milestone::Acknowledged => "acknowledged",
        Milestone::Outcome => "outcome",
        Milestone::Done => "done",
    }
}

fn milestone(word: &str) -> Option<Milestone> {
    let all = [Milestone::Sent, Milestone::Acknowledged, Milestone::Outcome, Milestone::Done];
    all.into_iter().find(|milestone| self::word(*milestone) == word)
}

pub(super) fn corrupt(row: Uuid, column: &'static str) -> StoreError {
    StoreError::Corrupt { table: "referral.clocks", column, row: row.to_string() }
}

impl TryFrom<Row> for Deadline {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            ends_with: milestone(&row.ends_with).ok_or_else(|| corrupt(row.id, "ends_with"))?,
            id: row.id.into(),
            key: row.key,
            title: row.title,
            source: row.source,
            referral: row.referral_id.map(ReferralId::from),
            started_at: row.started_at,
            near_at: row.near_at,
            due_at: row.due_at,
            near_raised_at: row.near_raised_at,
            missed_raised_at: row.missed_raised_at,
            stopped_at: row.stopped_at,
        })
    }
}
