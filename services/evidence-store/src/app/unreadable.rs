//! Exhibits whose rows couldn't be read at start: a person's matter, and nobody else's. Looked at until somebody has mended them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chassis::Shutdown;
use ids::ExhibitId;

use super::App;
use crate::{
    error::Error,
    journal::core::Purpose,
    store::{self, Key},
};
use outbox::Scope;

/// How often it is looked whether one is mended.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Which they are now. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Unreadable(Arc<Mutex<BTreeSet<ExhibitId>>>);

impl Unreadable {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.exhibits().len()
    }

    /// One was met.
    pub(super) fn add(&self, id: ExhibitId) {
        self.exhibits().insert(id);
    }

    fn exhibits(&self) -> MutexGuard<'_, BTreeSet<ExhibitId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// The exhibits that couldn't be read at start, and can't be now.
    #[must_use]
    pub fn unreadable(&self) -> Unreadable {
        self.unreadable.clone()
    }

    /// Takes up what is mended, as if it had been read at start, until the shutdown. Whoever needs it sooner has done so already.
    pub async fn take_up_mended(self, shutdown: Shutdown) {
        while shutdown.or(tokio::time::sleep(LOOK_AGAIN)).await.is_some() {
            let unread = self.unreadable.exhibits().clone();
            for id in unread {
                match self.take_up(id).await {
                    Ok(()) => {
                        self.unreadable.exhibits().remove(&id);
                        tracing::info!(exhibit = %id, "an exhibit that couldn't be read is taken up");
                    }
                    Err(error) => {
                        tracing::debug!(exhibit = %id, error = chassis::chain(&error), "an exhibit still can't be taken up");
                    }
                }
            }
        }
    }

    async fn take_up(&self, id: ExhibitId) -> Result<(), Error> {
        let mut tx = self.store.begin("take_up", Scope::All).await?;
        let located = store::exhibit(&mut tx, Key::Exhibit(id)).await?;
        drop(tx);
        match located.filter(|located| located.journaled) {
            Some(located) => self.make_known(&located, Purpose::Hold).await,
            // As at start: by the first who needs it, with its opening.
            None => Ok(()),
        }
    }
}
