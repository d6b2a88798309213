//! A track's segments, a line each, in a file beside the recording. The manifest has only its digest: a call of two hours has
//! 14,400 segments, and a list that is written and hashed while the call goes on leaves the same little to do at the end of every call.

use chrono::{DateTime, Utc};
use ids::{ExhibitId, TrackName};
use serde::{Deserialize, Serialize};

use super::{Error, text};
use crate::{
    chain, jcs,
    sha256::{Digest, Hasher},
};

/// One segment of a track: about a second of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Its number: rising; a number left out is in the manifest's `missing`.
    #[serde(with = "text::integer")]
    pub seq: u64,
    /// Where it starts in the file.
    #[serde(with = "text::integer")]
    pub offset: u64,
    /// How long it is.
    #[serde(with = "text::integer")]
    pub bytes: u64,
    /// SHA-256 of these bytes.
    pub sha256: Digest,
    /// SHA-256 of what is stored for them: the ciphertext, or the same as `sha256` where nothing is encrypted.
    pub stored_sha256: Digest,
    /// When its media starts.
    #[serde(with = "crate::time::text")]
    pub starts_at: DateTime<Utc>,
    /// When its media ends.
    #[serde(with = "crate::time::text")]
    pub ends_at: DateTime<Utc>,
    /// The chain head after it ([`crate::chain`]).
    pub chain: Digest,
}

impl Segment {
    /// As the chain sees it.
    #[must_use]
    pub fn link<'a>(&self, exhibit: ExhibitId, track: &'a TrackName) -> chain::Link<'a> {
        chain::Link {
            exhibit,
            track,
            seq: self.seq,
            plain: self.sha256,
            stored: self.stored_sha256,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            bytes: self.bytes,
        }
    }

    /// Its line of the list: canonical JSON (RFC 8785) and a newline.
    ///
    /// # Errors
    /// Never in practice: there is no number in it.
    pub fn to_line(&self) -> Result<Vec<u8>, Error> {
        let mut line = jcs::to_vec(self).map_err(Error::Unwritable)?;
        line.push(b'\n');
        Ok(line)
    }

    /// Reads a whole list: lines as [`Segment::to_line`] writes them, and nothing else. Whether they fit together, and the track,
    /// [`crate::Manifest::check_list`] says.
    ///
    /// # Errors
    /// [`Error::Line`] says which one isn't one.
    pub fn read_list(list: &[u8]) -> Result<Vec<Self>, Error> {
        let read = |(at, line): (usize, &[u8])| {
            let segment: Self = serde_json::from_slice(line).ok()?;
            (segment.to_line().ok()? == line).then_some(segment).ok_or(at).ok()
        };
        let lines = list.split_inclusive(|byte| *byte == b'\n').enumerate();
        lines.map(|(at, line)| read((at, line)).ok_or(Error::Line(at + 1))).collect()
    }
}

/// A track's list of segments, as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segments {
    /// Where the list is, from the manifest's own folder. [`Segments::path_of`] gives it.
    pub path: String,
    /// Length of the list.
    #[serde(with = "text::integer")]
    pub bytes: u64,
    /// SHA-256 of the list.
    pub sha256: Digest,
    /// How many segments there are: one at least.
    #[serde(with = "text::integer")]
    pub count: u64,
    /// The first one's number.
    #[serde(with = "text::integer")]
    pub first_seq: u64,
    /// The last one's number.
    #[serde(with = "text::integer")]
    pub last_seq: u64,
    /// When the first one's media starts.
    #[serde(with = "crate::time::text")]
    pub starts_at: DateTime<Utc>,
    /// When the last one's media ends.
    #[serde(with = "crate::time::text")]
    pub ends_at: DateTime<Utc>,
    /// The chain head after the last one.
    pub chain: Digest,
}

impl Segments {
    /// Where a track's list lies, from the manifest's own folder.
    #[must_use]
    pub fn path_of(name: &TrackName) -> String {
        format!("segments/{name}.jsonl")
    }
}

/// A list that grows with its track: what is listed is hashed, and not kept.
#[derive(Clone, Default)]
pub struct Lister {
    count: u64,
    /// Length of the list.
    bytes: u64,
    whole: Hasher,
    first: Option<Segment>,
    last: Option<Segment>,
}

impl Lister {
    /// Adds the next one.
    ///
    /// # Errors
    /// As [`Segment::to_line`].
    pub fn add(&mut self, segment: &Segment) -> Result<(), Error> {
        let line = segment.to_line()?;
        self.whole.update(&line);
        self.bytes += line.len() as u64;
        self.count += 1;
        self.first.get_or_insert_with(|| segment.clone());
        self.last = Some(segment.clone());
        Ok(())
    }

    /// What the manifest says of the list so far; `None` where nothing is listed yet.
    #[must_use]
    pub fn segments(&self, track: &TrackName) -> Option<Segments> {
        let (first, last) = self.first.as_ref().zip(self.last.as_ref())?;
        Some(Segments {
            path: Segments::path_of(track),
            bytes: self.bytes,
            sha256: self.whole.clone().finish(),
            count: self.count,
            first_seq: first.seq,
            last_seq: last.seq,
            starts_at: first.starts_at,
            ends_at: last.ends_at,
            chain: last.chain,
        })
    }
}
