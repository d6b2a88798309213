//! What every open exhibit holds, and so what may be appended next. Pure; only the journal's thread changes it.

use std::collections::{BTreeMap, HashMap, HashSet};

use exhibit::{Digest, chain};
use ids::{ExhibitId, TrackName};

/// One held segment: what a repeat is compared with and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// The track's chain head after it.
    pub chain: Digest,
}

/// One exhibit's page in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// No segment is let in any more.
    pub fenced: bool,
    /// Sealed: what it held is no longer here.
    pub retired: bool,
    /// Tracks, each segment at its number.
    pub tracks: BTreeMap<TrackName, Vec<Held>>,
    /// Conflicts already kept.
    pub conflicts: HashSet<(TrackName, u64, Digest)>,
}

/// All open exhibits.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    books: HashMap<ExhibitId, Book>,
}

/// What is to be done with a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Write it, linked to this chain head.
    Append {
        /// The track's chain head before it.
        prev: Digest,
    },
    /// It is held: the same answer again.
    Repeat {
        /// The track's chain head after it.
        chain: Digest,
    },
    /// Other bytes are held for its place: keep these too, once.
    Conflict {
        /// The chain head before the place.
        prev: Digest,
        /// How many conflicts about this exhibit were kept before; `None`: these bytes were kept already.
        attempt: Option<u32>,
    },
    /// Not the next of its track.
    OutOfOrder {
        /// The next.
        expected: u64,
    },
    /// The fence is down.
    Fenced,
    /// Sealed: ask the index.
    Retired,
    /// Not in the ledger.
    Unknown,
}

impl Ledger {
    /// Adds an exhibit. One that is here already stays as it is: the ledger is newer than any index.
    pub fn know(&mut self, exhibit: ExhibitId, book: Book) {
        self.books.entry(exhibit).or_insert(book);
    }

    /// Drops what a sealed exhibit held. Its page stays, so that nobody who looked it up earlier can open it again.
    pub fn retire(&mut self, exhibit: ExhibitId) {
        self.books.insert(exhibit, Book { fenced: true, retired: true, ..Book::default() });
    }

    /// Decides about a segment.
    #[must_use]
    pub fn decide(&self, exhibit: ExhibitId, track: &TrackName, seq: u64, sha256: Digest) -> Decision {
        let Some(book) = self.books.get(&exhibit) else { return Decision::Unknown };
        if book.retired {
            return Decision::Retired;
        }
        let held = book.tracks.get(track).map_or(&[][..], Vec::as_slice);
        let at = |seq: u64| usize::try_from(seq).ok().and_then(|seq| held.get(seq));
        let before = || match seq.checked_sub(1) {
            None => chain::genesis(exhibit, track),
            Some(seq) => at(seq).map_or_else(|| chain::genesis(exhibit, track), |held| held.chain),
        };
        match at(seq) {
            Some(held) if held.sha256 == sha256 => Decision::Repeat { chain: held.chain },
            Some(_) => {
                let kept = book.conflicts.contains(&(track.clone(), seq, sha256));
                let attempt = (!kept).then(|| u32::try_from(book.conflicts.len()).map_or(u32::MAX, |n| n + 1));
                Decision::Conflict { prev: before(), attempt }
            }
            None if book.fenced => Decision::Fenced,
            None if seq != held.len() as u64 => Decision::OutOfOrder { expected: held.len() as u64 },
            None => Decision::Append { prev: before() },
        }
    }

    /// Enters a segment that [`Ledger::decide`] wants appended.
    pub fn append(&mut self, exhibit: ExhibitId, track: &TrackName, held: Held) {
        if let Some(book) = self.books.get_mut(&exhibit) {
            book.tracks.entry(track.clone()).or_default().push(held);
        }
    }

    /// Takes the last segment of a track back: its write failed.
    pub fn undo_append(&mut self, exhibit: ExhibitId, track: &TrackName) {
        if let Some(book) = self.books.get_mut(&exhibit) {
            book.tracks.get_mut(track).map(Vec::pop);
            book.tracks.retain(|_, held| !held.is_empty());
        }
    }

    /// Remembers that a conflict was kept.
    pub fn conflict(&mut self, exhibit: ExhibitId, track: &TrackName, seq: u64, sha256: Digest) {
        if let Some(book) = self.books.get_mut(&exhibit) {
            book.conflicts.insert((track.clone(), seq, sha256));
        }
    }

    /// Forgets a conflict whose write failed.
    pub fn undo_conflict(&mut self, exhibit: ExhibitId, track: &TrackName, seq: u64, sha256: Digest) {
        if let Some(book) = self.books.get_mut(&exhibit) {
            book.conflicts.remove(&(track.clone(), seq, sha256));
        }
    }

    /// How many segments each track holds.
    #[must_use]
    pub fn held(&self, exhibit: ExhibitId) -> Option<BTreeMap<TrackName, u64>> {
        let book = self.books.get(&exhibit)?;
        Some(book.tracks.iter().map(|(track, held)| (track.clone(), held.len() as u64)).collect())
    }

    /// Brings the fence down and says where; a second time, the same again.
    pub fn fence(&mut self, exhibit: ExhibitId) -> Option<BTreeMap<TrackName, u64>> {
        self.books.get_mut(&exhibit)?.fenced = true;
        self.held(exhibit)
    }
}
