//! How referrals stand, for whoever watches over them.

use chrono::{DateTime, Utc};
use outbox::Scope;

use super::{Store, StoreError};

/// Parcels of a force that are not with their partners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcels {
    /// The force.
    pub force: String,
    /// To be tried, or tried again.
    pub waiting: i64,
    /// When the oldest of these was made.
    pub oldest: Option<DateTime<Utc>>,
    /// Given up in the last day: a person has to see to them.
    pub failed: i64,
}

/// Clocks of a force that run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clocks {
    /// The force.
    pub force: String,
    /// Near their end.
    pub near: i64,
    /// Past it.
    pub missed: i64,
}

impl Store {
    /// Of every force that has any. Those that a person has seen to are no failures any more.
    ///
    /// # Errors
    /// The database is away.
    pub async fn undelivered(&self, since: DateTime<Utc>) -> Result<Vec<Parcels>, StoreError> {
        let mut tx = self.begin("undelivered", Scope::All).await?;
        sqlx::query_as!(
            Parcels,
            r#"select p.force_id as "force!", count(*) filter (where p.state = 'waiting') as "waiting!",
                   min(p.made_at) filter (where p.state = 'waiting') as oldest,
                   count(*) filter (where p.state = 'failed') as "failed!"
               from referral.parcels p join referral.referrals r on r.id = p.referral_id
               where p.state = 'waiting' or p.state = 'failed' and p.settled_at > $1 and r.state = 'sent'
               group by p.force_id"#,
            since
        )
        .fetch_all(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("undelivered", error))
    }

    /// Of every force that has any.
    ///
    /// # Errors
    /// The database is away.
    pub async fn running_clocks(&self) -> Result<Vec<Clocks>, StoreError> {
        let mut tx = self.begin("running_clocks", Scope::All).await?;
        sqlx::query_as!(
            Clocks,
            r#"select force_id as "force!",
                   count(*) filter (where near_raised_at is not null and missed_raised_at is null) as "near!",
                   count(*) filter (where missed_raised_at is not null) as "missed!"
               from referral.clocks where stopped_at is null group by force_id"#
        )
        .fetch_all(&mut *tx)
        .await
        .map_err(|error| StoreError::Database("running_clocks", error))
    }
}
