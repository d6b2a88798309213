//! A force's clocks that are due: a page costs what it holds, however many came before it.

use chrono::{DateTime, Utc};
use ids::{CallId, ClockId, ForceId, IncidentRef};
use outbox::Scope;
use uuid::Uuid;

use super::{
    Store, StoreError,
    clocks::{Row, corrupt},
};
use crate::domain::clock::Deadline;

/// An open clock, and what the force calls its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueClock {
    /// The call.
    pub call: CallId,
    /// The force's reference; none as long as no officer has had it.
    pub incident: Option<IncidentRef>,
    /// The clock.
    pub deadline: Deadline,
}

/// Where a page ended: the clock that was its last. When a clock is due never changes, so the pages after it stay whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// Which of those due at that moment.
    pub clock: ClockId,
}

/// The next open clocks of a force, the next due first; of those that are near or missed alone if `raised`.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn due_clocks(
    store: &Store,
    force: &ForceId,
    raised: bool,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<DueClock>, StoreError> {
    let failed = |error| StoreError::Database("due_clocks", error);
    let mut tx = store.begin("due_clocks", Scope::Force(force)).await?;
    let rows = sqlx::query!(
        r#"select c.id, c.key, c.title, c.source, c.ends_with, c.referral_id, c.started_at, c.near_at, c.due_at,
                  c.near_raised_at, c.missed_raised_at, c.stopped_at, c.call_id, p.facts -> 'incident' as "incident"
           from referral.clocks c join referral.packages p on p.call_id = c.call_id
           where c.force_id = $1 and c.stopped_at is null and (not $2 or c.near_raised_at is not null)
                 and (c.due_at, c.id) > (coalesce($3::timestamptz, '-infinity'), $4::uuid)
           order by c.due_at, c.id limit $5"#,
        force.as_str(),
        raised,
        after.map(|place| place.due_at),
        after.map_or(Uuid::nil(), |place| place.clock.uuid()),
        limit,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            let id = row.id;
            let clock = Row {
                id,
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
            let incident =
                serde_json::from_value(row.incident.unwrap_or_default()).map_err(|_| corrupt(id, "call_id"))?;
            Ok(DueClock { call: row.call_id.into(), incident, deadline: clock.try_into()? })
        })
        .collect()
}
