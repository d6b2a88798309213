//! The indexer: takes what the journal wrote into the database, in order, later. While the database is away it waits,
//! holding what came since (a few hundred bytes a segment); the journal doesn't wait for it.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use chassis::{Clock, Entropy, Shutdown};
use ids::{ExhibitId, TrackName};
use sqlx::PgTransaction;
use tokio::sync::{mpsc, watch};

use super::{opening::Opening, readback, waiting::Waiting};
use crate::{
    error::Error,
    events,
    journal::{Place, committer::Closed, core::Entry, disk::Reader, item::ItemFacts, record::Kind},
    keys::{self, Keys},
    store::{self, Key, Store},
};
use outbox::Scope;

/// Most records taken into one transaction.
const BATCH: usize = 500;
const PAUSE_CAP: Duration = Duration::from_secs(2);

/// What is needed to look into a record that was found at start.
#[derive(Clone)]
pub struct Ways {
    /// Reads the journal.
    pub reader: Reader,
    /// Decrypts it.
    pub keys: Keys,
}

/// What is different about records that were found in the journal, and not handed over as they were written.
#[derive(Default)]
pub struct Found {
    /// The newest seal of each exhibit: taken into the rows. As they are written, whoever seals does that.
    pub seals: BTreeSet<Place>,
    /// Rebuild the rows of what is sealed, too.
    pub rebuild: bool,
}

/// The way into the index. Cheap to clone.
#[derive(Clone)]
pub struct Index {
    pub(super) ways: Ways,
    store: Store,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    waiting: Waiting,
    sender: mpsc::UnboundedSender<Vec<Entry>>,
    queue: Arc<Mutex<Option<mpsc::UnboundedReceiver<Vec<Entry>>>>>,
    rebuilt: Arc<Mutex<HashSet<ExhibitId>>>,
    /// What is indexed goes on to be read back.
    indexed: mpsc::UnboundedSender<Vec<Entry>>,
    pub(super) to_reread: Arc<Mutex<Option<mpsc::UnboundedReceiver<Vec<Entry>>>>>,
    /// How far the index is, for who waits for it.
    done: Arc<watch::Sender<Progress>>,
}

/// How far each journal file is indexed.
pub type Progress = BTreeMap<u64, u64>;

impl Index {
    /// An index that [`Index::run`] has to keep.
    #[must_use]
    pub fn new(store: Store, clock: Clock, entropy: Entropy, waiting: Waiting, ways: Ways) -> Self {
        let (sender, queue) = mpsc::unbounded_channel();
        let queue = Arc::new(Mutex::new(Some(queue)));
        let (indexed, to_reread) = mpsc::unbounded_channel();
        let (to_reread, rebuilt) = (Arc::new(Mutex::new(Some(to_reread))), Arc::default());
        let done = Arc::new(watch::Sender::new(Progress::new()));
        Self { ways, store, clock, entropy, waiting, sender, queue, rebuilt, indexed, to_reread, done }
    }

    /// Where the journal hands its records over.
    #[must_use]
    pub fn sender(&self) -> mpsc::UnboundedSender<Vec<Entry>> {
        self.sender.clone()
    }

    /// Changes whenever the index has grown.
    #[must_use]
    pub fn growth(&self) -> watch::Receiver<Progress> {
        self.done.subscribe()
    }

    /// Returns once an exhibit's every durable segment is in the index: the caller says how many that is.
    ///
    /// # Errors
    /// The database is away.
    pub async fn caught_up(&self, id: ExhibitId, marks: &BTreeMap<TrackName, u64>) -> Result<(), Error> {
        let mut progress = self.done.subscribe();
        loop {
            progress.borrow_and_update();
            let mut tx = self.store.begin("caught_up", Scope::All).await?;
            let tracks = store::tracks(&mut tx, id).await?;
            drop(tx);
            let held: BTreeMap<_, _> = tracks.into_iter().map(|t| (t.track, t.first + t.segments)).collect();
            if marks.iter().all(|(track, mark)| held.get(track).is_some_and(|held| held >= mark)) {
                return Ok(());
            }
            // The sender lives in `self`, so waiting can't fail.
            let _ = progress.changed().await;
        }
    }

