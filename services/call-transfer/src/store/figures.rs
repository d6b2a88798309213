//! How a desk has done: counted from the calls themselves, so it can't differ from them.

use chrono::{DateTime, Utc};
use ids::ForceId;
use sqlx::PgConnection;

use crate::error::Error;

/// The desk as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Calls that no officer has yet.
    pub waiting: u32,
    /// Since when the one that waits longest does.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Calls that an officer has.
    pub in_call: u32,
}

/// What became of the calls that came in an hour, or in the whole window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// The beginning of the hour; `None`: the whole window.
    pub hour: Option<DateTime<Utc>>,
    /// How many came.
    pub came: u32,
    /// An officer accepted them.
    pub served: u32,
    /// They went back without an officer.
    pub unserved: u32,
    /// They were taken back.
    pub abandoned: u32,
    /// Half of the served waited no longer, in seconds.
    pub answer_p50_s: Option<u32>,
    /// 95 of 100 of them.
    pub answer_p95_s: Option<u32>,
    /// What was agreed with their callers beside.
    pub callbacks: Callbacks,
}

/// The call-backs that were agreed for some calls, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Callbacks {
    /// How many.
    pub agreed: u32,
    /// The caller was reached.
    pub kept: u32,
    /// They were not.
    pub missed: u32,
}

/// The desk as it is.
pub async fn now(conn: &mut PgConnection, force: &ForceId) -> Result<Now, Error> {
    let row = sqlx::query!(
        r#"select count(*) filter (where state <> 'accepted') as "waiting!", min(queued_at) filter (where state <> 'accepted') as since,
            count(*) filter (where state = 'accepted') as "in_call!"
        from transfer.calls where force_id = $1 and state in ('queued', 'offered', 'accepted')"#,
        force.as_str()
    )
    .fetch_one(conn)
    .await?;
    Ok(Now { waiting: count(row.waiting), waiting_since: row.since, in_call: count(row.in_call) })
}

/// The figures of a window: of the whole, and of each hour in which a call came, oldest first. A follow-up has an officer before it
/// comes, so it says nothing of how long callers wait.
pub async fn figures(
    conn: &mut PgConnection,
    force: &ForceId,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(Figures, Vec<Figures>), Error> {
    let rows = sqlx::query!(
        r#"select date_trunc('hour', queued_at, 'UTC') as hour, count(*) as "came!",
            count(accepted_at) filter (where not called_back) as "served!",
            count(*) filter (where state = 'returned' and accepted_at is null or called_back) as "unserved!",
            count(*) filter (where state = 'abandoned') as "abandoned!",
            percentile_disc(0.5) within group (order by accepted_at - queued_at)
                filter (where not called_back and follow_up_of is null) as p50,
            percentile_disc(0.95) within group (order by accepted_at - queued_at)
                filter (where not called_back and follow_up_of is null) as p95
        from transfer.calls where force_id = $1 and queued_at >= $2 and queued_at < $3
        group by rollup (date_trunc('hour', queued_at, 'UTC')) order by hour"#,
        force.as_str(),
        from,
        until
    )
    .fetch_all(&mut *conn)
    .await?;
    let agreed = sqlx::query!(
        r#"select date_trunc('hour', c.queued_at, 'UTC') as hour, count(*) as "agreed!",
            count(*) filter (where b.state = 'kept') as "kept!", count(*) filter (where b.state = 'missed') as "missed!"
        from transfer.callbacks b join transfer.calls c using (call_id)
        where c.force_id = $1 and c.queued_at >= $2 and c.queued_at < $3
        group by rollup (date_trunc('hour', c.queued_at, 'UTC'))"#,
        force.as_str(),
        from,
        until
    )
    .fetch_all(conn)
    .await?;
    let callbacks = |hour: Option<DateTime<Utc>>| {
        let of = agreed.iter().find(|of| of.hour == hour);
        of.map_or_else(Callbacks::default, |of| Callbacks {
            agreed: count(of.agreed),
            kept: count(of.kept),
            missed: count(of.missed),
        })
    };
    let figures = rows.into_iter().map(|row| Figures {
        hour: row.hour,
        came: count(row.came),
        served: count(row.served),
        unserved: count(row.unserved),
        abandoned: count(row.abandoned),
        answer_p50_s: row.p50.map(|wait| count(wait.microseconds / 1_000_000)),
        answer_p95_s: row.p95.map(|wait| count(wait.microseconds / 1_000_000)),
        callbacks: callbacks(row.hour),
    });
    let (hours, whole): (Vec<_>, Vec<_>) = figures.partition(|figures| figures.hour.is_some());
    Ok((whole.into_iter().next().unwrap_or_default(), hours))
}

fn count(many: i64) -> u32 {
    many.try_into().unwrap_or_default()
}
