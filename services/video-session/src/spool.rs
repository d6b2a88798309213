//! Segments on this instance's own disk, from the moment they are recorded until they are in object storage.
//!
//! One folder a session: `session.json` says whose it is, `<track>.film` has the segments of a track, `ledger.jsonl` and the like
//! what was noted beside them. Nothing else is needed to send what a crash left behind, so neither Postgres nor evidence-store has
//! to be there for a call to be recorded. What is acknowledged stays until the session is retired: so an evidence-store
//! that lost its disk gets it again. How far it was acknowledged is known from the receipts; without them all of it is
//! sent again after a restart, and only gets the same acks.

mod documents;
mod file;
mod film;
mod lines;
mod owner;
mod receipts;
mod send;
mod upload;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use exhibit::receipt::{PublicKey, Receipt};
use ids::{CallId, ForceId, SessionId, TrackName};
use tokio::sync::watch;

use self::film::Film;

pub use documents::Document;
pub use file::Piece;
pub use lines::Lines;
pub use owner::Owner;
pub use upload::Uploader;

const META: &str = "session.json";
/// How the names of files with segments end.
const FILM: &str = "film";

/// The spool. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Spool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    receipts: receipts::Receipts,
    index: Mutex<HashMap<SessionId, Folder>>,
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Folder {
    owner: Owner,
    tracks: BTreeMap<TrackName, Track>,
    documents: BTreeSet<Document>,
    documents_failed: bool,
    /// Held by whoever appends lines: who is refused takes back its own, and nobody else's.
    noting: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct Track {
    film: Arc<Film>,
    span: Span,
    /// Since when those wait that aren't acknowledged; what an earlier process left, since this one began.
    waits: VecDeque<(u64, Instant)>,
}

/// What there is of a track: `unacked..next` is still owed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    /// The lowest on disk.
    oldest: u64,
    /// The lowest that evidence-store hasn't acknowledged.
    unacked: u64,
    /// One more than the highest.
    next: u64,
}

/// One place in the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The track.
    pub track: TrackName,
    /// The segment's number within it.
    pub seq: u64,
}

