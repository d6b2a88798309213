//! Every SQL statement of the service. A row that can't be what the domain has is its own error, naming where it is.

pub mod parcels;

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId};
use outbox::{Scope, Tx};
use sqlx::{PgConnection, PgPool};

use crate::domain::{Package, State};

/// What the store can fail with.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres, or the way to it.
    #[error("the database failed in {0}")]
    Database(&'static str, #[source] sqlx::Error),
    /// A row that the domain can't read: damage, or a newer version's.
    #[error("row {row} of {table} has an impossible {column}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
    },
}

/// The pool.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

/// A package under its row's lock, and the trace that its call belongs to.
#[derive(Debug)]
pub struct Locked {
    /// The package.
    pub package: Package,
    /// The call's trace.
    pub trace: Trace,
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
}

impl Store {
    /// On this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// A transaction that sees these rows; what it is for is named if it fails.
    pub(crate) async fn begin(&self, what: &'static str, scope: Scope<'_>) -> Result<Tx, StoreError> {
        outbox::begin(&self.pool, scope).await.map_err(|error| StoreError::Database(what, error))
    }

    /// Commits it.
    pub(crate) async fn commit(&self, what: &'static str, tx: Tx) -> Result<(), StoreError> {
        tx.commit().await.map_err(|error| StoreError::Database(what, error))
    }

    /// The package of a call, open or not.
    ///
    /// # Errors
    /// The database is away, or the row is impossible.
    pub async fn package(&self, force: &ForceId, call: CallId) -> Result<Option<Package>, StoreError> {
        let failed = |error| StoreError::Database("package", error);
        let mut tx = outbox::begin(&self.pool, Scope::Force(force)).await.map_err(failed)?;
        let row = sqlx::query_as!(
            Row,
            "select call_id, force_id, package_id, opened_at, facts, checklist, trace
             from referral.packages where force_id = $1 and call_id = $2",
            force.as_str(),
            call.uuid(),
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed)?;
        Ok(row.map(Locked::try_from).transpose()?.map(|locked| locked.package))
    }
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
        "select call_id, force_id, package_id, opened_at, facts, checklist, trace
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
        Ok(Self { package, trace: Trace::parse(&row.trace) })
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
         select version as \"version!\" from touched, pg_notify('referral_case', $1::text)",
        call.uuid(),
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
    sqlx::query_scalar!("select pg_notify('referral_due', $1)", force.as_str())
        .fetch_one(tx)
        .await
        .map_err(|error| StoreError::Database("tell_due", error))?;
    Ok(())
}
