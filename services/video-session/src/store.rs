//! Every SQL statement of the service. Functions over a connection, so that an event's transaction, a request's and a
//! plain read use the same ones. A row that can't be a state is an error of its own, that says which row.

mod early_consents;
mod fast_tracks;
mod invitations;
mod leases;
mod participants;
mod presences;
mod sessions;
mod texts;
mod tracks;
mod words;

pub use early_consents::{
    delete_early_consents, delete_stale_early_consents, insert_early_consent, list_early_consents, lock_consents,
};
pub use fast_tracks::save_noted;
pub use invitations::{
    StoredInvitation, find_by_key, find_guesses, insert_invitation, lock_by_key, lock_by_selector, lock_guesses,
    lock_unfinished, save_guesses, save_invitation,
};
pub use leases::{not_owned, ownership, register, release, renew, take};
pub use participants::{Named, find_by_token, set_token};
pub use presences::{delete_presence, end_presence, end_presence_of, end_presences, insert_presence, list_presences};
pub use sessions::{
    Stored, find_by_call, find_by_id, insert_session, list_unannounced, lock_by_call, lock_by_id, mark_announced,
    mark_released, released, save_session,
};
pub use texts::{StoredText, insert_text, lock_due_text, lock_text, save_text};
pub use tracks::{
    Recorded, insert_track, is_of_this_epoch, is_whole, list_tracks, mark_whole, release_track, release_tracks,
    save_track,
};
pub use words::{UnknownWord, list_unknown_words, save_word};

use sqlx::PgConnection;

/// Postgres' channel on which a commit tells which call's session has changed.
pub const CHANGED: &str = "session_changed";

/// Whatever this transaction has to wait for that another has locked, it waits for half a second at most.
pub async fn wait_briefly(tx: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("set local lock_timeout = 500").execute(tx).await?;
    Ok(())
}

/// What went wrong between us and the database. Not the outbox's: statements have no names here, and a use case's `?` takes them as
/// they come.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres refused or isn't there.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// A row holds what this service never writes.
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

fn corrupt(table: &'static str, column: &'static str, row: impl ToString) -> StoreError {
    StoreError::Corrupt { table, column, row: row.to_string() }
}
