//! The writer's half: events enter the outbox in the transaction of the state change that they tell of.

use chassis::{Entropy, Trace};
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::{Error, NewEvent};

/// The channel that wakes the relay.
pub(crate) const CHANNEL: &str = "outbox_events";

/// Writes events. They exist if and when the transaction commits; their order within a call is the order of commits,
/// because the call's version row stays locked until then. Events of one transaction keep the order given.
///
/// # Errors
/// When the database can't.
pub async fn write_in_tx(
    tx: &mut PgTransaction<'_>,
    entropy: &Entropy,
    now: DateTime<Utc>,
    events: impl IntoIterator<Item = NewEvent>,
) -> Result<(), Error> {
    let mut events: Vec<_> = events.into_iter().collect();
    if events.is_empty() {
        return Ok(());
    }
    // Always lock in the same order, or two transactions with two calls each could wait for each other.
    events.sort_by_key(|event| event.call);

    let mut rows = Rows::default();
    for group in events.chunk_by(|a, b| a.call == b.call) {
        let call = group[0].call.uuid();
        let count = i64::try_from(group.len()).unwrap_or(i64::MAX);
        let last = sqlx::query_scalar!(
            "insert into outbox.calls as c (call_id, version) values ($1, $2)
             on conflict (call_id) do update set version = c.version + $2
             returning version",
            call,
            count,
        )
        .fetch_one(&mut **tx)
        .await?;
        for (event, version) in group.iter().zip(last - count + 1..) {
            rows.push(entropy.id(now), version, event);
        }
    }
    sqlx::query!(
        "insert into outbox.events (event_id, call_id, version, name, force_id, payload, trace, occurred_at)
         select *, $8 from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::text[])",
        &rows.ids,
        &rows.calls,
        &rows.versions,
        &rows.names,
        &rows.forces,
        &rows.payloads,
        &rows.traces,
        now,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("select pg_notify($1, '')", CHANNEL).execute(&mut **tx).await?;
    Ok(())
}

/// The columns of an insert of many rows.
#[derive(Default)]
struct Rows {
    ids: Vec<Uuid>,
    calls: Vec<Uuid>,
    versions: Vec<i64>,
    names: Vec<String>,
    forces: Vec<String>,
    payloads: Vec<Vec<u8>>,
    traces: Vec<String>,
}

impl Rows {
    fn push(&mut self, id: Uuid, version: i64, event: &NewEvent) {
        self.ids.push(id);
        self.calls.push(event.call.uuid());
        self.versions.push(version);
        self.names.push(event.name.to_owned());
        self.forces.push(event.force.to_string());
        self.payloads.push(event.payload.clone());
        self.traces.push(Trace::as_str(&event.trace).to_owned());
    }
}
