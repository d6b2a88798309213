//! The log that WatchCall tells from, and what there is news of.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId};
use outbox::Scope;
use sqlx::PgConnection;

use super::{Store, StoreError, from_json, json};
use crate::domain::{Told, Update};

/// The channel; the payload is the topic.
pub const CHANNEL: &str = "intake_call_updates";

/// What there is news of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A call: its log has more.
    Call(CallId),
    /// A force: its log has more.
    Force(ForceId),
    /// There may be an earlier deadline than before.
    Deadlines,
    /// A call that came by MAIT has more to be sent.
    Mait,
}

/// What stands before a force's id in a payload; a call's stands alone.
const FORCE: &str = "force:";
const DEADLINES: &str = "deadlines";
const MAIT: &str = "mait";

/// Adds updates, and counts them for MAIT if the call came by it; wakes watchers and senders when the transaction commits.
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
             returning 1),
         due as (update intake.mait_sent set told = $7 where call_id = $1 returning 1)
         select pg_notify($5, topic) from (
             select $6 as topic from (select count(*) from added) as n union all select $8 from due) as topics",
        call.uuid(),
        &sequences,
        &times,
        &bodies,
        CHANNEL,
        Topic::Call(call).to_string(),
        sequences.iter().max(),
        Topic::Mait.to_string(),
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

/// From a payload; not that of another version.
impl FromStr for Topic {
    type Err = ids::Malformed;

    fn from_str(payload: &str) -> Result<Self, ids::Malformed> {
        match payload {
            DEADLINES => return Ok(Self::Deadlines),
            MAIT => return Ok(Self::Mait),
            _ => {}
        }
        match payload.strip_prefix(FORCE) {
            Some(force) => force.parse().map(Self::Force),
            None => payload.parse().map(Self::Call),
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
            Self::Mait => f.write_str(MAIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read_as_it_was_written() {
        let call = Topic::Call(uuid::Uuid::from_u128(7).into());
        for topic in [call, Topic::Force("wmp".parse().unwrap()), Topic::Deadlines, Topic::Mait] {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        // Another version's: everybody looks again.
        assert!("desk:wmp".parse::<Topic>().is_err());
    }
}
