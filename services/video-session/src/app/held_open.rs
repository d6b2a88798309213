//! A transaction that stays open while its caller waits for the disk: what is kept has its place in the session before the session can end.
//! A disk that hangs holds up the session that waits for it, but must not take all connections with it: the others could neither be
//! ended nor stopped any more. So half of them at most may wait so.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use sqlx::{PgPool, PgTransaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::App;
use crate::error::Error;
use outbox::Scope;

/// As long as for a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// The transaction, and one of the few places for such.
#[derive(Debug)]
pub(super) struct HeldOpen {
    tx: PgTransaction<'static>,
    _place: OwnedSemaphorePermit,
}

/// How many there may be over this pool.
pub(super) fn places(pool: &PgPool) -> Arc<Semaphore> {
    // Never so many that it doesn't fit, and at least one.
    let half = usize::try_from(pool.options().get_max_connections() / 2).unwrap_or(1);
    Arc::new(Semaphore::new(half.max(1)))
}

impl App {
    /// Begins one, once there is a place.
    ///
    /// # Errors
    /// When there is none for too long, or the database fails.
    pub(super) async fn begin_held_open(&self, scope: Scope<'_>) -> Result<HeldOpen, Error> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
        // Nobody closes it: what is over is the time.
        let place = place.ok().and_then(Result::ok).ok_or(sqlx::Error::PoolTimedOut)?;
        Ok(HeldOpen { tx: self.begin(scope).await?, _place: place })
    }
}

impl HeldOpen {
    /// What was to be kept is kept.
    pub(super) async fn commit(self) -> Result<(), Error> {
        Ok(self.tx.commit().await?)
    }
}

impl Deref for HeldOpen {
    type Target = PgTransaction<'static>;

    fn deref(&self) -> &Self::Target {
        &self.tx
    }
}

impl DerefMut for HeldOpen {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tx
    }
}
