//! A derived file as it is kept: encrypted under its exhibit's data key, in pieces, so that any range can be read alone.
//!
//! ```text
//! "ALCKEPT1" || length of the plain text (8, big-endian) || pieces of 256 KiB, the last one shorter:
//!     random nonce (12) || ciphertext || tag (16)
//! ```
//! Each piece is bound to its exhibit, its file's name, the whole length and its own number. Destroying the data key
//! destroys these files too.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

use chassis::Entropy;
use ids::ExhibitId;

use crate::{
    error::Error,
    keys::{self, DataKey, NONCE, TAG},
};

const MAGIC: &[u8; 8] = b"ALCKEPT1";
const HEADER: u64 = 16;
const PIECE: u64 = 256 * 1024;
const OVERHEAD: u64 = (NONCE + TAG) as u64;

/// What a file of so many bytes belongs to.
struct Binding<'a> {
    exhibit: ExhibitId,
    name: &'a str,
    len: u64,
}

impl Binding<'_> {
    fn of_piece(&self, number: u64) -> Vec<u8> {
        let id = self.exhibit.uuid();
        let parts = [&MAGIC[..], id.as_bytes(), &self.len.to_be_bytes(), &number.to_be_bytes(), self.name.as_bytes()];
        parts.concat()
    }
}

/// Encrypts `len` bytes into the file of that name: whole and synced, or not there.
///
/// # Errors
/// Reading, encrypting or writing failed.
pub fn keep(
    folder: &Path,
    name: &str,
    exhibit: ExhibitId,
    key: &DataKey,
    entropy: &Entropy,
    (mut plain, len): (impl Read, u64),
) -> Result<(), Error> {
    let io = Error::journal("keep a derived file");
    let part = folder.join(format!("{name}.part"));
    let mut write = || -> io::Result<()> {
        let mut out = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        out.write_all(&[&MAGIC[..], &len.to_be_bytes()].concat())?;
        let binding = Binding { exhibit, name, len };
        for number in 0..len.div_ceil(PIECE) {
            let size = usize::try_from(PIECE.min(len - number * PIECE)).map_err(io::Error::other)?;
            let mut piece = vec![0; size];
            plain.read_exact(&mut piece)?;
            let nonce = entropy.bytes();
            let sealed = key.seal(nonce, &binding.of_piece(number), &piece).map_err(io::Error::other)?;
            out.write_all(&nonce)?;
            out.write_all(&sealed)?;
        }
        out.sync_all()?;
        fs::rename(&part, folder.join(name))?;
        File::open(folder)?.sync_all()
    };
    write().map_err(io)
}

/// A kept file, open for reading.
pub struct Kept {
    file: File,
    key: Arc<DataKey>,
    exhibit: ExhibitId,
    name: String,
    len: u64,
}

