//! The hash chain of a track: each segment's link binds its bytes, its place, its times and all that came before it.
//!
//! Every field has a fixed length or its length before it, and both inputs start with a domain of their own, so no two
//! different facts have the same encoding. `tests/data/chain-vectors.json` pins the bytes.

use chrono::{DateTime, Utc};
use ids::{ExhibitId, TrackName};

use crate::sha256::Digest;

const GENESIS_DOMAIN: &[u8; 32] = b"alcove exhibit chain genesis v1\n";
const LINK_DOMAIN: &[u8; 32] = b"alcove exhibit chain segment v1\n";

/// One segment, as the chain sees it.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The exhibit that it belongs to.
    pub exhibit: ExhibitId,
    /// The track that it belongs to.
    pub track: &'a TrackName,
    /// Its number within the track.
    pub seq: u64,
    /// SHA-256 of the segment as recorded.
    pub plain: Digest,
    /// SHA-256 of what is stored for it: the ciphertext, or the same as `plain` where nothing is encrypted.
    pub stored: Digest,
    /// When its media starts. Microseconds count, nothing finer.
    pub starts_at: DateTime<Utc>,
    /// When its media ends.
    pub ends_at: DateTime<Utc>,
    /// Length of the segment as recorded.
    pub bytes: u64,
}

/// What a track's first segment is linked to: `SHA-256(domain || exhibit || track)`.
#[must_use]
pub fn genesis(exhibit: ExhibitId, track: &TrackName) -> Digest {
    let mut input = GENESIS_DOMAIN.to_vec();
    put_place(&mut input, exhibit, track);
    Digest::of(&input)
}

impl Link<'_> {
    /// The chain head after this segment, given the one before it.
    #[must_use]
    pub fn after(&self, previous: Digest) -> Digest {
        Digest::of(&self.encode(previous))
    }

    /// What is hashed, byte for byte.
    #[must_use]
    pub fn encode(&self, previous: Digest) -> Vec<u8> {
        let mut input = LINK_DOMAIN.to_vec();
        put_place(&mut input, self.exhibit, self.track);
        input.extend(self.seq.to_be_bytes());
        input.extend(self.plain.as_bytes());
        input.extend(self.stored.as_bytes());
        input.extend(self.starts_at.timestamp_micros().to_be_bytes());
        input.extend(self.ends_at.timestamp_micros().to_be_bytes());
        input.extend(self.bytes.to_be_bytes());
        input.extend(previous.as_bytes());
        input
    }
}

/// Exhibit (16 bytes), length of the track's name (one byte: a name has at most 64), the name.
fn put_place(input: &mut Vec<u8>, exhibit: ExhibitId, track: &TrackName) {
    input.extend(exhibit.uuid().as_bytes());
    let name = track.as_str().as_bytes();
    debug_assert!(name.len() <= 64);
    input.push(name.len() as u8);
    input.extend(name);
}
