//! The indexer: takes what the journal wrote into the database, in order, later. While the database is away it waits,
//! holding what came since (a few hundred bytes a segment); the journal doesn't wait for it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chassis::{Clock, Entropy, Shutdown};
use ids::{ExhibitId, TrackName};
use sqlx::PgTransaction;
use tokio::sync::{Notify, mpsc, watch};

use super::opening::Opening;
use crate::{
    error::Error,
    events,
    journal::{core::Entry, record::Kind},
    store::{self, Key, Store},
};

/// Most records taken into one transaction.
const BATCH: usize = 500;
const PAUSE_CAP: Duration = Duration::from_secs(2);

/// The sealing worker, and whether it waits for segments.
#[derive(Clone, Default)]
pub struct Waiting {
    /// Wakes it.
    pub wake: Arc<Notify>,
    /// A segment may be what it waits for.
    pub owed: Arc<AtomicBool>,
}

/// The way into the index. Cheap to clone.
#[derive(Clone)]
pub struct Index {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    waiting: Waiting,
    sender: mpsc::UnboundedSender<Vec<Entry>>,
    queue: Arc<Mutex<Option<mpsc::UnboundedReceiver<Vec<Entry>>>>>,
    /// How far the index is, for who waits for it.
    done: Arc<watch::Sender<Progress>>,
}

/// How far each journal file is indexed.
type Progress = BTreeMap<u64, u64>;

impl Index {
    /// An index that [`Index::run`] has to keep.
    #[must_use]
    pub fn new(store: Store, clock: Clock, entropy: Entropy, waiting: Waiting) -> Self {
        let (sender, queue) = mpsc::unbounded_channel();
        let queue = Arc::new(Mutex::new(Some(queue)));
        Self { store, clock, entropy, waiting, sender, queue, done: Arc::new(watch::Sender::new(Progress::new())) }
    }

    /// Where the journal hands its records over.
    #[must_use]
    pub fn sender(&self) -> mpsc::UnboundedSender<Vec<Entry>> {
        self.sender.clone()
    }

    /// Returns once an exhibit's every durable segment is in the index: the caller says how many that is.
    ///
    /// # Errors
    /// The database is away.
    pub async fn caught_up(&self, id: ExhibitId, marks: &BTreeMap<TrackName, u64>) -> Result<(), Error> {
        let mut progress = self.done.subscribe();
        loop {
            progress.borrow_and_update();
            let mut tx = self.store.begin("caught_up").await?;
            let tracks = store::tracks(&mut tx, id).await?;
            drop(tx);
            let held: BTreeMap<_, _> = tracks.into_iter().map(|t| (t.track, t.segments)).collect();
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
            while let Err(error) = self.take(&batch).await {
                tracing::warn!(error = chassis::chain(&error), waiting = batch.len(), "the index waits");
                if shutdown.or(tokio::time::sleep(pause)).await.is_none() {
                    return;
                }
                pause = (pause * 2).min(PAUSE_CAP);
            }
            batch.clear();
        }
    }

    /// Takes records into the database, with how far that is, in one transaction.
    ///
    /// # Errors
    /// The database is away.
    pub async fn take(&self, entries: &[Entry]) -> Result<(), Error> {
        let mut tx = self.store.begin("index").await?;
        for entry in entries.iter().filter(|entry| entry.header.kind == Kind::Opening) {
            self.opening(&mut tx, entry).await?;
        }
        let (conflicts, unknown) = store::index_entries(&mut tx, entries, self.clock.now()).await?;
        for id in unknown {
            tracing::error!(exhibit = %id, "the journal holds segments of an exhibit that was never opened");
        }
        for entry in entries.iter().filter(|entry| conflicts.contains(&entry.place)) {
            if let Some(track) = &entry.header.track {
                self.alarm(&mut tx, entry.header.exhibit, "SEGMENT_CONFLICT", track, entry.header.seq).await?;
            }
        }
        let through: Progress = entries.iter().map(|entry| (entry.place.file, entry.end())).collect();
        for (file, through) in &through {
            store::set_through(&mut tx, *file, *through).await?;
        }
        store::commit(tx, "index").await?;
        self.done.send_modify(|done| done.extend(through));
        if self.waiting.owed.load(Ordering::Relaxed) {
            self.waiting.wake.notify_one();
        }
        Ok(())
    }

    /// Rebuilds an exhibit's row if it is gone.
    async fn opening(&self, tx: &mut PgTransaction<'_>, entry: &Entry) -> Result<(), Error> {
        let id = entry.header.exhibit;
        let Ok(opening) = serde_json::from_slice::<Opening>(&entry.facts) else {
            tracing::error!(exhibit = %id, "an opening in the journal can't be understood");
            return Ok(());
        };
        let (exhibit, trace) = opening.exhibit(id);
        if store::insert_exhibit(tx, &exhibit, &trace, true).await? {
            tracing::warn!(exhibit = %id, "exhibit rebuilt from the journal");
        }
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
