//! The log that WatchCall tells from, and the one ear that a process has on all logs.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId};
use outbox::Scope;
use sqlx::{
    PgConnection, PgPool,
    postgres::{PgListener, PgPoolOptions},
};

use super::{Store, StoreError, from_json, json};
use crate::domain::{Told, Update};

/// The channel; the payload is the topic.
pub(super) const CHANNEL: &str = "intake_call_updates";

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What there is news of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A call: its log has more.
    Call(CallId),
    /// A force: its log has more.
    Force(ForceId),
    /// There may be an earlier deadline than before.
    Deadlines,
}

/// What stands before a force's id in a payload; a call's stands alone.
const FORCE: &str = "force:";
const DEADLINES: &str = "deadlines";

/// Hears of new updates in any process.
pub struct Listener(PgListener);

/// Adds updates; wakes the watchers when the transaction commits.
///
/// # Errors
/// The database is away.
pub async fn insert_updates(tx: &mut PgConnection, call: CallId, told: &[Told]) -> Result<(), StoreError> {
    if told.is_empty() {
        return Ok(());
    }
    let sequences: Vec<i64> = told.iter().map(|t| i64::try_from(t.sequence).unwrap_or(i64::MAX)).collect();
    let times: Vec<DateTime<Utc>> = told.iter().map(|t| t.at).collect();
    let bodies: Vec<serde_json::Value> = told.iter().map(|t| json(&t.update)).collect();
    sqlx::query!(
        "with added as (
             insert into intake.call_updates (call_id, sequence, at, body)
             select $1, u.sequence, u.at, u.body
             from unnest($2::bigint[], $3::timestamptz[], $4::jsonb[]) as u (sequence, at, body)
             returning 1)
         select pg_notify($5, $6) from (select count(*) from added) as n",
        call.uuid(),
        &sequences,
        &times,
        &bodies,
        CHANNEL,
        Topic::Call(call).to_string(),
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_updates", error))?;
    Ok(())
}

/// A page of updates, oldest first.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn updates_after(
    store: &Store,
    (force, call): (&ForceId, CallId),
    after: u64,
    limit: i64,
) -> Result<Vec<Told>, StoreError> {
    let mut tx = store.begin("updates_after", Scope::Force(force)).await?;
    let rows = sqlx::query!(
        "select sequence, at, body from intake.call_updates where call_id = $1 and sequence > $2
         order by sequence limit $3",
        call.uuid(),
        i64::try_from(after).unwrap_or(i64::MAX),
        limit,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(|error| StoreError::Database("updates_after", error))?;
    let told = |row: (i64, DateTime<Utc>, serde_json::Value)| {
        let (sequence, at, body) = row;
        let corrupt =
            |column| StoreError::Corrupt { table: "intake.call_updates", column, row: format!("{call}/{sequence}") };
        Ok(Told {
            sequence: u64::try_from(sequence).map_err(|_| corrupt("sequence"))?,
            at,
            update: from_json::<Update>(body).ok_or_else(|| corrupt("body"))?,
        })
    };
    rows.into_iter().map(|row| told((row.sequence, row.at, row.body))).collect()
}

impl Topic {
    fn read(payload: &str) -> Option<Self> {
        if payload == DEADLINES {
            return Some(Self::Deadlines);
        }
        match payload.strip_prefix(FORCE) {
            Some(force) => force.parse().ok().map(Self::Force),
            None => payload.parse().ok().map(Self::Call),
        }
    }
}

/// As a payload.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call) => write!(f, "{call}"),
            Self::Force(force) => write!(f, "{FORCE}{force}"),
            Self::Deadlines => f.write_str(DEADLINES),
        }
    }
}

impl Listener {
    /// Listens, on a connection of its own beside the pool; it reconnects by itself.
    ///
    /// # Errors
    /// The database is away.
    pub async fn start(pool: &PgPool) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Database("listen", error);
        let options = pool.connect_options().as_ref().clone().application_name("intake-watches");
        let own = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&own).await.map_err(failed)?;
        listener.listen(CHANNEL).await.map_err(failed)?;
        Ok(Self(listener))
    }

    /// The next topic with news; `None` when the connection was lost and news may have been missed.
    ///
    /// # Errors
    /// The database is away.
    pub async fn next(&mut self) -> Result<Option<Topic>, StoreError> {
        let news = self.0.try_recv().await.map_err(|error| StoreError::Database("listen", error))?;
        Ok(news.and_then(|news| Topic::read(news.payload())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read_as_it_was_written() {
        let call = Topic::Call(uuid::Uuid::from_u128(7).into());
        for topic in [call, Topic::Force("wmp".parse().unwrap()), Topic::Deadlines] {
            assert_eq!(Topic::read(&topic.to_string()), Some(topic));
        }
        // Another version's: everybody looks again.
        assert_eq!(Topic::read("desk:wmp"), None);
    }
}
