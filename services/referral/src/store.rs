//! Every SQL statement of the service. A row that can't be what the domain has is its own error, naming where it is.

mod clocks;
pub mod disclosures;
mod due;
mod failed;
pub mod follow_ups;
mod gauges;
pub mod history;
pub mod parcels;
mod people;
mod referrals;
pub mod risk;
pub mod schedules;
pub mod sealings;
pub mod statements;

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId};
use outbox::{Scope, Tx};
use sqlx::{PgConnection, PgPool};

pub use clocks::{DUE, Fallen, Looker, clocks_of, fallen_clocks, insert_clock, next_clock, save_clocks, touch_all};
pub use due::{DueClock, Place, due_clocks};
pub use failed::{FailedParcel, failed};
pub use outbox::StoreError;
pub use people::{insert_person, people, remove_person, update_person};
pub use referrals::{referrals, save_referral};

use crate::domain::{Package, State};

/// The channel that wakes whoever watches a case; the payload is the call's id.
pub const CASES: &str = "referral_case";

/// The pool.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

/// A package (under its row's lock, unless it was only looked at), and the trace that its call belongs to.
#[derive(Debug)]
pub struct Locked {
    /// The package.
    pub package: Package,
    /// The call's trace.
    pub trace: Trace,
    /// Counted up with every change of anything in the case.
    pub version: u64,
}

/// A row of referral.packages.
struct Row {
    call_id: uuid::Uuid,
    force_id: String,
    package_id: Option<uuid::Uuid>,
    opened_at: Option<DateTime<Utc>>,
    facts: serde_json::Value,
    checklist: Option<serde_json::Value>,
    trace: String,
    version: i64,
}

impl Store {
    /// On this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Begins a transaction among the rows of one force, or of all; its name is in the error if it can't.
    ///
    /// # Errors
    /// The database is away.
    pub async fn begin(&self, name: &'static str, scope: Scope<'_>) -> Result<Tx, StoreError> {
        outbox::begin(&self.pool, scope).await.map_err(|error| StoreError::Database(name, error))
    }

    /// Begins a transaction that only reads, and sees one moment.
    ///
    /// # Errors
    /// The database is away.
    pub async fn reading(&self, name: &'static str, scope: Scope<'_>) -> Result<Tx, StoreError> {
        outbox::begin_reading(&self.pool, scope).await.map_err(|error| StoreError::Database(name, error))
    }
}

/// Commits.
///
/// # Errors
/// The database is away: nothing has happened.
pub async fn commit(tx: Tx) -> Result<(), StoreError> {
    tx.commit().await.map_err(|error| StoreError::Database("commit", error))
}

/// The package of a call, open or not, as it stands.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn look(tx: &mut PgConnection, force: &ForceId, call: CallId) -> Result<Option<Locked>, StoreError> {
    let failed = |error| StoreError::Database("look", error);
    let row = sqlx::query_as!(
        Row,
        "select call_id, force_id, package_id, opened_at, facts, checklist, trace, version
         from referral.packages where force_id = $1 and call_id = $2",
        force.as_str(),
        call.uuid(),
    )
    .fetch_optional(tx)
    .await
    .map_err(failed)?;
    row.map(Locked::try_from).transpose()
}

/// Locks the package of a call, begun if this is the first fact about it. `None` if the call is another force's.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn lock_or_begin(
    tx: &mut PgConnection,
    force: &ForceId,
    call: CallId,
    trace: &Trace,
) -> Result<Option<Locked>, StoreError> {
    let failed = |error| StoreError::Database("lock_or_begin", error);
    sqlx::query!(
        "insert into referral.packages (call_id, force_id, facts, trace) values ($1, $2, '{}', $3)
         on conflict (call_id) do nothing",
        call.uuid(),
        force.as_str(),
        trace.as_str(),
    )
    .execute(&mut *tx)
    .await
    .map_err(failed)?;
    lock(tx, force, call).await
}

/// Locks the package of a call, if anything is known of it.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn lock(tx: &mut PgConnection, force: &ForceId, call: CallId) -> Result<Option<Locked>, StoreError> {
    let failed = |error| StoreError::Database("lock", error);
    let row = sqlx::query_as!(
        Row,
        "select call_id, force_id, package_id, opened_at, facts, checklist, trace, version
         from referral.packages where force_id = $1 and call_id = $2 for update",
        force.as_str(),
        call.uuid(),
    )
    .fetch_optional(tx)
    .await
    .map_err(failed)?;
    row.map(Locked::try_from).transpose()
}

/// Saves a locked package.
///
/// # Errors
/// The database is away.
pub async fn save(tx: &mut PgConnection, package: &Package) -> Result<(), StoreError> {
    let (id, at, checklist) = match &package.state {
        State::Gathering => (None, None, None),
        State::Open { id, at, checklist } => (Some(id.uuid()), Some(*at), Some(json(checklist))),
    };
    sqlx::query!(
        "update referral.packages set package_id = $2, opened_at = $3, facts = $4, checklist = $5 where call_id = $1",
        package.call.uuid(),
        id,
        at,
        json(&package.facts),
        checklist,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("save", error))?;
    Ok(())
}

impl TryFrom<Row> for Locked {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let key = row.call_id.to_string();
        let corrupt = |column| StoreError::Corrupt { table: "referral.packages", column, row: key.clone() };
        let state = match (row.package_id, row.opened_at, row.checklist) {
            (None, None, None) => State::Gathering,
            (Some(id), Some(at), Some(checklist)) => {
                let checklist = serde_json::from_value(checklist).map_err(|_| corrupt("checklist"))?;
                State::Open { id: id.into(), at, checklist }
            }
            _ => return Err(corrupt("package_id")),
        };
        let package = Package {
            call: row.call_id.into(),
            force: row.force_id.parse().map_err(|_| corrupt("force_id"))?,
            facts: serde_json::from_value(row.facts).map_err(|_| corrupt("facts"))?,
            state,
        };
        Ok(Self { package, trace: Trace::parse(&row.trace), version: row.version.unsigned_abs() })
    }
}

/// Our own structs of text and numbers always have a JSON form.
fn json<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Something of a case has changed: it has a further version, and whoever watches it looks again.
///
/// # Errors
/// The database is away.
pub async fn touch(tx: &mut PgConnection, call: CallId) -> Result<u64, StoreError> {
    let failed = |error| StoreError::Database("touch", error);
    let version = sqlx::query_scalar!(
        "with touched as (update referral.packages set version = version + 1 where call_id = $1 returning version)
         select version as \"version!\" from touched, pg_notify($2, $1::text)",
        call.uuid(),
        CASES,
    )
    .fetch_one(tx)
    .await
    .map_err(failed)?;
    Ok(version.unsigned_abs())
}

/// Something that a person of the force has to see to has come up, or is done: whoever watches it looks again.
///
/// # Errors
/// The database is away.
pub async fn tell_due(tx: &mut PgConnection, force: &ForceId) -> Result<(), StoreError> {
    sqlx::query_scalar!("select pg_notify($1, $2)", DUE, force.as_str())
        .fetch_one(tx)
        .await
        .map_err(|error| StoreError::Database("tell_due", error))?;
    Ok(())
}
