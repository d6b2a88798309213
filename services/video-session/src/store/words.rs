//! The word that means "come now", as far as it is here: whether intake was asked for it, and its keyed hash.

use ids::{CallId, ForceId, InstanceId, SessionId};
use sqlx::PgConnection;

use super::{StoreError, corrupt};

/// So many are looked at in one go: after them others come.
const IN_ONE_GO: i64 = 100;

/// A call of whose word nothing is known yet.
#[derive(Debug, Clone)]
pub struct UnknownWord {
    /// Its session.
    pub session: SessionId,
    /// The call.
    pub call: CallId,
    /// Whose.
    pub force: ForceId,
}

/// The open sessions that this instance carries, or nobody does, and of whose word intake is still to be asked.
pub async fn list_unknown_words(tx: &mut PgConnection, own: InstanceId) -> Result<Vec<UnknownWord>, StoreError> {
    let rows = sqlx::query!(
        "select session_id, call_id, force_id from session.sessions
         where not word_asked and state <> 'ended' and (owner is null or owner = $1)
         order by session_id limit $2",
        own.uuid(),
        IN_ONE_GO,
    )
    .fetch_all(&mut *tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let force = row.force_id.parse().map_err(|_| corrupt("session.sessions", "force_id", row.session_id))?;
            Ok(UnknownWord { session: row.session_id.into(), call: row.call_id.into(), force })
        })
        .collect()
}

/// Intake has told: this is what the word is known by, if there is one. False: another instance carries the session by now, and asks
/// for itself.
pub async fn save_word(
    tx: &mut PgConnection,
    session: SessionId,
    own: InstanceId,
    hash: Option<[u8; 32]>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update session.sessions set word_asked = true, word_hash = $3
         where session_id = $1 and (owner is null or owner = $2)",
        session.uuid(),
        own.uuid(),
        hash.as_ref().map(<[u8; 32]>::as_slice),
    )
    .execute(&mut *tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
