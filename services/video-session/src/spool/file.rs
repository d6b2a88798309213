//! One document in one file: `magic, starts_at, ends_at, SHA-256, data`, written aside, synced, then renamed into place.
//!
//! Whatever carries a document's name is whole, unless the disk lies; and the hash says when it does.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use ring::digest;

const MAGIC: &[u8; 8] = b"ALCSPL1\n";
const HEADER: usize = 8 + 8 + 8 + 32;

/// A segment or a document, with what evidence-store has to know about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Piece {
    /// Wall clock of its first frame.
    pub starts_at: DateTime<Utc>,
    /// Wall clock of its last frame.
    pub ends_at: DateTime<Utc>,
    /// SHA-256 of `data`.
    pub sha256: [u8; 32],
    /// The bytes of the file that the track's segments make together.
    pub data: Bytes,
}

impl Piece {
    /// Hashes what was recorded.
    #[must_use]
    pub fn new(starts_at: DateTime<Utc>, ends_at: DateTime<Utc>, data: Bytes) -> Self {
        Self { starts_at, ends_at, sha256: Self::sha256(&data), data }
    }

    /// As a piece is hashed.
    #[must_use]
    pub fn sha256(data: &[u8]) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
        hash
    }

    /// Whether its data is what was hashed.
    pub(super) fn is_whole(&self) -> bool {
        Self::sha256(&self.data) == self.sha256
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let (starts, ends) = (self.starts_at.timestamp_micros(), self.ends_at.timestamp_micros());
        write_whole(path, &[MAGIC, &starts.to_be_bytes(), &ends.to_be_bytes(), &self.sha256, &self.data])
    }

    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let bytes = Bytes::from(fs::read(path)?);
        if bytes.len() < HEADER || &bytes[..8] != MAGIC {
            return Err(damaged());
        }
        let time = |at: usize| {
            let micros = bytes[at..at + 8].try_into().map(i64::from_be_bytes).map_err(|_| damaged())?;
            DateTime::from_timestamp_micros(micros).ok_or_else(damaged)
        };
        let mut hash = [0; 32];
        hash.copy_from_slice(&bytes[24..HEADER]);
        let piece = Self { starts_at: time(8)?, ends_at: time(16)?, sha256: hash, data: bytes.slice(HEADER..) };
        if piece.is_whole() { Ok(piece) } else { Err(damaged()) }
    }
}

pub(super) fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what the spool kept is damaged")
}

/// The file appears whole and durable, or not at all.
pub(super) fn write_whole(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let aside = path.with_extension("tmp");
    let mut file = File::create(&aside)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_data()?;
    fs::rename(&aside, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Piece").field("starts_at", &self.starts_at).field("bytes", &self.data.len()).finish()
    }
}
