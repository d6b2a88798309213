//! The use cases: one function each. What is acknowledged is in the journal; what is in a state is in the database.

mod access;
mod addendum;
mod append;
mod archive;
mod authority;
mod behind;
mod consents;
mod disposal;
mod export;
mod index;
mod items;
mod keys;
mod opening;
mod proofs;
mod read;
pub mod readback;
mod receipts;
mod reread;
mod retention;
mod seal;
mod seal_record;
mod start;
mod stills;
mod tombstone_record;
mod unreadable;
mod waiting;
mod worker;
mod working_copy;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use chassis::{Ambient, Clock, Entropy, Trace};
use chrono::{DateTime, TimeDelta, Utc};
use exhibit::seal::Signer;
use ids::{CallId, ExhibitId, ForceId};
use outbox::{NewEvent, Scope};
use tokio::sync::Semaphore;

pub use access::Asker;
pub use append::{AddedItem, Appended, Pending, Segment};
pub use authority::{Authority, Waits};
pub use disposal::Prepared;
pub use export::Chunk;
pub use index::{Index, Ways};
pub use items::{KeptItem, MAX_ITEM, NewcomingItem};
pub use keys::{Notary, keys, rewrap, signer};
pub use opening::Opening;
pub use read::Wanted;
pub use receipts::receipt_key;
pub use reread::Reread;
pub use seal::{Step, WaitsFor};
pub use start::Found;
pub use unreadable::Unreadable;
pub use waiting::Waiting;
pub use working_copy::Derived;

use self::addendum::Addenda;
use crate::{
    config::Config,
    domain::{
        Exhibit,
        retention::{Classes, Retention},
    },
    error::Error,
    events,
    journal::{Journal, disk::Reader, receipts::Receipts},
    keys::Keys,
    log::Log,
    store::{self, ItemRow, Key, Located, Store, Summary, TrackRow},
};

/// Exhibits that are read back side by side: a long call's doesn't hold up a short one's.
const READ_BACK_AT_ONCE: usize = 8;

/// Exhibits that the journal's ledger knows, so that segments are taken while the database is away. Never shrinks: a
/// hundred bytes a call.
#[derive(Default)]
struct Known {
    /// Each call's own exhibit.
    calls: HashMap<CallId, (ForceId, ExhibitId)>,
    /// Those, and addenda.
    exhibits: HashSet<ExhibitId>,
}

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
    authority: Option<Authority>,
    log: Log,
    receipts: Receipts,
    /// Exhibits that are read back at once.
    reading: Arc<Semaphore>,
    grace: TimeDelta,
    quiet: TimeDelta,
    /// How long an export waits for the proof of its own line in the access log.
    proof_wait: Duration,
    classes: Arc<Classes>,
    addenda: Arc<Mutex<Addenda>>,
    roll: TimeDelta,
    keep_local: TimeDelta,
    keys: Keys,
    reread: Reread,
    unreadable: Unreadable,
    refuse_new_below: u64,
    known: Arc<RwLock<Known>>,
    waiting: Waiting,
    derived: Derived,
}

impl App {
    /// Puts it together; it takes segments after [`App::start`].
    #[must_use]
    pub fn new(config: &Config, store: Store, ambient: &Ambient, reader: Reader, notary: Notary, keys: Keys) -> Self {
        let waiting = Waiting::default();
        let Notary { signer, tsa, log, receipts } = notary;
        let Ambient { clock, entropy } = ambient.clone();
        let ways = Ways { reader: reader.clone(), keys: keys.clone() };
        let index = Index::new(store.clone(), clock.clone(), entropy.clone(), waiting.clone(), ways);
        Self {
            reread: Reread::new(store.clone(), index.clone()),
            refuse_new_below: config.journal.refuse_new_below_mb * 1024 * 1024,
            index,
            store,
            clock,
            entropy,
            journal: Arc::default(),
            reader,
            signer: Arc::new(signer),
            authority: tsa.map(|tsa| Authority::new(tsa, waiting.clone())),
            log,
            receipts,
            reading: Arc::new(Semaphore::new(READ_BACK_AT_ONCE)),
            grace: TimeDelta::seconds(config.sealing.grace_seconds.into()),
            quiet: TimeDelta::seconds(config.addendum.quiet_seconds.into()),
            proof_wait: Duration::from_secs(config.log.access_proof_wait_seconds.into()),
            classes: Arc::new(config.retention.classes()),
            addenda: Arc::default(),
            roll: TimeDelta::seconds(config.archive.roll_seconds.into()),
            keep_local: TimeDelta::hours(config.archive.keep_local_hours.into()),
            keys,
            known: Arc::default(),
            unreadable: Unreadable::default(),
            waiting,
            derived: Derived::new(config),
        }
    }

