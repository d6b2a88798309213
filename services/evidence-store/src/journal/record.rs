//! One record's bytes: a header that ends with a hash of its own, and what is stored behind it. The header holds the
//! hash of that, so every byte is covered without a key, and of the plain bytes, so they are hashed once, by whoever
//! received them. What is encrypted is tied to its place by its associated data, so it can't be moved.
//!
//! `synced` says how much of the file was durable when the record was written. With it, recovery can tell a torn tail,
//! which nobody was promised, from damage to something acknowledged: if a good record says that the bad place had been
//! synced before it, this is damage.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use exhibit::{Digest, Hasher};
use ids::{ExhibitId, TrackName};
use uuid::Uuid;

use crate::keys::{DataKey, NONCE, TAG};

/// First bytes of every journal file: name and version, padded to 16.
pub const FILE_MAGIC: &[u8; 16] = b"ALCOVE-JOURNAL-2";
/// First bytes of every record.
pub const MAGIC: &[u8; 4] = b"ALCR";
/// Length of a record's header, its own hash included.
pub const HEADER: usize = 288;
/// Largest segment, in bytes.
pub const MAX_SEGMENT: usize = 4 * 1024 * 1024;
/// Largest payload that a record can be read back with: the seal of a day-long call, whose manifest names each second.
pub const MAX_PAYLOAD: usize = 256 * 1024 * 1024;

const VERSION: u8 = 2;
const CHECKED: usize = HEADER - 32;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An exhibit was opened; the payload says whose, as JSON, and isn't encrypted: it holds no more than the incident's
    /// number.
    Opening = 1,
    /// A segment.
    Segment = 2,
    /// Other bytes sent for a place already taken.
    Conflict = 3,
    /// Something beside the media.
    Item = 4,
    /// How an exhibit came to be sealed, and what is in its package beside the tracks and items.
    Seal = 5,
    /// What is left of an exhibit that was disposed of. Not encrypted: it has to outlive the exhibit's key.
    Tombstone = 6,
}

/// What the associated data of a record ties its bytes to. Its encoding is fixed, field by field.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// What it is. A conflict is encrypted as the segment that it was sent as.
    pub kind: Kind,
    /// The exhibit it belongs to.
    pub exhibit: ExhibitId,
    /// Its track; none for a seal.
    pub track: Option<&'a TrackName>,
    /// Its number in the track; 0 for an item, whose number only the ledger knows.
    pub seq: u64,
    /// The item; nil for anything else.
    pub item: Uuid,
    /// When its media starts.
    pub starts_at: DateTime<Utc>,
    /// When its media ends.
    pub ends_at: DateTime<Utc>,
}

impl Identity<'_> {
    /// `magic || version || kind || exhibit (16) || name's length (1) || name || seq (8) || item (16) || length (4) ||
    /// starts_at (8) || ends_at (8) || SHA-256 of the plain bytes (32)`, integers big-endian, times in microseconds.
    #[must_use]
    pub fn associated_data(&self, len: u32, sha256: Digest) -> Vec<u8> {
        let name = self.track.map_or("", TrackName::as_str).as_bytes();
        let mut out = Vec::with_capacity(160);
        out.extend(MAGIC);
        out.push(VERSION);
        out.push(if self.kind == Kind::Conflict { Kind::Segment } else { self.kind } as u8);
        out.extend(self.exhibit.uuid().as_bytes());
        // A name has at most 64.
        out.push(name.len() as u8);
        out.extend(name);
        out.extend(if self.kind == Kind::Item { 0 } else { self.seq }.to_be_bytes());
        out.extend(self.item.as_bytes());
        out.extend(len.to_be_bytes());
        out.extend(self.starts_at.timestamp_micros().to_be_bytes());
        out.extend(self.ends_at.timestamp_micros().to_be_bytes());
        out.extend(sha256.as_bytes());
        out
    }
}

