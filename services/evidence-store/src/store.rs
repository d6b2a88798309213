//! Every SQL statement of the service. A row that can't be what the domain has is its own error, naming where it is.

mod access;
mod archive;
mod consents;
mod exhibits;
mod family;
mod gauges;
mod index;
mod items;
mod journal_files;
mod list;
mod log;
mod retention;
mod sealing;
mod sessions;

use outbox::Scope;
use sqlx::{PgConnection, PgPool, PgTransaction};

pub use access::{
    Access, AccessHead, access_by_request, access_log, accesses, artefacts, insert_access, insert_alarm,
    insert_artefacts, lock_access_log, replace_artefacts,
};
pub use archive::{
    archived_among, archived_files, archived_marks, copies_called_back, droppable, has_tombstone_record,
    insert_archived_exhibit, insert_archived_file, newly_archived, note_files, waits_in,
};
pub use consents::{CONSENTS, Consents, consents_added, insert_consents, waiting_consents, wake_consents};
pub use exhibits::{
    Key, Located, exhibit, insert_exhibit, lock_exhibit, manifest, mark_journaled, restore_sealed, save_exhibit,
    save_manifest, unsealed,
};
pub use family::{
    HeldByPart, addenda, addendum_open, family_marks, family_on_hold, held_by_call, item_by_id, lock_family,
    newest_part,
};
pub use gauges::{Checkpoints, Stage, alarms_since, checkpoints, open_exhibits, stages};
pub use index::{
    SegmentRow, TrackRow, book, held_segment, index_entries, insert_starts, segments, segments_at, segments_from,
    tracks,
};
pub use items::{ItemRow, insert_item, items};
pub use journal_files::{empty_index, journal_files, restore_marks, set_through};
pub use list::{Summary, list};
pub use log::{
    CheckpointRow, Queued, entries, insert_checkpoint, log_index, newest_checkpoint, place_entries, placed,
    queue_heads, queue_log_entry, queued_entries, save_cosigned, signed_root, unqueue,
};
pub use outbox::StoreError;
pub use retention::{
    Tombstone, insert_disposal, insert_hold, insert_release, insert_review, mark_destroyed, retention, tombstone,
    unfinished_disposals,
};
pub use sealing::{Lead, save_signature, set_log_waits_for, set_waits_for, signature, waits_for};
pub use sessions::{declaration, insert_declaration};

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

    /// Begins a transaction among the rows of one force, or of all; its name is in the error and the span if it can't.
    ///
    /// # Errors
    /// The database is away.
    #[tracing::instrument(level = "debug", skip(self, scope))]
    pub async fn begin(&self, name: &'static str, scope: Scope<'_>) -> Result<PgTransaction<'static>, StoreError> {
        outbox::begin(&self.pool, scope).await.map_err(|error| StoreError::Database(name, error))
    }
}

impl Store {
    /// Begins a transaction that sees one moment, however many statements it has.
    ///
    /// # Errors
    /// The database is away.
    pub async fn begin_snapshot(
        &self,
        name: &'static str,
        scope: Scope<'_>,
    ) -> Result<PgTransaction<'static>, StoreError> {
        let mut tx = self.begin(name, scope).await?;
        sqlx::query!("set transaction isolation level repeatable read, read only")
            .execute(&mut *tx)
            .await
            .map_err(failed(name))?;
        Ok(tx)
    }
}

/// Commits, with the transaction's name in the error.
///
/// # Errors
/// The database is away; then nobody knows whether it was committed, and every use case can be repeated.
pub async fn commit(tx: PgTransaction<'_>, name: &'static str) -> Result<(), StoreError> {
    tx.commit().await.map_err(|error| StoreError::Database(name, error))
}

/// What is told to whoever listens, in whatever process it is, when a transaction commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// To the sealing worker: there may be something to seal.
    Sealing,
    /// To the sealing worker: the log covers more than it did.
    Covered,
    /// To the log's sequencer: something wants its place.
    Log,
}

impl Wake {
    /// The channel that all of them go by.
    pub const CHANNEL: &str = "evidence_wake";

    fn payload(self) -> &'static str {
        match self {
            Self::Sealing => "sealing",
            Self::Covered => "covered",
            Self::Log => "log",
        }
    }

    /// Reads a notification's payload.
    #[must_use]
    pub fn parse(payload: &str) -> Option<Self> {
        [Self::Sealing, Self::Covered, Self::Log].into_iter().find(|wake| wake.payload() == payload)
    }
}

/// Wakes somebody when the transaction commits.
///
/// # Errors
/// The database is away.
pub async fn wake(tx: &mut PgConnection, whom: Wake) -> Result<(), StoreError> {
    sqlx::query!("select pg_notify($1, $2)", Wake::CHANNEL, whom.payload())
        .fetch_one(tx)
        .await
        .map_err(failed("wake"))?;
    Ok(())
}

/// Wakes the sealing worker, in whatever process it is, when the transaction commits.
async fn wake_worker(tx: &mut PgConnection) -> Result<(), StoreError> {
    wake(tx, Wake::Sealing).await
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
