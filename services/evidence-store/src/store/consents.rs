//! `evidence.consents`: what the caller agreed to, from when intake told it until it is an item of the exhibit.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ids::{CallId, EventId, ForceId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{StoreError, failed};

/// What the caller agreed to at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consents {
    /// The event that told it, and so the item's id.
    pub id: Uuid,
    /// The call.
    pub call: CallId,
    /// Its force.
    pub force: String,
    /// When it was said.
    pub at: DateTime<Utc>,
    /// The item, byte for byte.
    pub content: Vec<u8>,
}

/// The channel on which whoever adds consents to exhibits is woken.
pub const CONSENTS: &str = "evidence_consents";

/// Keeps consents until their exhibit is there.
///
/// # Errors
/// The database is away.
pub async fn insert_consents(
    tx: &mut PgConnection,
    event: EventId,
    call: CallId,
    force: &ForceId,
    at: DateTime<Utc>,
    content: &[u8],
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into evidence.consents (event_id, call_id, force_id, at, content) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        event.uuid(),
        call.uuid(),
        force.as_str(),
        at,
        content,
    )
    .execute(&mut *tx)
    .await
    .map_err(failed("insert_consents"))?;
    wake_consents(tx).await
}

/// Wakes whoever adds consents to exhibits, when the transaction commits.
///
/// # Errors
/// The database is away.
pub async fn wake_consents(tx: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query!("select pg_notify($1, '')", CONSENTS).fetch_one(tx).await.map_err(failed("wake_consents"))?;
    Ok(())
}

/// Some consents of this call (`None`: any but those) whose exhibit is there and that are no item of it yet, in the order in which
/// they were said. None: there are no more.
///
/// # Errors
/// The database is away.
pub async fn waiting_consents(
    conn: &mut PgConnection,
    call: Option<CallId>,
    but: &BTreeSet<CallId>,
) -> Result<Vec<Consents>, StoreError> {
    sqlx::query_as!(
        Consents,
        "select c.event_id as id, c.call_id as call, c.force_id as force, c.at, c.content
         from evidence.consents c join evidence.exhibits e on e.call_id = c.call_id and e.part = 1 and e.force_id = c.force_id
         where c.added_at is null and ($1::uuid is null or c.call_id = $1)
           and c.call_id <> all($2::uuid[]) order by c.at, c.event_id limit 500",
        call.map(CallId::uuid),
        &but.iter().map(|call| call.uuid()).collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await
    .map_err(failed("waiting_consents"))
}

/// Notes that they are an item now, and no longer keeps them here in clear.
///
/// # Errors
/// The database is away.
pub async fn consents_added(conn: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!(
        "update evidence.consents set added_at = $2, content = '' where event_id = $1 and added_at is null",
        id,
        now
    )
    .execute(conn)
    .await
    .map_err(failed("consents_added"))?;
    Ok(())
}