impl Kept {
    /// Opens one; `None` if there is none (yet).
    ///
    /// # Errors
    /// It can't be read, or is no such file.
    pub fn open(folder: &Path, name: &str, exhibit: ExhibitId, key: Arc<DataKey>) -> Result<Option<Self>, Error> {
        let file = match File::open(folder.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::journal("open a derived file")(error)),
        };
        let mut header = [0; HEADER as usize];
        file.read_exact_at(&mut header, 0).map_err(Error::journal("read a derived file"))?;
        let (magic, len) = header.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(keys::Error::NotAuthentic.into());
        }
        let len = len.iter().fold(0, |len, byte| len << 8 | u64::from(*byte));
        Ok(Some(Self { file, key, exhibit, name: name.to_owned(), len }))
    }

    /// The plain length, in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes from `offset` on: `length` of them, or to the end; in pieces as they are decrypted.
    pub fn range(&self, offset: u64, length: Option<u64>) -> impl Iterator<Item = Result<Vec<u8>, Error>> {
        let from = offset.min(self.len);
        let to = length.map_or(self.len, |length| from.saturating_add(length).min(self.len));
        let last = if from < to { to.div_ceil(PIECE) } else { 0 };
        (from / PIECE..last).map(move |number| {
            let mut piece = self.piece(number)?;
            let start = number * PIECE;
            let cut = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX).min(piece.len());
            let (from, to) = (cut(from), cut(to));
            piece.truncate(to);
            Ok(piece.split_off(from))
        })
    }

    fn piece(&self, number: u64) -> Result<Vec<u8>, Error> {
        let size = PIECE.min(self.len.saturating_sub(number * PIECE)) + OVERHEAD;
        let mut stored = vec![0; usize::try_from(size).unwrap_or_default()];
        let at = HEADER + number * (PIECE + OVERHEAD);
        self.file.read_exact_at(&mut stored, at).map_err(Error::journal("read a derived file"))?;
        let (nonce, sealed) = stored.split_first_chunk::<NONCE>().ok_or(keys::Error::NotAuthentic)?;
        let binding = Binding { exhibit: self.exhibit, name: &self.name, len: self.len };
        Ok(self.key.open(*nonce, &binding.of_piece(number), sealed)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn exhibit(n: u128) -> ExhibitId {
        uuid::Uuid::from_u128(n).into()
    }

    fn read(kept: &Kept, offset: u64, length: Option<u64>) -> Result<Vec<u8>, Error> {
        Ok(kept.range(offset, length).collect::<Result<Vec<_>, _>>()?.concat())
    }

    #[test]
    fn any_range_reads_as_it_was_and_nothing_else_passes() {
        let (folder, entropy) = (tempfile::tempdir().unwrap(), Entropy::seeded(1));
        let key = Arc::new(DataKey::generate(&entropy));
        let plain: Vec<u8> = (0..600_000_u32).map(|i| (i % 251) as u8).collect();
        let len = plain.len() as u64;
        keep(folder.path(), "a", exhibit(1), &key, &entropy, (plain.as_slice(), len)).unwrap();
        let open = |name, id, key: &Arc<DataKey>| Kept::open(folder.path(), name, id, key.clone()).unwrap().unwrap();
        let kept = open("a", exhibit(1), &key);
        assert_eq!(read(&kept, 0, None).unwrap(), plain);
        for (offset, length) in [(0, 1), (262_143, 2), (262_144, 1), (500_000, 400_000), (599_999, 9), (600_000, 1)] {
            let end = (offset + length).min(len) as usize;
            assert_eq!(read(&kept, offset, Some(length)).unwrap(), plain[offset as usize..end], "{offset}+{length}");
        }
        assert_eq!(read(&kept, 700_000, None).unwrap(), b"");

        // On the disk nothing is to be read; and it is nobody else's.
        let stored = fs::read(folder.path().join("a")).unwrap();
        assert!(!stored.windows(16).any(|window| window == &plain[..16]));
        assert!(read(&open("a", exhibit(2), &key), 0, None).is_err());
        assert!(read(&open("a", exhibit(1), &Arc::new(DataKey::generate(&entropy))), 0, None).is_err());
        fs::copy(folder.path().join("a"), folder.path().join("b")).unwrap();
        assert!(read(&open("b", exhibit(1), &key), 0, None).is_err());
        for at in [8, 15, 16, 40, 262_200, stored.len() - 1] {
            let mut altered = stored.clone();
            altered[at] ^= 1;
            fs::write(folder.path().join("a"), &altered).unwrap();
            assert!(read(&open("a", exhibit(1), &key), 0, None).is_err(), "byte {at}");
        }
        assert!(Kept::open(folder.path(), "c", exhibit(1), key).unwrap().is_none());
    }

    #[test]
    fn a_source_that_ends_early_leaves_no_file() {
        let (folder, entropy) = (tempfile::tempdir().unwrap(), Entropy::seeded(1));
        let key = Arc::new(DataKey::generate(&entropy));
        assert!(keep(folder.path(), "a", exhibit(1), &key, &entropy, (&b"short"[..], 6)).is_err());
        assert!(Kept::open(folder.path(), "a", exhibit(1), key).unwrap().is_none());
    }
}
