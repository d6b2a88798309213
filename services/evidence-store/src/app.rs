//! The use cases: one function each. What is acknowledged is in the journal; what is in a state is in the database.

mod append;
mod export;
mod index;
mod keys;
mod opening;
mod readback;
mod seal;
mod start;
mod worker;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use chassis::{Clock, Entropy, Trace};
use chrono::TimeDelta;
use exhibit::seal::Signer;
use ids::{CallId, ExhibitId, ForceId};
use outbox::NewEvent;

pub use append::{Pending, Segment};
pub use export::Chunk;
pub use index::{Index, Waiting};
pub use keys::signer;
pub use opening::Opening;
pub use seal::Step;
pub use start::Found;

use crate::{
    config::Config,
    domain::Exhibit,
    error::Error,
    events,
    journal::{Journal, disk::Reader},
    store::{self, Access, Key, Located, Store, TrackRow},
};

/// Everything that a use case needs. Cheap to clone.
#[derive(Clone)]
pub struct App {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    /// Set once recovery is done.
    journal: Arc<OnceLock<Journal>>,
    reader: Reader,
    index: Index,
    signer: Arc<Signer>,
    grace: TimeDelta,
    /// Exhibits that the journal's ledger knows, so that segments are taken while the database is away. Never shrinks:
    /// a hundred bytes a call.
    known: Arc<RwLock<HashMap<CallId, (ForceId, ExhibitId)>>>,
    waiting: Waiting,
}

impl App {
    /// Puts it together; it takes segments after [`App::start`].
    #[must_use]
    pub fn new(config: &Config, store: Store, clock: Clock, entropy: Entropy, reader: Reader, signer: Signer) -> Self {
        let waiting = Waiting::default();
        Self {
            index: Index::new(store.clone(), clock.clone(), entropy.clone(), waiting.clone()),
            store,
            clock,
            entropy,
            journal: Arc::default(),
            reader,
            signer: Arc::new(signer),
            grace: TimeDelta::seconds(config.sealing.grace_seconds.into()),
            known: Arc::default(),
            waiting,
        }
    }

    /// An exhibit of this force, with its tracks.
    ///
    /// # Errors
    /// There is none, or the database is away.
    pub async fn get(&self, force: &ForceId, key: Key) -> Result<(Exhibit, Vec<TrackRow>), Error> {
        let mut tx = self.store.begin("get_exhibit").await?;
        let located = self.located(&mut tx, force, key).await?;
        let tracks = store::tracks(&mut tx, located.exhibit.id).await?;
        Ok((located.exhibit, tracks))
    }

    /// Who looked at an exhibit, oldest first; `after` is the last one of the page before.
    ///
    /// # Errors
    /// There is none, or the database is away.
    pub async fn accesses(
        &self,
        force: &ForceId,
        id: ExhibitId,
        after: Option<(chrono::DateTime<chrono::Utc>, uuid::Uuid)>,
        limit: u32,
    ) -> Result<Vec<Access>, Error> {
        let mut tx = self.store.begin("list_access").await?;
        self.located(&mut tx, force, Key::Exhibit(id)).await?;
        Ok(store::accesses(&mut tx, id, after, limit).await?)
    }

    /// An exhibit, unless it is another force's: then there is none.
    async fn located(&self, conn: &mut sqlx::PgConnection, force: &ForceId, key: Key) -> Result<Located, Error> {
        let located = store::exhibit(conn, key).await?.filter(|located| located.exhibit.force == *force);
        located.ok_or(Error::UnknownExhibit)
    }

    /// The way into the index.
    #[must_use]
    pub fn index(&self) -> Index {
        self.index.clone()
    }

    /// Lets the journal write what is queued, and takes nothing more.
    pub async fn close(&self) {
        if let Some(journal) = self.journal.get() {
            journal.close().await;
        }
    }

    fn journal(&self) -> Result<&Journal, Error> {
        self.journal.get().ok_or(Error::Starting)
    }

    fn known(&self, call: CallId) -> Option<(ForceId, ExhibitId)> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&call).cloned()
    }

    fn remember(&self, exhibit: &Exhibit) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(exhibit.call, (exhibit.force.clone(), exhibit.id));
    }

    fn event(&self, located: &Located, event: &crate::domain::Event) -> NewEvent {
        events::publish(&located.exhibit, event, located.trace.clone(), self.clock.now())
    }
}

/// What a request's trace is, for the row that is about to be made.
fn here(fallback: &Trace) -> Trace {
    let here = Trace::current();
    if here.is_empty() { fallback.clone() } else { here }
}