    /// Indexes until the shutdown, and then what is there already. What isn't taken in is found at the next start.
    pub async fn run(self, shutdown: Shutdown) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut queue) = queue else { return };
        let mut batch: Vec<Entry> = Vec::new();
        loop {
            match shutdown.or(queue.recv()).await {
                Some(Some(entries)) => batch.extend(entries),
                Some(None) => return,
                None if queue.is_empty() => return,
                None => {}
            }
            while batch.len() < BATCH
                && let Ok(more) = queue.try_recv()
            {
                batch.extend(more);
            }
            let mut pause = Duration::from_millis(50);
            while let Err(error) = self.take(&batch, &Found::default()).await {
                tracing::warn!(error = chassis::chain(&error), waiting = batch.len(), "the index waits");
                if shutdown.or(tokio::time::sleep(pause)).await.is_none() {
                    return;
                }
                pause = (pause * 2).min(PAUSE_CAP);
            }
            // Whoever reads back finds the rows there, and a closed end means that the process is ending.
            let _ = self.indexed.send(std::mem::take(&mut batch));
        }
    }

    /// Takes records into the database, with how far that is, in one transaction.
    ///
    /// # Errors
    /// The database is away.
    pub async fn take(&self, entries: &[Entry], found: &Found) -> Result<(), Error> {
        let mut tx = self.store.begin("index", Scope::All).await?;
        let through = self.take_in(&mut tx, entries, found).await?;
        store::commit(tx, "index").await?;
        self.done.send_modify(|done| done.extend(through));
        if entries.iter().any(|entry| matches!(entry.header.kind, Kind::Seal | Kind::Tombstone)) {
            self.waiting.archive.notify_one();
        }
        if self.waiting.owed.load(Ordering::Relaxed) {
            self.waiting.wake.notify_one();
        }
        Ok(())
    }

    /// As [`Index::take`], in the caller's transaction. Says how far each file is then.
    ///
    /// # Errors
    /// The database or, for what was found, the keys are away.
    pub(super) async fn take_in(
        &self,
        tx: &mut PgTransaction<'_>,
        entries: &[Entry],
        found: &Found,
    ) -> Result<Progress, Error> {
        for entry in entries.iter().filter(|entry| entry.header.kind == Kind::Opening) {
            self.opening(tx, entry).await?;
        }
        let (conflicts, unknown) = store::index_entries(tx, entries, self.clock.now()).await?;
        store::note_files(tx, entries).await?;
        for id in unknown {
            tracing::error!(exhibit = %id, "the journal holds segments of an exhibit that was never opened");
        }
        for entry in entries.iter().filter(|entry| entry.header.kind == Kind::Item) {
            if let Some(facts) = self.item_facts(entry).await?
                && store::exhibit(tx, Key::Exhibit(entry.header.exhibit)).await?.is_some()
            {
                store::insert_item(tx, entry, &facts).await?;
            }
        }
        for entry in entries.iter().filter(|entry| found.seals.contains(&entry.place)) {
            self.restore_seal(tx, entry, found.rebuild).await?;
        }
        for entry in entries.iter().filter(|entry| entry.header.kind == Kind::Tombstone) {
            self.restore_tombstone(tx, entry).await?;
        }
        for entry in entries.iter().filter(|entry| conflicts.contains(&entry.place)) {
            if let Some(track) = &entry.header.track {
                self.alarm(tx, entry.header.exhibit, "SEGMENT_CONFLICT", track, entry.header.seq).await?;
            }
        }
        let through: Progress = entries.iter().map(|entry| (entry.place.file, entry.end())).collect();
        let last: BTreeMap<u64, &Entry> = entries.iter().map(|entry| (entry.place.file, entry)).collect();
        for entry in last.into_values() {
            store::set_through(tx, entry).await?;
        }
        Ok(through)
    }

    /// Was this exhibit's row made from the journal since the process started?
    pub(super) fn was_rebuilt(&self, id: ExhibitId) -> bool {
        self.rebuilt.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    /// An item's facts: handed over with it, or, found at start, read out of its record.
    async fn item_facts(&self, entry: &Entry) -> Result<Option<ItemFacts>, Error> {
        let Entry { place, header, facts } = entry;
        if let Ok(facts) = serde_json::from_slice(facts) {
            return Ok(Some(facts));
        }
        match self.ways.keys.load(header.exhibit).await {
            Ok(key) => {
                let (reader, place, header) = (self.ways.reader.clone(), *place, header.clone());
                let open = move || readback::item_facts(&reader, &key, place, &header);
                tokio::task::spawn_blocking(open).await.map_err(|_| Closed)?.map(Some)
            }
            // Disposed of: that it was there is all that can be said.
            Err(keys::Error::Destroyed) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Rebuilds an exhibit's row if it is gone.
    async fn opening(&self, tx: &mut PgTransaction<'_>, entry: &Entry) -> Result<(), Error> {
        let id = entry.header.exhibit;
        let Ok(opening) = serde_json::from_slice::<Opening>(&entry.facts) else {
            tracing::error!(exhibit = %id, "an opening in the journal can't be understood");
            return Ok(());
        };
        let starts = opening.starts();
        let (exhibit, trace) = opening.exhibit(id);
        if store::insert_exhibit(tx, &exhibit, &trace, true).await? {
            self.rebuilt.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
            tracing::warn!(exhibit = %id, "exhibit rebuilt from the journal");
        }
        // The exhibit may be there, and its tracks not: an emptied index.
        store::insert_starts(tx, id, &starts).await?;
        Ok(store::mark_journaled(tx, id).await?)
    }

    /// Raises an alarm, once.
    ///
    /// # Errors
    /// The database is away.
    pub async fn alarm(
        &self,
        tx: &mut PgTransaction<'_>,
        id: ExhibitId,
        kind: &'static str,
        track: &TrackName,
        seq: u64,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        if !store::insert_alarm(tx, id, kind, track.as_str(), seq, now).await? {
            return Ok(());
        }
        tracing::error!(exhibit = %id, kind, %track, seq, "integrity alarm");
        let Some(located) = store::exhibit(tx, Key::Exhibit(id)).await? else { return Ok(()) };
        let event = events::alarm(&located.exhibit, kind, track, seq, located.trace, now);
        Ok(outbox::write_in_tx(tx, &self.entropy, now, [event]).await?)
    }
}
