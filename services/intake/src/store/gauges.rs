//! How things stand between the control rooms and us, for whoever watches over it.

use outbox::Scope;

use super::{Store, StoreError};

/// What a force's control room has not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The force.
    pub force: String,
    /// Fast-tracks that nobody there has taken on.
    pub fast_tracks: i64,
    /// Of these, those that had to be raised again.
    pub raised_again: i64,
}

impl Store {
    /// Of every force that has something unanswered.
    ///
    /// # Errors
    /// The database is away.
    pub async fn unanswered(&self) -> Result<Vec<Stand>, StoreError> {
        let mut tx = self.begin("unanswered", Scope::All).await?;
        sqlx::query_as!(
            Stand,
            r#"select force_id as "force!", count(*) as "fast_tracks!", count(*) filter (where times > 1) as "raised_again!"
               from intake.fast_tracks where again_at is not null group by force_id"#
        )
        .fetch_all(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("unanswered", error))
    }

    /// Messages to control rooms by MAIT that they have not taken yet.
    ///
    /// # Errors
    /// The database is away.
    pub async fn mait_unsent(&self) -> Result<i64, StoreError> {
        let mut tx = self.begin("mait_unsent", Scope::All).await?;
        sqlx::query_scalar!(
            r#"select coalesce(sum(told - sent), 0)::bigint as "unsent!" from intake.mait_sent where told > sent"#
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("mait_unsent", error))
    }
}