    /// An exhibit of this force, with all that there is to say about it.
    ///
    /// # Errors
    /// There is none, or the database is away.
    pub async fn get(&self, force: &ForceId, key: Key) -> Result<Whole, Error> {
        let mut tx = self.store.begin_snapshot("get_exhibit", Scope::Force(force)).await?;
        let Located { exhibit, .. } = self.located(&mut tx, force, key).await?;
        let mut tracks = store::tracks(&mut tx, exhibit.id).await?;
        tracks.retain(|track| !track.track.is_items() && track.segments > 0);
        let items = store::items(&mut tx, exhibit.id).await?;
        let addenda = store::addenda(&mut tx, exhibit.id).await?;
        let retention = self.retention(&mut tx, &exhibit).await?;
        let waits_for = store::waits_for(&mut tx, exhibit.id).await?;
        Ok(Whole { exhibit, tracks, items, addenda, retention, waits_for })
    }

    /// A force's exhibits, newest first; `before` is the last one of the page before.
    ///
    /// # Errors
    /// The database is away.
    pub async fn list(
        &self,
        force: &ForceId,
        before: Option<(DateTime<Utc>, ExhibitId)>,
        limit: u32,
    ) -> Result<Vec<Summary>, Error> {
        let mut tx = self.store.begin("list_exhibits", Scope::Force(force)).await?;
        Ok(store::list(&mut tx, force, before, limit).await?)
    }

    /// What decides about an exhibit's keeping.
    async fn retention(&self, conn: &mut sqlx::PgConnection, exhibit: &Exhibit) -> Result<Retention, Error> {
        Ok(store::retention(conn, exhibit, &self.classes).await?)
    }

    /// An exhibit, unless it is another force's: then there is none.
    async fn located(&self, conn: &mut sqlx::PgConnection, force: &ForceId, key: Key) -> Result<Located, Error> {
        let located = store::exhibit(conn, key).await?.filter(|located| located.exhibit.force == *force);
        located.ok_or(Error::UnknownExhibit)
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The way into the index.
    #[must_use]
    pub fn index(&self) -> Index {
        self.index.clone()
    }

    /// What reads back, as it comes in.
    #[must_use]
    pub fn reread(&self) -> Reread {
        self.reread.clone()
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
        self.known.read().unwrap_or_else(PoisonError::into_inner).calls.get(&call).cloned()
    }

    fn is_known(&self, exhibit: ExhibitId) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).exhibits.contains(&exhibit)
    }

    fn remember(&self, exhibit: &Exhibit) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.exhibits.insert(exhibit.id);
        if exhibit.parent.is_none() {
            known.calls.insert(exhibit.call, (exhibit.force.clone(), exhibit.id));
        }
    }

    fn event(&self, located: &Located, event: &crate::domain::Event) -> NewEvent {
        events::publish(&located.exhibit, event, located.trace.clone(), self.clock.now())
    }
}

/// An exhibit, with all that there is to say about it.
pub struct Whole {
    /// The exhibit.
    pub exhibit: Exhibit,
    /// Its tracks.
    pub tracks: Vec<TrackRow>,
    /// What is kept beside them.
    pub items: Vec<ItemRow>,
    /// Its addenda, oldest first.
    pub addenda: Vec<ExhibitId>,
    /// What decides about its keeping.
    pub retention: Retention,
    /// What its sealing waits for, in plain words; empty if for nothing but its turn.
    pub waits_for: String,
}

/// What a request's trace is, for the row that is about to be made.
fn here(fallback: &Trace) -> Trace {
    let here = Trace::current();
    if here.is_empty() { fallback.clone() } else { here }
}
