//! Reading back as it comes in: every segment is read from the disk again once it is indexed, decrypted, rehashed, its
//! place and link checked, and each track's whole-file hash grows with it. So at the fence only the last second is left to
//! read, however long the call was, and damage is noticed while the call is on. After a restart it begins anew.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chassis::Shutdown;
use exhibit::Digest;
use ids::{ExhibitId, TrackName};
use tokio::sync::Notify;

use super::{Index, readback::TrackSoFar};
use crate::{
    error::Error,
    journal::{committer::Closed, core::Entry, record::Kind},
    store::{self, SegmentRow, Store},
};
use outbox::Scope;

/// What couldn't be read back because something was away is tried again after this.
const PAUSE: Duration = Duration::from_secs(2);

/// How far each open exhibit is read back. Cheap to clone.
#[derive(Clone)]
pub struct Reread {
    store: Store,
    index: Index,
    shared: Arc<Mutex<Shared>>,
    /// Somebody is behind who wasn't.
    wake: Arc<Notify>,
}

#[derive(Default)]
struct Shared {
    exhibits: HashMap<ExhibitId, SoFar>,
    /// To be read from the index's rows: not all of what came in was seen.
    behind: HashSet<ExhibitId>,
}

/// One exhibit's tracks, as far as they are read back.
pub type SoFar = Arc<Mutex<BTreeMap<TrackName, TrackSoFar>>>;

impl Reread {
    /// Of what this index takes in.
    #[must_use]
    pub fn new(store: Store, index: Index) -> Self {
        Self { store, index, shared: Arc::default(), wake: Arc::default() }
    }

    /// An exhibit's tracks, for who describes them.
    pub(super) fn of(&self, exhibit: ExhibitId) -> SoFar {
        self.shared().exhibits.entry(exhibit).or_default().clone()
    }

    /// Has an exhibit that was open before this process read back from its first segment, in the background.
    pub(super) fn begin_again(&self, exhibit: ExhibitId) {
        self.look_again(exhibit);
        self.wake.notify_one();
    }

    /// The same, with the next look.
    fn look_again(&self, exhibit: ExhibitId) {
        self.shared().behind.insert(exhibit);
    }

    /// Forgets an exhibit: it is sealed.
    pub(super) fn forget(&self, exhibit: ExhibitId) {
        let mut shared = self.shared();
        shared.exhibits.remove(&exhibit);
        shared.behind.remove(&exhibit);
    }

    /// The number behind the last segment of each track that was read back, as far as this process knows.
    #[must_use]
    pub fn through(&self, exhibit: ExhibitId) -> BTreeMap<TrackName, u64> {
        let so_far = self.of(exhibit);
        let so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
        so_far.iter().map(|(track, so_far)| (track.clone(), so_far.next())).collect()
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads back until the shutdown.
    pub async fn run(self, shutdown: Shutdown) {
        let queue = self.index.to_reread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut queue) = queue else { return };
        loop {
            let waits = !self.shared().behind.is_empty();
            let mut entries = Vec::new();
            tokio::select! {
                more = queue.recv() => match more {
                    Some(more) => entries.extend(more),
                    None => return,
                },
                () = tokio::time::sleep(PAUSE), if waits => {}
                // Not at once: whoever is behind has just been taken up, and has more urgent things to do.
                () = self.wake.notified() => continue,
                () = shutdown.requested() => return,
            }
            while let Ok(more) = queue.try_recv() {
                entries.extend(more);
            }
            let mut segments: HashMap<ExhibitId, BTreeMap<TrackName, Rows>> = HashMap::new();
            for entry in entries.into_iter().filter(|entry| entry.header.kind == Kind::Segment) {
                if let Some((track, row)) = row(&entry) {
                    let tracks = segments.entry(entry.header.exhibit).or_default();
                    let new = || Rows { before: Some(entry.header.prev), rows: Vec::new() };
                    tracks.entry(track).or_insert_with(new).rows.push(row);
                }
            }
            let behind = self.shared().behind.clone();
            for (exhibit, tracks) in segments {
                if !behind.contains(&exhibit) {
                    self.look(exhibit, tracks).await;
                }
            }
            for exhibit in behind {
                if shutdown.or(self.catch_up(exhibit)).await.is_none() {
                    return;
                }
            }
        }
    }

    /// Reads everything that the index has of an exhibit and that isn't read yet.
    async fn catch_up(&self, exhibit: ExhibitId) {
        self.shared().behind.remove(&exhibit);
        let rows = async {
            let mut tx = self.store.begin("reread", Scope::All).await?;
            Ok::<_, Error>(store::segments(&mut tx, exhibit).await?)
        };
        match rows.await {
            Ok(tracks) => {
                let whole = |(track, rows)| (track, Rows { before: None, rows });
                self.look(exhibit, tracks.into_iter().map(whole).collect()).await;
            }
            Err(error) => {
                tracing::debug!(%exhibit, error = chassis::chain(&error), "reading back waits");
                self.look_again(exhibit);
            }
        }
    }

    /// Reads these, and raises the alarm if they aren't what was acknowledged.
    async fn look(&self, exhibit: ExhibitId, tracks: BTreeMap<TrackName, Rows>) {
        let error = match self.read(exhibit, tracks).await {
            Ok(true) => return,
            Ok(false) => return self.look_again(exhibit),
            Err(error) => error,
        };
        match &error {
            Error::Damaged { track, seq, .. } => {
                let raised = async {
                    let mut tx = self.store.begin("alarm", Scope::All).await?;
                    self.index.alarm(&mut tx, exhibit, "JOURNAL_CORRUPT", track, *seq).await?;
                    Ok::<_, Error>(store::commit(tx, "alarm").await?)
                };
                if raised.await.is_err() {
                    self.look_again(exhibit);
                }
            }
            _ => {
                tracing::debug!(%exhibit, error = chassis::chain(&error), "reading back waits");
                self.look_again(exhibit);
            }
        }
    }

    /// False: something came in between that wasn't seen here.
    async fn read(&self, exhibit: ExhibitId, tracks: BTreeMap<TrackName, Rows>) -> Result<bool, Error> {
        let key = self.index.ways.keys.load(exhibit).await?;
        let (reader, so_far) = (self.index.ways.reader.clone(), self.of(exhibit));
        let reading = move || {
            let mut so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
            for (track, Rows { before, rows }) in tracks {
                let Some(first) = rows.first().map(|row| row.seq) else { continue };
                let new = TrackSoFar::new(exhibit, track.clone(), first);
                if before.is_some_and(|before| !so_far.get(&track).unwrap_or(&new).reaches(first, before)) {
                    return Ok(false);
                }
                so_far.entry(track).or_insert(new).advance(&reader, &key, &rows)?;
            }
            Ok(true)
        };
        tokio::task::spawn_blocking(reading).await.map_err(|_| Closed)?
    }
}

/// Neighbouring segments of a track.
struct Rows {
    /// As they came in: the chain head before the first. `None`: all that the index has.
    before: Option<Digest>,
    rows: Vec<SegmentRow>,
}

/// What the index's row of a segment says.
fn row(entry: &Entry) -> Option<(TrackName, SegmentRow)> {
    let Entry { place, header, .. } = entry;
    let row = SegmentRow {
        seq: header.seq,
        place: *place,
        len: header.len,
        sha256: header.sha256,
        stored_sha256: header.stored_sha256,
        starts_at: header.starts_at,
        ends_at: header.ends_at,
        chain: header.chain()?,
    };
    Some((header.track.clone()?, row))
}
