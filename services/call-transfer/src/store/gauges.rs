//! How all desks stand, for whoever watches over them.

use chrono::{DateTime, Utc};
use outbox::Scope;
use sqlx::PgPool;

use crate::error::Error;

/// A desk as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Its force.
    pub force: String,
    /// Calls that no officer has yet.
    pub waiting: i64,
    /// Since when the one that waits longest does.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Calls that are on offer to an officer.
    pub offered: i64,
    /// Calls that an officer has.
    pub in_call: i64,
    /// Officers who were heard from, with a call or without.
    pub officers: i64,
    /// Call-backs whose time has come, and that nobody has made yet.
    pub callbacks_due: i64,
}

/// Every desk that has or had anything to do today.
pub async fn stands(pool: &PgPool) -> Result<Vec<Stand>, Error> {
    let mut tx = outbox::begin_reading(pool, Scope::All).await?;
    let rows = sqlx::query_as!(
        Stand,
        r#"with calls as (
               select force_id, count(*) filter (where state <> 'accepted') as waiting,
                   min(queued_at) filter (where state <> 'accepted') as waiting_since,
                   count(*) filter (where state = 'offered') as offered,
                   count(*) filter (where state = 'accepted') as in_call
               from transfer.calls where state in ('queued', 'offered', 'accepted') group by force_id),
           officers as (select force_id, count(*) as there from transfer.officers where not gone group by force_id),
           callbacks as (select force_id, count(*) as due from transfer.callbacks
                         where over_at is null and state = 'due' group by force_id),
           desks as (select distinct force_id from transfer.officers)
           select d.force_id as "force!", coalesce(c.waiting, 0) as "waiting!", c.waiting_since,
               coalesce(c.offered, 0) as "offered!", coalesce(c.in_call, 0) as "in_call!",
               coalesce(o.there, 0) as "officers!", coalesce(b.due, 0) as "callbacks_due!"
           from (select force_id from desks union select force_id from calls union select force_id from callbacks) d
           left join calls c using (force_id) left join officers o using (force_id)
           left join callbacks b using (force_id)"#
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(rows)
}