/// Bytes as they lie in the journal, with what the header says of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Random, new for every attempt; `None`: not encrypted.
    pub nonce: Option<[u8; NONCE]>,
    /// Length of the plain bytes.
    pub len: u32,
    /// SHA-256 of the plain bytes.
    pub sha256: Digest,
    /// SHA-256 of `bytes`.
    pub stored_sha256: Digest,
    /// Ciphertext and tag, or the plain bytes.
    pub bytes: Bytes,
}

impl Stored {
    /// Not encrypted.
    #[must_use]
    pub fn plain(bytes: Bytes) -> Self {
        let sha256 = Digest::of(&bytes);
        Self { nonce: None, len: bytes.len() as u32, sha256, stored_sha256: sha256, bytes }
    }

    /// Encrypts, tied to its place. `sha256` is that of `plain`: whoever received it has it already.
    ///
    /// # Errors
    /// It is too long for the cipher.
    pub fn encrypt(
        key: &DataKey,
        nonce: [u8; NONCE],
        identity: &Identity<'_>,
        plain: &[u8],
        sha256: Digest,
    ) -> Result<Self, crate::keys::Error> {
        let len = plain.len() as u32;
        let bytes = key.seal(nonce, &identity.associated_data(len, sha256), plain)?;
        Ok(Self { nonce: Some(nonce), len, sha256, stored_sha256: Digest::of(&bytes), bytes: bytes.into() })
    }
}

/// All of a record but what is stored behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub kind: Kind,
    /// The exhibit it belongs to.
    pub exhibit: ExhibitId,
    /// The track; `None` for an opening, a seal and a tombstone.
    pub track: Option<TrackName>,
    /// Its number in the track.
    pub seq: u64,
    /// The item's id; nil for anything else.
    pub item: Uuid,
    /// 0 for a segment; 1, 2 ... for each conflict about its place.
    pub attempt: u32,
    /// Length of the plain payload.
    pub len: u32,
    /// When its media starts.
    pub starts_at: DateTime<Utc>,
    /// When its media ends.
    pub ends_at: DateTime<Utc>,
    /// How much of this file was durable when the record was written.
    pub synced: u64,
    /// The track's chain head before it.
    pub prev: Digest,
    /// SHA-256 of the plain payload.
    pub sha256: Digest,
    /// SHA-256 of what is stored.
    pub stored_sha256: Digest,
    /// What it is encrypted with, besides the exhibit's key; `None`: it isn't.
    pub nonce: Option<[u8; NONCE]>,
}

impl Header {
    /// Length of what is stored behind it.
    #[must_use]
    pub fn stored_len(&self) -> usize {
        self.len as usize + if self.nonce.is_some() { TAG } else { 0 }
    }

    /// Length of header and what is stored.
    #[must_use]
    pub fn total(&self) -> u64 {
        (HEADER + self.stored_len()) as u64
    }

    /// The chain head after it.
    #[must_use]
    pub fn chain(&self) -> Option<Digest> {
        let track = self.track.as_ref()?;
        let link = exhibit::chain::Link {
            exhibit: self.exhibit,
            track,
            seq: self.seq,
            plain: self.sha256,
            stored: self.stored_sha256,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            bytes: self.len.into(),
        };
        Some(link.after(self.prev))
    }

