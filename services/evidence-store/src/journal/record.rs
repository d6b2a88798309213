//! One record's bytes. The header holds the payload's hash and ends with a hash of its own, so every byte is covered
//! and the payload is hashed once, by whoever received it.
//!
//! `synced` says how much of the file was durable when the record was written. With it, recovery can tell a torn tail,
//! which nobody was promised, from damage to something acknowledged: if a good record says that the bad place had been
//! synced before it, this is damage.

use chrono::{DateTime, Utc};
use exhibit::{Digest, Hasher};
use ids::{ExhibitId, TrackName};
use uuid::Uuid;

/// First bytes of every journal file: name and version, padded to 16.
pub const FILE_MAGIC: &[u8; 16] = b"ALCOVE-JOURNAL-1";
/// First bytes of every record.
pub const MAGIC: &[u8; 4] = b"ALCR";
/// Length of a record's header, its own hash included.
pub const HEADER: usize = 224;
/// Largest payload that a record can be read back with.
pub const MAX_PAYLOAD: usize = 4 * 1024 * 1024;

const VERSION: u8 = 1;
const CHECKED: usize = HEADER - 32;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An exhibit was opened; the payload says whose, as JSON.
    Opening = 1,
    /// A segment.
    Segment = 2,
    /// Other bytes sent for a place already taken.
    Conflict = 3,
}

/// All of a record but its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub kind: Kind,
    /// The exhibit it belongs to.
    pub exhibit: ExhibitId,
    /// The track; `None` for an opening.
    pub track: Option<TrackName>,
    /// Its number in the track.
    pub seq: u64,
    /// 0 for a segment; 1, 2 ... for each conflict about its place.
    pub attempt: u32,
    /// Length of the payload.
    pub len: u32,
    /// When its media starts.
    pub starts_at: DateTime<Utc>,
    /// When its media ends.
    pub ends_at: DateTime<Utc>,
    /// How much of this file was durable when the record was written.
    pub synced: u64,
    /// The track's chain head before it.
    pub prev: Digest,
    /// SHA-256 of the payload.
    pub sha256: Digest,
}

impl Header {
    /// Length of header and payload.
    #[must_use]
    pub fn total(&self) -> u64 {
        HEADER as u64 + u64::from(self.len)
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
            stored: self.sha256,
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
        out.extend((name.len() as u16).to_be_bytes());
        out.extend(self.exhibit.uuid().as_bytes());
        out.extend(self.seq.to_be_bytes());
        out.extend(self.attempt.to_be_bytes());
        out.extend(self.len.to_be_bytes());
        out.extend(self.starts_at.timestamp_micros().to_be_bytes());
        out.extend(self.ends_at.timestamp_micros().to_be_bytes());
        out.extend(self.synced.to_be_bytes());
        out.extend(self.prev.as_bytes());
        out.extend(self.sha256.as_bytes());
        out.extend(name);
        out.resize(start + CHECKED, 0);
        let check = Digest::of(&out[start..]);
        out.extend(check.as_bytes());
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
            _ => return None,
        };
        let name_len = usize::from(u16::from_be_bytes(rest.take()?));
        let exhibit = ExhibitId::from(Uuid::from_bytes(rest.take()?));
        let seq = u64::from_be_bytes(rest.take()?);
        let attempt = u32::from_be_bytes(rest.take()?);
        let len = u32::from_be_bytes(rest.take()?);
        let starts_at = DateTime::from_timestamp_micros(i64::from_be_bytes(rest.take()?))?;
        let ends_at = DateTime::from_timestamp_micros(i64::from_be_bytes(rest.take()?))?;
        let synced = u64::from_be_bytes(rest.take()?);
        let prev = Digest::from(rest.take::<32>()?);
        let sha256 = Digest::from(rest.take::<32>()?);
        let name = std::str::from_utf8(rest.0.get(..name_len)?).ok()?;
        let track = match kind {
            Kind::Opening => None,
            Kind::Segment | Kind::Conflict => Some(name.parse().ok()?),
        };
        if len as usize > MAX_PAYLOAD {
            return None;
        }
        Some(Self { kind, exhibit, track, seq, attempt, len, starts_at, ends_at, synced, prev, sha256 })
    }

    /// Whether this payload is the record's.
    #[must_use]
    pub fn covers(&self, payload: &[u8]) -> bool {
        let mut hasher = Hasher::new();
        hasher.update(payload);
        payload.len() == self.len as usize && hasher.finish() == self.sha256
    }
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
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn header() -> Header {
        Header {
            kind: Kind::Segment,
            exhibit: Uuid::from_u128(7).into(),
            track: Some("a".repeat(64).parse().unwrap()),
            seq: 3,
            attempt: 0,
            len: 5,
            starts_at: DateTime::from_timestamp_micros(1_800_000_000_000_001).unwrap(),
            ends_at: DateTime::from_timestamp_micros(1_800_000_001_000_001).unwrap(),
            synced: 16,
            prev: Digest::of(b"before"),
            sha256: Digest::of(b"hello"),
        }
    }

    #[test]
    fn reads_what_it_wrote_and_notices_every_bit() {
        let mut bytes = Vec::new();
        header().encode(&mut bytes);
        let mut bytes: [u8; HEADER] = bytes.try_into().unwrap();
        assert_eq!(Header::decode(&bytes), Some(header()));
        for bit in 0..HEADER * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bytes), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(header().covers(b"hello") && !header().covers(b"hellO") && !header().covers(b"hell"));
    }
}
