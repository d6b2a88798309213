//! The database takes its time, for as long as a test wants.

use ids::CallId;
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

    /// Holds the rows of these calls' sessions.
    pub async fn hold_sessions(&self, calls: &[CallId]) -> PgTransaction<'static> {
        let calls: Vec<_> = calls.iter().map(|call| call.uuid()).collect();
        let mut held = self.database.pool().begin().await.unwrap();
        let hold = sqlx::query("select from session.sessions where call_id = any($1) for update").bind(calls);
        hold.execute(&mut *held).await.unwrap();
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