impl Spool {
    /// Opens the folder and takes stock of what an earlier process left there. Receipts are kept in a folder of their own,
    /// for good, and verified if the key is known.
    ///
    /// # Errors
    /// When the disk refuses. A folder that makes no sense is logged and left for a person.
    pub fn open(dir: &Path, receipts: &Path, key: Option<PublicKey>) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let receipts = receipts::Receipts::open(receipts, key)?;
        let mut index = HashMap::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            match survey(&path) {
                Ok(mut folder) => {
                    for (track, seq) in receipts.acknowledged(folder.owner.session)? {
                        if let Some(Track { film, span, .. }) = folder.tracks.get_mut(&track) {
                            span.unacked = seq.min(span.next - 1).max(span.oldest);
                            film.put_away(span.unacked);
                        }
                    }
                    index.insert(folder.owner.session, folder);
                }
                Err(error) => {
                    tracing::error!(path = %path.display(), %error, "spool folder not understood, left alone")
                }
            }
        }
        let inner = Inner { dir: dir.to_owned(), receipts, index: Mutex::new(index), changes: watch::Sender::new(0) };
        Ok(Self(Arc::new(inner)))
    }

    /// Makes the session's folder, so that its segments can be kept. If the part in it is over, the next one begins. Blocks on
    /// the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn prepare(&self, owner: &Owner) -> io::Result<()> {
        let owner = match self.owner(owner.session) {
            Some(known) if !self.is_over(&known) && known.officer == owner.officer => return Ok(()),
            // Another officer has the call by now: theirs to command should the database be away.
            Some(known) if !self.is_over(&known) => &Owner { officer: owner.officer.clone(), ..known },
            _ => owner,
        };
        let folder = self.folder(owner.session);
        fs::create_dir_all(&folder)?;
        file::write_whole(&folder.join(META), &[&serde_json::to_vec(owner)?])?;
        file::sync_dir(&self.0.dir)?;
        self.index().entry(owner.session).or_insert_with(|| Folder::of(owner.clone())).owner = owner.clone();
        self.tell();
        Ok(())
    }

    /// Keeps a segment: it is on stable storage when this returns. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses, or the session was never prepared.
    pub fn keep(&self, session: SessionId, place: &Place, piece: &Piece) -> io::Result<()> {
        let film = match self.film(session, &place.track) {
            Some(film) => film,
            None => self.begin(session, place)?,
        };
        film.append(place.seq, piece)?;
        if let Some(Track { span, waits, .. }) =
            self.index().get_mut(&session).and_then(|folder| folder.tracks.get_mut(&place.track))
        {
            span.next = span.next.max(place.seq + 1);
            waits.push_back((place.seq, Instant::now()));
        }
        self.tell();
        Ok(())
    }

    fn begin(&self, session: SessionId, first: &Place) -> io::Result<Arc<Film>> {
        let folder = self.folder(session);
        let film = Arc::new(Film::create(folder.join(format!("{}.{FILM}", first.track)))?);
        file::sync_dir(&folder)?;
        if let Some(folder) = self.index().get_mut(&session) {
            let span = Span { oldest: first.seq, unacked: first.seq, next: first.seq };
            folder.tracks.insert(first.track.clone(), Track { film: Arc::clone(&film), span, waits: VecDeque::new() });
        }
        Ok(film)
    }

    /// Reads a segment back, and makes sure that it is what was kept. Blocks on the disk.
    ///
    /// # Errors
    /// When it isn't there, or isn't whole.
    pub fn load(&self, session: SessionId, place: &Place) -> io::Result<Piece> {
        self.film(session, &place.track).ok_or(io::ErrorKind::NotFound)?.load(place.seq)
    }

    /// What a segment was hashed to. Blocks on the disk.
    ///
    /// # Errors
    /// When it isn't there, or isn't whole.
    pub fn sha256(&self, session: SessionId, place: &Place) -> io::Result<[u8; 32]> {
        self.film(session, &place.track).ok_or(io::ErrorKind::NotFound)?.sha256(place.seq)
    }

    /// evidence-store has everything of the track up to and including this one. It stays.
    pub fn acknowledge(&self, session: SessionId, place: &Place) {
        if let Some(Track { film, span, waits }) =
            self.index().get_mut(&session).and_then(|folder| folder.tracks.get_mut(&place.track))
            && (span.unacked..span.next).contains(&place.seq)
        {
            span.unacked = place.seq + 1;
            film.put_away(span.unacked);
            while waits.pop_front_if(|(seq, _)| *seq < span.unacked).is_some() {}
        }
        self.tell();
    }

    /// Keeps what proves an acknowledgement. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_receipt(&self, session: SessionId, receipt: &Receipt) -> io::Result<()> {
        self.0.receipts.keep(session, receipt)
    }

    /// Makes a session's receipts durable. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn settle_receipts(&self, session: SessionId) -> io::Result<()> {
        self.0.receipts.settle(session)
    }

    /// Everything was acknowledged, but is it still held? The newest segment of each track is owed again, to be asked.
    pub fn doubt(&self, session: SessionId) {
        if let Some(folder) = self.index().get_mut(&session) {
            for Track { span, .. } in folder.tracks.values_mut() {
                span.unacked = span.unacked.min(span.next.saturating_sub(1)).max(span.oldest);
            }
        }
        self.tell();
    }

    /// evidence-store wants this one next, whatever it acknowledged before: it is sent again from here. False if it
    /// isn't here, or isn't recorded yet.
    #[must_use]
    pub fn rewind(&self, session: SessionId, place: &Place) -> bool {
        if let Some(before) = place.seq.checked_sub(1) {
            self.acknowledge(session, &Place { track: place.track.clone(), seq: before });
        }
        let mut index = self.index();
        let Some(Track { span, .. }) = index.get_mut(&session).and_then(|folder| folder.tracks.get_mut(&place.track))
        else {
            return false;
        };
        let there = (span.oldest..=span.next).contains(&place.seq);
        if there {
            span.unacked = place.seq;
        }
        there
    }

    /// Forgets a session: nobody needs our copy of its segments any more. Its receipts stay. Blocks on the disk.
    pub fn retire(&self, session: SessionId) {
        if let Err(error) = self.settle_receipts(session) {
            tracing::error!(session_id = %session, %error, "receipts not durable, the segments stay");
            return;
        }
        self.index().remove(&session);
        if let Err(error) = fs::remove_dir_all(self.folder(session)) {
            tracing::warn!(session_id = %session, %error, "spool folder not removed");
        }
        self.tell();
    }

    /// Every session that has a folder.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionId> {
        self.index().keys().copied().collect()
    }

    /// Whose folder it is.
    #[must_use]
    pub fn owner(&self, session: SessionId) -> Option<Owner> {
        self.index().get(&session).map(|folder| folder.owner.clone())
    }

    /// Whose folder is a call's.
    #[must_use]
    pub fn of_call(&self, force: &ForceId, call: CallId) -> Option<Owner> {
        let index = self.index();
        let mut owners = index.values().map(|folder| &folder.owner);
        owners.find(|owner| owner.call == call && owner.force == *force).cloned()
    }

    /// How many segments of each track were recorded.
    #[must_use]
    pub fn recorded(&self, session: SessionId) -> Vec<(TrackName, u64)> {
        let index = self.index();
        let tracks = index.get(&session).map(|folder| folder.tracks.iter()).into_iter().flatten();
        tracks.map(|(track, Track { span, .. })| (track.clone(), span.next)).collect()
    }

    /// How many segments evidence-store hasn't acknowledged.
    #[must_use]
    pub fn owed(&self, session: SessionId) -> u64 {
        self.owed_beside(session, &HashSet::new())
    }

    /// How many, leaving some tracks aside.
    #[must_use]
    pub fn owed_beside(&self, session: SessionId, tracks: &HashSet<TrackName>) -> u64 {
        let index = self.index();
        let spans = index.get(&session).map(|folder| folder.tracks.iter()).into_iter().flatten();
        spans
            .filter(|(track, _)| !tracks.contains(*track))
            .map(|(_, Track { span, .. })| span.next - span.unacked)
            .sum()
    }

    /// How many segments evidence-store hasn't acknowledged, and how long the oldest has waited.
    #[must_use]
    pub fn waiting(&self) -> (u64, Duration) {
        let index = self.index();
        let owed = index.values().flat_map(|folder| folder.tracks.values()).filter(|t| t.span.unacked < t.span.next);
        owed.fold((0, Duration::ZERO), |(segments, longest), Track { span, waits, .. }| {
            let age = waits.front().map_or(Duration::ZERO, |(_, since)| since.elapsed());
            (segments + span.next - span.unacked, longest.max(age))
        })
    }

    /// What to send next, given where each track has been sent up to: the track that is furthest behind.
    #[must_use]
    pub fn next_to_send(&self, session: SessionId, sent: &BTreeMap<TrackName, u64>) -> Option<Place> {
        let index = self.index();
        let tracks = index.get(&session)?.tracks.iter();
        tracks
            .map(|(track, Track { span, .. })| {
                (sent.get(track).copied().unwrap_or(0).max(span.unacked), span.next, track)
            })
            .filter(|(seq, next, _)| seq < next)
            .min_by_key(|(seq, ..)| *seq)
            .map(|(seq, _, track)| Place { track: track.clone(), seq })
    }

    /// Wakes at every change: something to send, something acknowledged, a session come or gone.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn tell(&self) {
        self.0.changes.send_modify(|version| *version = version.wrapping_add(1));
    }

    fn index(&self) -> MutexGuard<'_, HashMap<SessionId, Folder>> {
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self, session: SessionId) -> PathBuf {
        self.0.dir.join(session.to_string())
    }

    fn film(&self, session: SessionId, track: &TrackName) -> Option<Arc<Film>> {
        self.index().get(&session)?.tracks.get(track).map(|track| Arc::clone(&track.film))
    }
}

impl Folder {
    fn of(owner: Owner) -> Self {
        Self {
            owner,
            tracks: BTreeMap::new(),
            documents: BTreeSet::new(),
            documents_failed: false,
            noting: Arc::default(),
        }
    }
}

fn survey(path: &Path) -> io::Result<Folder> {
    let owner: Owner = serde_json::from_slice(&fs::read(path.join(META))?)?;
    let mut tracks = BTreeMap::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if path.extension().is_none_or(|kind| kind != FILM) {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().parse().map_err(io::Error::other)?;
        if let Some((film, (oldest, newest))) = Film::open(path)? {
            let span = Span { oldest, unacked: oldest, next: newest + 1 };
            tracks
                .insert(name, Track { film: Arc::new(film), span, waits: VecDeque::from([(newest, Instant::now())]) });
        }
    }
    Ok(Folder { tracks, documents: documents::survey(path)?, ..Folder::of(owner) })
}

#[cfg(test)]
mod tests;
