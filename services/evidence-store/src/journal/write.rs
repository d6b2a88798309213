//! What the journal's thread is given, and what it gives back.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use exhibit::Digest;
use ids::{ExhibitId, TrackName};

use super::{
    Place,
    item::ItemFacts,
    record::{HEADER, Header, Stored},
};

/// Something to be written.
pub enum Write {
    /// An exhibit's opening.
    Opening {
        /// The exhibit.
        exhibit: ExhibitId,
        /// When it was opened.
        at: DateTime<Utc>,
        /// Whose it is, as JSON.
        facts: Bytes,
        /// What for.
        purpose: Purpose,
    },
    /// A segment.
    Segment(NewSegment),
    /// An item, encrypted.
    Item(StoredItem),
    /// How an exhibit came to be sealed. The newest of an exhibit counts.
    Seal {
        /// The exhibit.
        exhibit: ExhibitId,
        /// When.
        at: DateTime<Utc>,
        /// All of it, as JSON.
        facts: Stored,
    },
    /// Other bytes for a place that an exhibit holds of which the ledger has no page any more.
    Late(LateConflict),
    /// What is left of an exhibit that was disposed of.
    Tombstone {
        /// The exhibit.
        exhibit: ExhibitId,
        /// When it was decided.
        at: DateTime<Utc>,
        /// All of it, plain.
        facts: Bytes,
    },
}

impl Write {
    /// How much room it takes, if it is written.
    pub(super) fn most(&self) -> u64 {
        (HEADER + self.bytes().len()) as u64
    }

    /// What is stored behind the header.
    pub(super) fn bytes(&self) -> &Bytes {
        match self {
            Self::Opening { facts, .. } | Self::Tombstone { facts, .. } => facts,
            Self::Segment(segment) => &segment.stored.bytes,
            Self::Late(late) => &late.segment.stored.bytes,
            Self::Item(item) => &item.stored.bytes,
            Self::Seal { facts, .. } => &facts.bytes,
        }
    }
}

/// A segment as it came in, its hash checked, encrypted.
pub struct NewSegment {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// The track.
    pub track: TrackName,
    /// Its number in the track.
    pub seq: u64,
    /// When its media starts.
    pub starts_at: DateTime<Utc>,
    /// When its media ends.
    pub ends_at: DateTime<Utc>,
    /// Its bytes.
    pub stored: Stored,
}

/// What an exhibit is made known for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To hold something: refused early, when the disk grows full.
    Hold,
    /// To be sealed: nothing came for it while it was open.
    Seal,
}

/// Other bytes than those that a sealed exhibit holds. The index knows what the ledger no longer does.
pub struct LateConflict {
    /// As it came in.
    pub segment: NewSegment,
    /// The chain head before its place.
    pub prev: Digest,
    /// 1, 2 ... for each conflict about the exhibit.
    pub attempt: u32,
}

/// An item, its facts and data encrypted together.
pub struct StoredItem {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// Its number, and in its facts its version, are those that the ledger named when it was asked.
    pub seq: u64,
    /// What is known of it.
    pub facts: ItemFacts,
    /// Facts and data.
    pub stored: Stored,
}

/// Why a segment isn't held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The exhibit isn't in the ledger.
    #[error("the exhibit is not open here")]
    Unknown,
    /// The segment isn't the next of its track.
    #[error("segment {expected} of the track comes first")]
    OutOfOrder {
        /// The next.
        expected: u64,
    },
    /// The exhibit is sealed; the index says what it holds.
    #[error("the exhibit is sealed")]
    Retired,
    /// Other bytes are held for its place; these are kept too.
    #[error("other bytes are held for this segment; both are kept")]
    Conflict,
    /// The fence is down.
    #[error("the exhibit takes no more segments")]
    Fenced,
    /// Another item was added since the ledger was asked which number and version come next.
    #[error("another item came first")]
    Stale,
    /// The disk is full.
    #[error("the journal's disk is full")]
    NoSpace,
}

/// A record that is durable: what the index needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies.
    pub place: Place,
    /// What it is.
    pub header: Header,
    /// The payload of an opening; an item's facts, unless it was found at start; empty otherwise.
    pub facts: Bytes,
}

impl Entry {
    /// The offset just behind it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.place.at + self.header.total()
    }
}

/// The answers to a batch, in its order, and what was written.
#[derive(Debug, Default)]
pub struct Done {
    /// The chain head after each segment or item, or why not; for the rest, the zero digest.
    pub answers: Vec<Result<Digest, Refused>>,
    /// What the index has to take in.
    pub entries: Vec<Entry>,
}