    /// Appends the header's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let name = self.track.as_ref().map_or("", TrackName::as_str).as_bytes();
        out.extend(MAGIC);
        out.push(VERSION);
        out.push(self.kind as u8);
        out.push(name.len() as u8);
        out.push(self.nonce.is_some().into());
        out.extend(self.exhibit.uuid().as_bytes());
        out.extend(self.seq.to_be_bytes());
        out.extend(self.attempt.to_be_bytes());
        out.extend(self.len.to_be_bytes());
        out.extend(self.starts_at.timestamp_micros().to_be_bytes());
        out.extend(self.ends_at.timestamp_micros().to_be_bytes());
        out.extend(self.synced.to_be_bytes());
        out.extend(self.prev.as_bytes());
        out.extend(self.sha256.as_bytes());
        out.extend(self.stored_sha256.as_bytes());
        out.extend(self.nonce.unwrap_or_default());
        out.extend(self.item.as_bytes());
        out.extend(name);
        out.resize(start + CHECKED, 0);
        let check = Digest::of(&out[start..]);
        out.extend(check.as_bytes());
    }

    /// The hash that its bytes end with.
    #[must_use]
    pub fn check(&self) -> Digest {
        let mut bytes = Vec::with_capacity(HEADER);
        self.encode(&mut bytes);
        bytes.last_chunk::<32>().map_or_else(|| Digest::from([0; 32]), |check| Digest::from(*check))
    }

    /// Reads a header; `None` if these bytes aren't one, whole and unaltered.
    #[must_use]
    pub fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        let (checked, check) = bytes.split_at(CHECKED);
        if !checked.starts_with(MAGIC) || checked[4] != VERSION || Digest::of(checked).as_bytes() != check {
            return None;
        }
        let mut rest = Fields(&checked[5..]);
        let kind = match rest.take::<1>()? {
            [1] => Kind::Opening,
            [2] => Kind::Segment,
            [3] => Kind::Conflict,
            [4] => Kind::Item,
            [5] => Kind::Seal,
            [6] => Kind::Tombstone,
            _ => return None,
        };
        let [name_len, encrypted] = rest.take()?;
        let exhibit = ExhibitId::from(Uuid::from_bytes(rest.take()?));
        let seq = u64::from_be_bytes(rest.take()?);
        let attempt = u32::from_be_bytes(rest.take()?);
        let len = u32::from_be_bytes(rest.take()?);
        let starts_at = DateTime::from_timestamp_micros(i64::from_be_bytes(rest.take()?))?;
        let ends_at = DateTime::from_timestamp_micros(i64::from_be_bytes(rest.take()?))?;
        let synced = u64::from_be_bytes(rest.take()?);
        let prev = Digest::from(rest.take::<32>()?);
        let sha256 = Digest::from(rest.take::<32>()?);
        let stored_sha256 = Digest::from(rest.take::<32>()?);
        let nonce = Some(rest.take()?).filter(|_| encrypted == 1);
        let item = Uuid::from_bytes(rest.take()?);
        let name = std::str::from_utf8(rest.0.get(..usize::from(name_len))?).ok()?;
        let track = match kind {
            Kind::Opening | Kind::Seal | Kind::Tombstone => None,
            Kind::Segment | Kind::Conflict | Kind::Item => Some(name.parse().ok()?),
        };
        if len as usize > MAX_PAYLOAD {
            return None;
        }
        let header = Self {
            kind,
            exhibit,
            track,
            seq,
            item,
            attempt,
            len,
            starts_at,
            ends_at,
            synced,
            prev,
            sha256,
            stored_sha256,
            nonce,
        };
        // One spelling: what would never have been written is no header, whoever hashed it.
        let mut again = Vec::with_capacity(HEADER);
        header.encode(&mut again);
        (again == bytes).then_some(header)
    }

    /// Whether this is what was stored behind it. Needs no key.
    #[must_use]
    pub fn covers(&self, stored: &[u8]) -> bool {
        stored.len() == self.stored_len() && hash(stored) == self.stored_sha256
    }

    /// The plain payload, decrypted and hashed again.
    ///
    /// # Errors
    /// Says what is wrong: these bytes, this key or this place.
    pub fn open(&self, key: &DataKey, stored: &[u8]) -> Result<Vec<u8>, &'static str> {
        let plain = match self.nonce {
            None => stored.to_vec(),
            Some(nonce) => {
                let identity = Identity {
                    kind: self.kind,
                    exhibit: self.exhibit,
                    track: self.track.as_ref(),
                    seq: self.seq,
                    item: self.item,
                    starts_at: self.starts_at,
                    ends_at: self.ends_at,
                };
                let data = identity.associated_data(self.len, self.sha256);
                key.open(nonce, &data, stored).map_err(|_| "it can't be decrypted")?
            }
        };
        if plain.len() != self.len as usize || hash(&plain) != self.sha256 {
            return Err("its plain bytes are not those that were received");
        }
        Ok(plain)
    }
}

fn hash(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finish()
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
