//! A track's segments, one after the other in one file: `magic, seq, starts_at, ends_at, length, SHA-256 of the data, check, data`.
//!
//! A segment is kept by one append and one sync. What a crash tore off at the end was never said to be kept, and is cut off. Of what
//! the disk has damaged in between only the segments it hit are lost: their data no longer has its hash, or their header not its
//! check, and those after it are found by their magic.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::DateTime;

use super::{Piece, file::damaged};

const MAGIC: &[u8; 8] = b"ALCSPL2\n";
/// Up to the check, which is the first bytes of its SHA-256.
const CHECKED: usize = 8 + 8 + 8 + 8 + 8 + 32;
const HEADER: usize = CHECKED + 8;
/// What was just kept is sent from memory. More than these wait because evidence-store is slow, and are read back.
const IN_MEMORY: usize = 2;

/// The file of one track. Opened for each use: a session's stays until its exhibit is archived, and there may be thousands.
#[derive(Debug)]
pub(super) struct Film {
    path: PathBuf,
    /// Held by whoever appends, over its sync. Nobody else waits for the disk.
    writing: Mutex<()>,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    /// Where the next segment goes.
    end: u64,
    /// Where the headers are of the segments that may be asked for: not of all, or an hour of twenty calls were some megabytes.
    offsets: BTreeMap<u64, u64>,
    fresh: VecDeque<(u64, Piece)>,
}

/// A segment's header.
struct Header {
    seq: u64,
    /// The segment, its data left out.
    piece: Piece,
    /// Bytes of data behind it.
    length: u64,
}

