//! The database takes its time, for as long as a test wants.

use sqlx::PgTransaction;
use testkit::until;

use super::Rig;

impl Rig {
    /// Holds the only session's row: whatever begins in the session waits.
    pub async fn hold_session(&self) -> PgTransaction<'static> {
        let mut held = self.database.pool().begin().await.unwrap();
        sqlx::query("select from session.sessions for update").execute(&mut *held).await.unwrap();
        held
    }

    /// Until so many wait for it.
    pub async fn waiting(&self, so_many: i64) {
        let waiting = "select count(*) from pg_stat_activity
                       where wait_event_type = 'Lock' and datname = current_database()";
        until("the wait for the row", async || {
            sqlx::query_scalar::<_, i64>(waiting).fetch_one(&self.database.pool()).await.unwrap() == so_many
        })
        .await;
    }
}
