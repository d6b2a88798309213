//! Every SQL statement of the service. A row that can't be what the domain has is its own error, naming where it is.

mod access;
mod exhibits;
mod index;
mod sessions;

use sqlx::{PgConnection, PgPool, PgTransaction};

pub use access::{Access, access_by_request, accesses, artefacts, insert_access, insert_alarm, insert_artefacts};
pub use exhibits::{
    Key, Located, exhibit, insert_exhibit, lock_exhibit, manifest, mark_journaled, save_exhibit, save_manifest,
    unsealed,
};
pub use index::{
    SegmentRow, TrackRow, book, held_segment, index_entries, journal_files, segments, segments_at, set_through, tracks,
};
pub use sessions::{declaration, insert_declaration};

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

/// The pool, and the names of the transactions begun from it.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// On this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The pool itself, for what listens or relays.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Begins a transaction; its name is in the error and the span if it can't.
    ///
    /// # Errors
    /// The database is away.
    #[tracing::instrument(level = "debug", skip(self))]
    pub async fn begin(&self, name: &'static str) -> Result<PgTransaction<'static>, StoreError> {
        self.pool.begin().await.map_err(|error| StoreError::Database(name, error))
    }
}

/// Commits, with the transaction's name in the error.
///
/// # Errors
/// The database is away; then nobody knows whether it was committed, and every use case can be repeated.
pub async fn commit(tx: PgTransaction<'_>, name: &'static str) -> Result<(), StoreError> {
    tx.commit().await.map_err(|error| StoreError::Database(name, error))
}

/// Wakes the sealing worker, in whatever process it is, when the transaction commits.
async fn wake_worker(tx: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query!("select pg_notify('evidence_sealing', '')").fetch_one(tx).await.map_err(failed("wake_worker"))?;
    Ok(())
}

/// Wraps what a statement failed with.
fn failed(statement: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| StoreError::Database(statement, error)
}

/// Says what is impossible about a row.
struct At<'a> {
    table: &'static str,
    row: &'a (dyn std::fmt::Display + Sync),
}

impl At<'_> {
    fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column, row: self.row.to_string() }
    }

    fn parse<T: std::str::FromStr>(&self, column: &'static str, text: &str) -> Result<T, StoreError> {
        text.parse().map_err(|_| self.corrupt(column))
    }

    fn digest(&self, column: &'static str, bytes: &[u8]) -> Result<exhibit::Digest, StoreError> {
        bytes.try_into().map_err(|_| self.corrupt(column))
    }

    fn count(&self, column: &'static str, number: i64) -> Result<u64, StoreError> {
        number.try_into().map_err(|_| self.corrupt(column))
    }

    fn present<T>(&self, column: &'static str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| self.corrupt(column))
    }
}

/// Counts and offsets beyond this are refused at the door.
fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
