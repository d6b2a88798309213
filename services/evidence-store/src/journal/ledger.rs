//! What every open exhibit holds, and so what may be appended next. Pure; only the journal's thread changes it.

use std::collections::{BTreeMap, HashMap, HashSet};

use exhibit::{Digest, chain};
use ids::{ExhibitId, TrackName};
use uuid::Uuid;

use super::core::Refused;

/// One held segment: what a repeat is compared with and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// The track's chain head after it.
    pub chain: Digest,
}

/// One held item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldItem {
    /// The request that brought it.
    pub id: Uuid,
    /// SHA-256 of its data.
    pub sha256: Digest,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// 1, 2 ... for each kind and name.
    pub version: u64,
    /// The items' chain head after it.
    pub chain: Digest,
}

/// What is to be done with an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemDecision {
    /// Write it: with this number, as this version, linked to this chain head.
    Append {
        /// Its number.
        seq: u64,
        /// Its version.
        version: u64,
        /// The items' chain head before it.
        prev: Digest,
    },
    /// It is held: the same answer again.
    Repeat {
        /// Its number.
        seq: u64,
        /// The held one.
        held: HeldItem,
    },
    /// Not to be written.
    Refuse(Refused),
}

/// One exhibit's page in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// No segment is let in any more.
    pub fenced: bool,
    /// Sealed: what it held is no longer here.
    pub retired: bool,
    /// Tracks, each segment at its number less where the track starts.
    pub tracks: BTreeMap<TrackName, Vec<Held>>,
    /// In an addendum: the tracks that start at their parent's fence mark. All others start at 0.
    pub starts: BTreeMap<TrackName, u64>,
    /// Items, each at its number.
    pub items: Vec<HeldItem>,
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
        let start = book.starts.get(track).copied().unwrap_or(0);
        let next = start + held.len() as u64;
        let at = |seq: u64| usize::try_from(seq.checked_sub(start)?).ok().and_then(|place| held.get(place));
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
            None if seq != next => Decision::OutOfOrder { expected: next },
            None => Decision::Append { prev: before() },
        }
    }

    /// Is anything held of this track, so that what comes next belongs to something begun?
    #[must_use]
    pub fn has_begun(&self, exhibit: ExhibitId, track: &TrackName) -> bool {
        // What isn't known here begins nothing, whatever else it does.
        self.books.get(&exhibit).is_none_or(|book| book.retired || book.tracks.contains_key(track))
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

    /// Decides about an item: its data's hash, its kind and name.
    #[must_use]
    pub fn decide_item(&self, exhibit: ExhibitId, id: Uuid, sha256: Digest, kind: &str, name: &str) -> ItemDecision {
        let Some(book) = self.books.get(&exhibit) else { return ItemDecision::Refuse(Refused::Unknown) };
        if book.retired {
            return ItemDecision::Refuse(Refused::Retired);
        }
        let track = TrackName::items();
        let start = book.starts.get(&track).copied().unwrap_or(0);
        match book.items.iter().zip(start..).find(|(held, _)| held.id == id) {
            Some((held, seq)) if held.sha256 == sha256 => ItemDecision::Repeat { seq, held: held.clone() },
            Some(_) => ItemDecision::Refuse(Refused::Conflict),
            None if book.fenced => ItemDecision::Refuse(Refused::Fenced),
            None => ItemDecision::Append {
                seq: start + book.items.len() as u64,
                version: 1 + book.items.iter().filter(|held| held.kind == kind && held.name == name).count() as u64,
                prev: book.items.last().map_or_else(|| chain::genesis(exhibit, &track), |held| held.chain),
            },
        }
    }

    /// Enters an item that [`Ledger::decide_item`] wants appended.
    pub fn append_item(&mut self, exhibit: ExhibitId, item: HeldItem) {
        if let Some(book) = self.books.get_mut(&exhibit) {
            book.items.push(item);
        }
    }

    /// Takes the last item back: its write failed.
    pub fn undo_item(&mut self, exhibit: ExhibitId) {
        if let Some(book) = self.books.get_mut(&exhibit) {
            book.items.pop();
        }
    }

    /// The number behind the last segment of each track that holds any; `items` counts among them.
    #[must_use]
    pub fn held(&self, exhibit: ExhibitId) -> Option<BTreeMap<TrackName, u64>> {
        let book = self.books.get(&exhibit)?;
        let items = (!book.items.is_empty()).then(|| (TrackName::items(), book.items.len()));
        let tracks = book.tracks.iter().map(|(track, held)| (track.clone(), held.len()));
        let mark = |(track, held): (TrackName, usize)| {
            let start = book.starts.get(&track).copied().unwrap_or(0);
            (track, start + held as u64)
        };
        Some(tracks.chain(items).map(mark).collect())
    }

    /// Brings the fence down and says where, as [`Ledger::held`] does; a second time, the same again.
    pub fn fence(&mut self, exhibit: ExhibitId) -> Option<BTreeMap<TrackName, u64>> {
        self.books.get_mut(&exhibit)?.fenced = true;
        self.held(exhibit)
    }
}