impl Film {
    /// An empty one. Its folder is still to be synced.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        // One that is there holds nothing that was said to be kept: its track would be known.
        File::create(&path)?;
        Ok(Self { path, writing: Mutex::default(), written: Mutex::default() })
    }

    /// One that an earlier process wrote, without what it didn't finish; and the lowest number and the highest. `None`: it has no
    /// segment.
    pub(super) fn open(path: PathBuf) -> io::Result<Option<(Self, (u64, u64))>> {
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let written = survey(&file, file.metadata()?.len())?;
        file.set_len(written.end)?;
        let range = written.offsets.first_key_value().zip(written.offsets.last_key_value());
        let range = range.map(|((lowest, _), (highest, _))| (*lowest, *highest));
        Ok(range.map(|range| (Self { path, writing: Mutex::default(), written: Mutex::new(written) }, range)))
    }

    /// Appends a segment: it is on stable storage when this returns. After a failure the next one is written over it.
    pub(super) fn append(&self, seq: u64, piece: &Piece) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.written().end;
        let data = at + HEADER as u64;
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.write_all_at(&header(seq, piece), at)?;
        file.write_all_at(&piece.data, data)?;
        file.sync_data()?;
        let mut written = self.written();
        written.end = data + piece.data.len() as u64;
        written.offsets.insert(seq, at);
        written.fresh.push_back((seq, piece.clone()));
        if written.fresh.len() > IN_MEMORY {
            written.fresh.pop_front();
        }
        Ok(())
    }

    /// Reads a segment back, and makes sure that it is what was kept.
    pub(super) fn load(&self, seq: u64) -> io::Result<Piece> {
        let (file, at) = match self.find(seq)? {
            Found::Fresh(piece) => return Ok(piece),
            Found::At(file, at) => (file, at),
        };
        let Header { piece, length, .. } = read_header(&file, at)?.ok_or_else(damaged)?;
        let data = read(&file, at + HEADER as u64, length)?.into();
        let piece = Piece { data, ..piece };
        if piece.is_whole() { Ok(piece) } else { Err(damaged()) }
    }

    /// What a segment was hashed to.
    pub(super) fn sha256(&self, seq: u64) -> io::Result<[u8; 32]> {
        match self.find(seq)? {
            Found::Fresh(piece) => Ok(piece.sha256),
            Found::At(file, at) => Ok(read_header(&file, at)?.ok_or_else(damaged)?.piece.sha256),
        }
    }

    /// What comes before this one is not expected to be asked for again, but for the newest. If it is all the same, it is looked for in
    /// the file.
    pub(super) fn put_away(&self, before: u64) {
        let mut written = self.written();
        written.fresh.retain(|(seq, _)| *seq >= before);
        if let Some((newest, _)) = written.offsets.last_key_value() {
            let kept = before.min(*newest);
            written.offsets = written.offsets.split_off(&kept);
        }
    }

    fn find(&self, seq: u64) -> io::Result<Found> {
        let (end, at) = {
            let written = self.written();
            if let Some((_, piece)) = written.fresh.iter().find(|(fresh, _)| *fresh == seq) {
                return Ok(Found::Fresh(piece.clone()));
            }
            (written.end, written.offsets.get(&seq).copied())
        };
        let file = File::open(&self.path)?;
        if let Some(at) = at {
            return Ok(Found::At(file, at));
        }
        let mut offsets = survey(&file, end)?.offsets.split_off(&seq);
        let at = *offsets.get(&seq).ok_or_else(damaged)?;
        // Those after it will be asked for next.
        self.written().offsets.append(&mut offsets);
        Ok(Found::At(file, at))
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Found {
    Fresh(Piece),
    At(File, u64),
}

/// What there is in the first `length` bytes.
fn survey(file: &File, length: u64) -> io::Result<Written> {
    let (mut written, mut at) = (Written::default(), 0);
    while at < length {
        let header = read_header(file, at)?;
        let ends = |header: Header| Some((header.seq, (at + HEADER as u64).checked_add(header.length)?));
        let whole = header.and_then(ends).filter(|(_, end)| *end <= length);
        if let Some((seq, end)) = whole {
            written.offsets.insert(seq, at);
            (at, written.end) = (end, end);
        } else if let Some(next) = next_magic(file, at + 1, length)? {
            at = next;
        } else {
            break;
        }
    }
    // A header may be written, and not all of what it tells of.
    if let Some((at, seq)) = written.offsets.iter().map(|(seq, at)| (*at, *seq)).max()
        && let Some(Header { piece, length, .. }) = read_header(file, at)?
        && Piece::sha256(&read(file, at + HEADER as u64, length)?) != piece.sha256
    {
        tracing::error!(seq, "the last segment of a track isn't whole, and was never said to be kept");
        written.offsets.remove(&seq);
        written.end = at;
    }
    Ok(written)
}

/// `None`: there is none.
fn read_header(file: &File, at: u64) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER];
    match file.read_exact_at(&mut bytes, at) {
        Ok(()) => Ok(parse(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(file: &File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| damaged())?];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

fn next_magic(file: &File, from: u64, length: u64) -> io::Result<Option<u64>> {
    const STEP: u64 = 1 << 20;
    let mut at = from;
    while at < length {
        // A magic may lie across two steps.
        let bytes = read(file, at, (length - at).min(STEP + MAGIC.len() as u64 - 1))?;
        if let Some(found) = bytes.windows(MAGIC.len()).position(|window| window == MAGIC) {
            return Ok(Some(at + found as u64));
        }
        at += STEP;
    }
    Ok(None)
}

fn header(seq: u64, piece: &Piece) -> Vec<u8> {
    let (starts, ends) = (piece.starts_at.timestamp_micros(), piece.ends_at.timestamp_micros());
    let mut header = Vec::with_capacity(HEADER);
    header.extend(MAGIC);
    for number in [seq.to_be_bytes(), starts.to_be_bytes(), ends.to_be_bytes(), (piece.data.len() as u64).to_be_bytes()]
    {
        header.extend(number);
    }
    header.extend(piece.sha256);
    let check = Piece::sha256(&header);
    header.extend(&check[..HEADER - CHECKED]);
    header
}

fn parse(header: &[u8; HEADER]) -> Option<Header> {
    let (checked, check) = header.split_at(CHECKED);
    if !checked.starts_with(MAGIC) || !Piece::sha256(checked).starts_with(check) {
        return None;
    }
    let number = |index: usize| checked[index..].first_chunk().copied().map(u64::from_be_bytes);
    let time = |index| DateTime::from_timestamp_micros(number(index)?.cast_signed());
    let piece = Piece {
        starts_at: time(16)?,
        ends_at: time(24)?,
        sha256: checked[40..].try_into().ok()?,
        data: bytes::Bytes::new(),
    };
    Some(Header { seq: number(8)?, piece, length: number(32)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{fs, path::Path};

    use proptest::prelude::*;

    use super::*;

    fn piece(seq: u64) -> Piece {
        let at = DateTime::from_timestamp(1_800_000_000 + i64::try_from(seq).unwrap(), 0).unwrap();
        // Data that looks like a header is no header.
        let data = [MAGIC.as_slice(), format!("segment {seq}").repeat(40).as_bytes()].concat();
        Piece::new(at, at, data.into())
    }

    fn film(path: &Path, segments: u64) -> Vec<u8> {
        let film = Film::create(path.to_owned()).unwrap();
        for seq in 0..segments {
            film.append(seq, &piece(seq)).unwrap();
        }
        fs::read(path).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// However much of the end is missing, what is whole before it is there, and it goes on from there.
        #[test]
        fn a_torn_end_is_cut_off(cut in 0.0..1.0) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("caller-1.film");
            let whole = film(&path, 4);
            let left = (whole.len() as f64 * cut) as usize;
            fs::write(&path, &whole[..left]).unwrap();
            let next = (left / (whole.len() / 4)) as u64;
            let film = match Film::open(path.clone()).unwrap() {
                Some((film, range)) => {
                    prop_assert_eq!(range, (0, next - 1));
                    film
                }
                None => {
                    prop_assert_eq!(next, 0);
                    Film::create(path.clone()).unwrap()
                }
            };
            film.append(next, &piece(next)).unwrap();
            let (film, _) = Film::open(path.clone()).unwrap().unwrap();
            for seq in 0..=next {
                prop_assert_eq!(film.load(seq).unwrap(), piece(seq));
            }
        }

        /// One flipped bit costs the segment it is in, and no other.
        #[test]
        fn a_flipped_bit_costs_one_segment(at in 0.0..1.0, bit in 0..8) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("caller-1.film");
            let mut bytes = film(&path, 4);
            let at = (bytes.len() as f64 * at) as usize;
            let hit = (at / (bytes.len() / 4)) as u64;
            bytes[at] ^= 1_u8 << bit;
            fs::write(&path, &bytes).unwrap();
            let (film, _) = Film::open(path.clone()).unwrap().unwrap();
            for seq in 0..4 {
                match film.load(seq) {
                    Ok(read) => prop_assert_eq!((read, seq != hit), (piece(seq), true)),
                    Err(error) => prop_assert_eq!((error.kind(), seq), (io::ErrorKind::InvalidData, hit)),
                }
            }
        }
    }

    #[test]
    fn a_segment_that_claims_more_than_there_can_be_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("caller-1.film");
        let mut claim = header(2, &piece(2))[..CHECKED].to_vec();
        claim[32..40].copy_from_slice(&u64::MAX.to_be_bytes());
        let check = Piece::sha256(&claim);
        fs::write(&path, [&film(&path, 2)[..], &claim, &check[..HEADER - CHECKED]].concat()).unwrap();
        let (_, range) = Film::open(path).unwrap().unwrap();
        assert_eq!(range, (0, 1));
    }

    #[test]
    fn what_is_in_memory_is_what_was_kept_and_not_more_than_needed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("caller-1.film");
        let bytes = film(&path, 1);
        let film = Film::create(path.clone()).unwrap();
        for seq in 0..4 {
            film.append(seq, &piece(seq)).unwrap();
        }
        let held = || -> Vec<u64> { film.written().fresh.iter().map(|(seq, _)| *seq).collect() };
        assert_eq!(held(), [2, 3]);
        film.put_away(3);
        assert_eq!((held(), film.written().offsets.len()), (vec![3], 1));
        for seq in 0..4 {
            assert_eq!((film.load(seq).unwrap(), film.sha256(seq).unwrap()), (piece(seq), piece(seq).sha256));
        }
        assert_eq!(fs::metadata(&path).unwrap().len(), 4 * bytes.len() as u64);
    }

    /// Otherwise a slow disk would hold up the tasks that send, and with them every session's.
    #[test]
    fn while_a_segment_is_being_written_nobody_else_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("caller-1.film");
        let film = Film::create(path).unwrap();
        for seq in 0..4 {
            film.append(seq, &piece(seq)).unwrap();
        }
        let _writing = film.writing.lock().unwrap();
        film.put_away(3);
        for seq in 0..4 {
            assert_eq!((film.load(seq).unwrap(), film.sha256(seq).unwrap()), (piece(seq), piece(seq).sha256));
        }
    }
}
